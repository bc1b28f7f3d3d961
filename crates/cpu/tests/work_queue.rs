//! Work queues on threads of several numbers, as code and interpreted. Expected values are computed here, in loops.

use std::process::Command;
use vyre_cpu::Engine;
use vyre_driver::{
    BackendError, Device, DispatchConfig, Resource, WorkQueue, WorkQueueOptions, WorkQueueRun,
};
use vyre_ir::Program;

/// Runs the ignored tests of this file, each with that many threads.
#[test]
fn with_other_numbers_of_threads() {
    let mut all: Vec<_> = ["1", "2", "3", "8"]
        .map(|threads| {
            let mut command = Command::new(std::env::current_exe().unwrap());
            command.args(["--ignored", "--nocapture"]).env("VYRE_THREADS", threads).spawn().unwrap()
        })
        .into();
    assert!(all.iter_mut().all(|child| child.wait().unwrap().success()));
}

fn text(source: &str) -> Program {
    vyre_ir::text::parse("test.vyre", source).unwrap_or_else(|e| panic!("{e:#?}"))
}

/// An item `(n, id)` counts at its id, and pushes `n` items `(n - 1, ...)` of other ids: `id * 6 + 1` and so on.
fn trees(workgroup: u32) -> Program {
    text(&format!(
        "program trees workgroup({workgroup}, 1, 1) {{
  buffer seen: u32[] storage read_write @group(0) @binding(0)
  %zero: u32 = const 0
  %one: u32 = const 1
  %six: u32 = const 6
  %item: u32x2 = queue_item
  %n: u32 = extract %item.x
  %id: u32 = extract %item.y
  %0: u32 = atomic_add seen[%id], %one
  %some: bool = lt %zero, %n
  if %some {{
    %less: u32 = sub %n, %one
    %times: u32 = mul %id, %six
    %after: u32 = loop (%i: u32 = %zero) {{
      %next: u32 = add %i, %one
      %child: u32 = add %times, %next
      %pushed: u32x2 = compose %less, %child
      queue_push %pushed
      %more: bool = lt %next, %n
      yield %more, %next
    }}
  }}
}}"
    ))
}

/// How often each id is seen.
fn seen(items: &[[u32; 2]], ids: usize) -> (Vec<u32>, u64) {
    let mut seen = vec![0; ids];
    let mut all = items.to_vec();
    let mut at = 0;
    while let Some(&[n, id]) = all.get(at) {
        at += 1;
        if let Some(seen) = seen.get_mut(id as usize) {
            *seen += 1;
        }
        all.extend((1..=n).map(|i| [n - 1, id * 6 + i]));
    }
    (seen, at as u64)
}

const IDS: usize = 60_000;

fn bytes(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

fn on_each(test: impl Fn(&Device)) {
    for engine in [Engine::Code, Engine::Strips] {
        test(&Device::new(vyre_cpu::open(engine).unwrap()));
    }
}

fn run(
    device: &Device,
    program: &Program,
    capacity: u64,
    options: WorkQueueOptions,
    items: &[[u32; 2]],
) -> Result<WorkQueueRun, BackendError> {
    let profile = WorkQueue::profile(program, capacity, 1 << 26).unwrap();
    let queue = WorkQueue::new(device, program, profile, options, &DispatchConfig::default()).unwrap();
    queue.run(&bytes(items.as_flattened()), &[Resource::Bytes(&vec![0; 4 * IDS])], &DispatchConfig::default())
}

#[test]
#[ignore = "with_other_numbers_of_threads runs it"]
fn every_item_is_handled_once() {
    let many: Vec<[u32; 2]> = (0..3000).map(|id| [id % 3, id]).collect();
    let starts: [&[[u32; 2]]; 5] = [&[], &[[0, 5]], &[[6, 0]], &[[5, 1], [6, 0], [2, 7]], &many];
    on_each(|device| {
        for workgroup in [1, 7, 64] {
            for items in starts {
                let (expected, count) = seen(items, IDS);
                for window in [None, Some(5)] {
                    let options = WorkQueueOptions { window, ..WorkQueueOptions::default() };
                    let run = run(device, &trees(workgroup), 20_000, options, items).unwrap();
                    assert_eq!(run.outputs.buffers[0].to_vec(), bytes(&expected), "{items:?}");
                    assert_eq!((run.processed, run.host_syncs), (count, 1));
                    let least = items.len() as u64;
                    assert!((least..=20_000).contains(&run.high_water), "{}", run.high_water);
                    assert!(u64::from(run.windows) >= count.div_ceil(256));
                }
            }
        }
    });
}

#[test]
#[ignore = "with_other_numbers_of_threads runs it"]
fn again_and_again_on_the_same_memory() {
    on_each(|device| {
        let program = trees(16);
        let profile = WorkQueue::profile(&program, 2000, 1 << 26).unwrap();
        let (options, config) = (WorkQueueOptions::default(), DispatchConfig::default());
        let queue = WorkQueue::new(device, &program, profile, options, &config).unwrap();
        let (expected, count) = seen(&[[5, 0]], IDS);
        for _ in 0..20 {
            let zeros = vec![0; 4 * IDS];
            let run = queue.run(&bytes(&[5, 0]), &[Resource::Bytes(&zeros)], &config).unwrap();
            assert_eq!((run.outputs.buffers[0].to_vec(), run.processed), (bytes(&expected), count));
            // After an overflow, too.
            let error = queue.run(&bytes(&[9, 0]), &[Resource::Bytes(&zeros)], &config).err().unwrap();
            assert!(matches!(error, BackendError::QueueFull { .. }), "{error}");
        }
    });
}

#[test]
#[ignore = "with_other_numbers_of_threads runs it"]
fn more_items_than_room_are_an_error_and_all_counted() {
    on_each(|device| {
        for capacity in [1, 10, 100, 1000, 3000] {
            let error = run(device, &trees(8), capacity, WorkQueueOptions::default(), &[[8, 0]]);
            let Some(BackendError::QueueFull { capacity: room, high_water, processed, left, lost }) =
                error.err()
            else {
                panic!("it is not refused")
            };
            // That the sums are right is checked by the driver.
            assert_eq!(room, capacity);
            assert!(high_water > capacity && left <= capacity && left + lost > 0 && processed > 0);
        }
    });
}

#[test]
#[ignore = "with_other_numbers_of_threads runs it"]
fn a_bound_on_pushes_keeps_items_from_getting_lost() {
    let bounded = WorkQueueOptions { pushes_per_item: Some(6), ..WorkQueueOptions::default() };
    on_each(|device| {
        let (expected, count) = seen(&[[6, 0]], IDS);
        let done = run(device, &trees(8), 2600, bounded, &[[6, 0]]).unwrap();
        assert_eq!((done.outputs.buffers[0].to_vec(), done.processed), (bytes(&expected), count));
        assert!(done.high_water <= 2600, "{}", done.high_water);
        for capacity in [6, 7, 30, 200] {
            let error = run(device, &trees(8), capacity, bounded, &[[6, 0]]).err().unwrap();
            let BackendError::QueueFull { lost: 0, left, high_water, .. } = error else { panic!("{error}") };
            assert!(left > 0 && left <= capacity && high_water <= capacity);
            assert!(left + 6 > capacity, "there was room: {left} of {capacity}");
        }
    });
}

#[test]
#[ignore = "with_other_numbers_of_threads runs it"]
fn several_queues_at_a_time() {
    let (expected, count) = seen(&[[5, 3]], IDS);
    on_each(|device| {
        std::thread::scope(|scope| {
            for _ in 0..5 {
                scope.spawn(|| {
                    let run = run(device, &trees(4), 5000, WorkQueueOptions::default(), &[[5, 3]]).unwrap();
                    assert_eq!((run.outputs.buffers[0].to_vec(), run.processed), (bytes(&expected), count));
                });
            }
        });
    });
}

#[test]
#[ignore = "with_other_numbers_of_threads runs it"]
fn a_chain_of_items_is_handled_by_whoever_comes() {
    let chain = text(
        "program chain workgroup(32, 1, 1) {
  buffer seen: u32[] storage read_write @group(0) @binding(0)
  %one: u32 = const 1
  %n: u32 = queue_item
  %0: u32 = atomic_add seen[%n], %one
  %more: bool = lt %one, %n
  if %more {
    %less: u32 = sub %n, %one
    queue_push %less
  }
}",
    );
    on_each(|device| {
        let profile = WorkQueue::profile(&chain, 4, 1 << 20).unwrap();
        let (options, config) = (WorkQueueOptions::default(), DispatchConfig::default());
        let queue = WorkQueue::new(device, &chain, profile, options, &config).unwrap();
        let run = queue.run(&bytes(&[5000, 5000]), &[Resource::Bytes(&[0; 4 * 5001])], &config).unwrap();
        let expected: Vec<u32> = (0..5001).map(|n| if n == 0 { 0 } else { 2 }).collect();
        assert_eq!((run.outputs.buffers[0].to_vec(), run.processed), (bytes(&expected), 10_000));
        assert_eq!(run.high_water.clamp(3, 4), run.high_water);
    });
}

#[test]
#[ignore = "with_other_numbers_of_threads runs it"]
fn a_queue_that_never_empties_is_stopped() {
    let forever = text(
        "program forever workgroup(2, 1, 1) {
  buffer seen: u32[] storage read_write @group(0) @binding(0)
  %zero: u32 = const 0
  %n: u32 = queue_item
  store seen[%zero], %n
  queue_push %n
}",
    );
    on_each(|device| {
        let profile = WorkQueue::profile(&forever, 64, 1 << 20).unwrap();
        let limit = std::time::Duration::from_millis(50);
        let config = DispatchConfig { timeout: Some(limit), ..DispatchConfig::default() };
        let queue = WorkQueue::new(device, &forever, profile, WorkQueueOptions::default(), &config).unwrap();
        let error = queue.run(&bytes(&[1, 2, 3]), &[Resource::Bytes(&[0; 4])], &config).err().unwrap();
        assert!(matches!(error, BackendError::Timeout { stopped: true, .. }), "{error}");
    });
}
