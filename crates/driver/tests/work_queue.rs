//! Work queues that are drained as the control program says: as stages, and by the program itself where workgroups can wait
//! for each other. The backends' own ways are tested by the conformance suite.

use vyre_driver::{BackendError, Device, DispatchConfig, Resource, WorkQueue, WorkQueueOptions};
use vyre_ir::{Program, text};
use vyre_null::{FaultPlan, NullBackend, NullOptions};

/// Counts items and adds them up; an item of more than 1 pushes its halves.
const HALVES: &str = "program halves workgroup(4, 1, 1) {
  buffer totals: u32[2] storage read_write @group(0) @binding(0)
  %zero: u32 = const 0
  %one: u32 = const 1
  %two: u32 = const 2
  %n: u32 = queue_item
  %0: u32 = atomic_add totals[%zero], %one
  %1: u32 = atomic_add totals[%one], %n
  %more: bool = lt %one, %n
  if %more {
    %half: u32 = div %n, %two
    %rest: u32 = sub %n, %half
    queue_push %half
    queue_push %rest
  } else {
  }
}";

/// A device on which so many workgroups can wait for each other; on 0, queues are drained by stages.
fn device(waiting_workgroups: u64) -> Device {
    let options = NullOptions { waiting_workgroups, ..NullOptions::default() };
    Device::new(Box::new(NullBackend::new(options, FaultPlan::default())))
}

/// Devices of all kinds.
fn devices() -> [Device; 4] {
    [0, 1, 3, u64::MAX].map(device)
}

fn program(text: &str) -> Program {
    text::parse("p.vyre", text).unwrap_or_else(|errors| panic!("{errors:?}"))
}

fn queue(device: &Device, capacity: u64, options: WorkQueueOptions) -> WorkQueue {
    let program = program(HALVES);
    let profile = WorkQueue::profile(&program, capacity, 1 << 20).unwrap();
    WorkQueue::new(device, &program, profile, options, &DispatchConfig::default()).unwrap()
}

fn bytes(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

/// Items and their sum.
fn halves(n: u32) -> (u32, u32) {
    if n <= 1 {
        return (1, n);
    }
    let (a, b) = (halves(n / 2), halves(n - n / 2));
    (a.0 + b.0 + 1, a.1 + b.1 + n)
}

#[test]
fn every_item_is_handled_once() {
    devices().iter().for_each(handle_every_item_once);
}

fn handle_every_item_once(device: &Device) {
    for window in [None, Some(1), Some(3), Some(4), Some(1000)] {
        let queue = queue(device, 200, WorkQueueOptions { window, ..WorkQueueOptions::default() });
        // Again on the same memory, and with entries that go round the ring.
        for items in [vec![], vec![1], vec![100], vec![7, 0, 1, 90], vec![100]] {
            let run =
                queue.run(&bytes(&items), &[Resource::Bytes(&[0; 8])], &DispatchConfig::default()).unwrap();
            let (count, sum) = items.iter().fold((0, 0), |(count, sum), &n| {
                let (more, of) = halves(n);
                (count + more, sum + of)
            });
            assert_eq!(run.outputs.buffers[0].to_vec(), bytes(&[count, sum]), "{items:?} {window:?}");
            assert_eq!(run.processed, count as u64);
            assert_eq!(run.host_syncs, 1);
            assert!(run.high_water >= items.len() as u64 && run.high_water <= 200);
        }
    }
}

#[test]
fn items_without_room_are_an_error_that_says_how_many() {
    devices().iter().for_each(tell_items_without_room);
}

fn tell_items_without_room(device: &Device) {
    let queue = queue(device, 10, WorkQueueOptions::default());
    let error =
        queue.run(&bytes(&[100]), &[Resource::Bytes(&[0; 8])], &DispatchConfig::default()).err().unwrap();
    // Of 100: 50, 50; 25 four times; then 8 items that 4 are to give way to, two at a time.
    let BackendError::QueueFull { capacity: 10, high_water: 12, processed: 7, left: 6, lost: 2 } = error
    else {
        panic!("{error}")
    };
    assert!(error.to_string().contains("room for 10 items"), "{error}");
    // What comes after it is right.
    let run = queue.run(&bytes(&[4]), &[Resource::Bytes(&[0; 8])], &DispatchConfig::default()).unwrap();
    assert_eq!(run.outputs.buffers[0].to_vec(), bytes(&[7, 12]));
}

#[test]
fn a_bound_on_pushes_keeps_items_from_getting_lost() {
    devices().iter().for_each(bound_pushes);
}

fn bound_pushes(device: &Device) {
    let bounded = WorkQueueOptions { pushes_per_item: Some(2), ..WorkQueueOptions::default() };
    let (count, sum) = halves(30);
    let queue_of = |capacity| queue(device, capacity, bounded);
    let run = |capacity| {
        queue_of(capacity).run(&bytes(&[30]), &[Resource::Bytes(&[0; 8])], &DispatchConfig::default())
    };
    let done = run(34).unwrap();
    assert_eq!(done.outputs.buffers[0].to_vec(), bytes(&[count, sum]));
    assert!(done.high_water <= 34);
    // With too little room the rest is left, and nothing lost.
    let error = run(4).err().unwrap();
    let BackendError::QueueFull { capacity: 4, lost: 0, left, .. } = error else { panic!("{error}") };
    assert!(left > 0);
}

#[test]
fn what_has_no_room_waits_with_the_host() {
    devices().iter().for_each(spill);
}

fn spill(device: &Device) {
    for capacity in [3, 4, 10, 34] {
        let options = WorkQueueOptions { window: None, pushes_per_item: Some(2), spill: true };
        let queue = queue(device, capacity, options);
        for items in [vec![], vec![30], vec![7, 30, 1, 12, 9]] {
            let (count, sum) = items.iter().fold((0, 0), |(count, sum), &n| {
                let (more, of) = halves(n);
                (count + more, sum + of)
            });
            let run = queue.run(&bytes(&items), &[Resource::Bytes(&[0; 8])], &DispatchConfig::default());
            let run = run.unwrap_or_else(|error| panic!("{capacity}: {error}"));
            assert_eq!(run.outputs.buffers[0].to_vec(), bytes(&[count, sum]), "{capacity} {items:?}");
            assert_eq!(run.processed, count as u64);
            match (capacity, items.len()) {
                (3, 1..) => assert!(run.spilled > 0 && run.host_syncs > 2),
                (34, ..=1) => assert_eq!((run.spilled, run.host_syncs), (0, 2)),
                _ => {}
            }
        }
    }
    // Not even one item's pushes have room.
    let options = WorkQueueOptions { window: None, pushes_per_item: Some(2), spill: true };
    let run =
        queue(device, 2, options).run(&bytes(&[30]), &[Resource::Bytes(&[0; 8])], &DispatchConfig::default());
    let error = run.err().unwrap();
    let BackendError::QueueFull { capacity: 2, processed: 0, left: 1, lost: 0, .. } = error else {
        panic!("{error}")
    };
    let options = WorkQueueOptions { window: None, pushes_per_item: None, spill: true };
    let profile = WorkQueue::profile(&program(HALVES), 10, 1 << 20).unwrap();
    let error =
        WorkQueue::new(device, &program(HALVES), profile, options, &DispatchConfig::default()).err().unwrap();
    assert_eq!(error.code().name(), "D037");
}

#[test]
fn queues_that_are_not_for_the_program() {
    let device = device(0);
    let program = program(HALVES);
    let profile = WorkQueue::profile(&program, 100, 1 << 20).unwrap();
    let config = DispatchConfig::default();
    let code = |profile| {
        let queue = WorkQueue::new(&device, &program, profile, WorkQueueOptions::default(), &config);
        queue.err().unwrap().code().name()
    };
    assert_eq!(code(vyre_driver::DeviceWorkQueueProfile { entry_bytes: 8, ..profile }), "D037");
    assert_eq!(code(vyre_driver::DeviceWorkQueueProfile { control_bytes: 8, ..profile }), "D037");
    assert_eq!(code(vyre_driver::DeviceWorkQueueProfile { budget_bytes: 8, ..profile }), "B025");
    assert_eq!(code(vyre_driver::DeviceWorkQueueProfile { queue_capacity: 0, ..profile }), "B020");
    assert_eq!(device.compile(&program, &config).err().unwrap().code().name(), "D036");
    let queue = queue(&device, 2, WorkQueueOptions::default());
    let run =
        |items: &[u8]| queue.run(items, &[Resource::Bytes(&[0; 8])], &config).err().unwrap().code().name();
    assert_eq!(run(&[1, 2, 3]), "D037");
    assert_eq!(run(&[0; 12]), "B022");
}

#[test]
fn a_queue_that_drains_itself_is_one_launch() {
    for (waiting, capacity, window, workgroups) in
        [(3, 200, None, 3), (u64::MAX, 200, None, 50), (u64::MAX, 201, None, 51), (9, 200, Some(20), 5)]
    {
        let options = NullOptions { waiting_workgroups: waiting, ..NullOptions::default() };
        let backend = NullBackend::new(options, FaultPlan::default());
        let log = backend.log();
        let device = Device::new(Box::new(backend));
        let queue = queue(&device, capacity, WorkQueueOptions { window, ..WorkQueueOptions::default() });
        queue.run(&bytes(&[100]), &[Resource::Bytes(&[0; 8])], &DispatchConfig::default()).unwrap();
        let [submission] = &log.submissions()[..] else { panic!("{:?}", log.submissions()) };
        let launches: Vec<&str> = submission.lines().filter(|line| line.contains("launch")).collect();
        assert!(
            matches!(launches[..], [one] if one.contains(&format!("launch [{workgroups}, 1, 1]"))),
            "{submission}"
        );
    }
}

/// A stage is told that a control program decides on it; the control program and a program that is whole are not.
#[test]
fn stages_that_are_decided_on_are_gated() {
    for (waiting, expected) in [
        (0, &["compile halves gated", "compile halves.few gated", "compile halves.control"][..]),
        (3, &["compile halves.queue"]),
    ] {
        let options = NullOptions { waiting_workgroups: waiting, ..NullOptions::default() };
        let backend = NullBackend::new(options, FaultPlan::default());
        let log = backend.log();
        queue(&Device::new(Box::new(backend)), 10, WorkQueueOptions::default());
        let calls = log.calls();
        let compiled: Vec<&str> =
            calls.iter().map(String::as_str).filter(|call| call.starts_with("compile")).collect();
        assert_eq!(compiled, expected);
    }
}
