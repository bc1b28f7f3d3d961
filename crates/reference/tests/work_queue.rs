//! Work queues in every order: what does not depend on the order comes out the same, and what does shows.

use std::collections::BTreeSet;
use vyre_driver::{BackendError, Device, DispatchConfig, Resource, WorkQueue, WorkQueueOptions};
use vyre_reference::open;

/// An item `n` goes to the next place of `log`, and above 1 pushes its halves.
const HALVES: &str = "program halves workgroup(4, 1, 1) {
  buffer log: u32[] storage read_write @group(0) @binding(0)
  buffer places: u32[1] storage read_write @group(0) @binding(1)
  %zero: u32 = const 0
  %one: u32 = const 1
  %two: u32 = const 2
  %n: u32 = queue_item
  %place: u32 = atomic_add places[%zero], %one
  store log[%place], %n
  %more: bool = lt %one, %n
  if %more {
    %half: u32 = div %n, %two
    %rest: u32 = sub %n, %half
    queue_push %half
    queue_push %rest
  } else {
  }
}";

fn bytes(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

/// What the program logs, and how many items were done.
fn run(
    seed: Option<u64>,
    items: &[u32],
    capacity: u64,
    pushes: Option<u32>,
) -> Result<(Vec<u32>, u64), BackendError> {
    let device = Device::new(open(seed));
    let program = vyre_ir::text::parse("p.vyre", HALVES).unwrap();
    let profile = WorkQueue::profile(&program, capacity, 1 << 20).unwrap();
    let options = WorkQueueOptions { pushes_per_item: pushes, ..WorkQueueOptions::default() };
    let config = DispatchConfig::default();
    let queue = WorkQueue::new(&device, &program, profile, options, &config).unwrap();
    let run = queue.run(&bytes(items), &[Resource::Bytes(&[0; 400]), Resource::Bytes(&[0; 4])], &config)?;
    let log = run.outputs.buffers[0].to_vec();
    let log = log.chunks_exact(4).map(|c| u32::from_le_bytes(c.try_into().unwrap())).filter(|n| *n > 0);
    assert_eq!(run.host_syncs, 1);
    Ok((log.collect(), run.processed))
}

/// Every item below `n` and itself, as the recursion says.
fn halves(n: u32, to: &mut Vec<u32>) {
    to.push(n);
    if n > 1 {
        halves(n / 2, to);
        halves(n - n / 2, to);
    }
}

#[test]
fn every_seed_handles_each_item_once_in_an_order_of_its_own() {
    let mut want = Vec::new();
    [9, 5, 1].into_iter().for_each(|n| halves(n, &mut want));
    want.sort_unstable();
    let mut orders = BTreeSet::new();
    for seed in (0..20).map(Some).chain([None]) {
        for pushes in [None, Some(2)] {
            let (log, processed) = run(seed, &[9, 5, 1], 64, pushes).unwrap();
            assert_eq!(processed, want.len() as u64);
            let mut sorted = log.clone();
            sorted.sort_unstable();
            assert_eq!(sorted, want, "seed {seed:?}");
            orders.insert(log);
        }
    }
    assert!(orders.len() > 15, "{} orders", orders.len());
    assert_eq!(run(Some(3), &[9], 64, None).unwrap(), run(Some(3), &[9], 64, None).unwrap());
}

#[test]
fn first_in_is_first_out_without_a_seed() {
    // Invocations in step: all push the first half before any pushes the rest.
    assert_eq!(run(None, &[4, 3], 64, None).unwrap().0, [4, 3, 2, 1, 2, 2, 1, 1, 1, 1, 1, 1]);
}

#[test]
fn what_finds_no_room_is_told() {
    // Windows of 1, 2 and 4 items; the last one pushes 8 beside its own 4.
    let error = run(None, &[16], 8, None).unwrap_err();
    let BackendError::QueueFull { capacity: 8, high_water: 12, processed: 7, left: 4, lost: 4 } = error
    else {
        panic!("{error}")
    };
    for seed in 0..20 {
        let error = run(Some(seed), &[16], 2, Some(2)).unwrap_err();
        let BackendError::QueueFull { capacity: 2, lost: 0, left, .. } = error else { panic!("{error}") };
        assert!(left > 0);
    }
}
