//! The plan of a device work queue: its numbers, the order of its errors, and its extremes.

use DeviceWorkQueueDrainStrategy::{ChunkedResidentDrain, SingleResidentDrain};
use DeviceWorkQueueError as Error;
use vyre_driver::{
    BackendError, DeviceWorkQueueBackpressurePlan, DeviceWorkQueueDrainStrategy, DeviceWorkQueueError,
    DeviceWorkQueuePlan, DeviceWorkQueueProfile, WorkQueueHostSync, plan_device_work_queue,
    plan_device_work_queue_backpressure,
};

const EXAMPLE: DeviceWorkQueueProfile = DeviceWorkQueueProfile {
    initial_items: 256,
    queue_capacity: 1_024,
    entry_bytes: 16,
    control_bytes: 128,
    budget_bytes: 32_768,
    host_sync: WorkQueueHostSync::FinalOnly,
};

/// As many entries of one byte, in a budget that is enough for any.
fn bytes(initial_items: u64, queue_capacity: u64) -> DeviceWorkQueueProfile {
    DeviceWorkQueueProfile {
        initial_items,
        queue_capacity,
        entry_bytes: 1,
        control_bytes: 0,
        budget_bytes: u64::MAX,
        ..EXAMPLE
    }
}

fn occupancy(initial_items: u64, queue_capacity: u64) -> u32 {
    plan_device_work_queue(bytes(initial_items, queue_capacity)).unwrap().initial_occupancy_bps
}

fn drain(queue_capacity: u64, window: u64) -> DeviceWorkQueueBackpressurePlan {
    plan_device_work_queue_backpressure(bytes(0, queue_capacity), window).unwrap()
}

#[test]
fn the_example_of_the_contract() {
    let plan = DeviceWorkQueuePlan {
        queue_bytes: 16_384,
        control_bytes: 128,
        resident_bytes: 16_512,
        initial_occupancy_bps: 2_500,
        final_only_host_sync: true,
    };
    assert_eq!(plan_device_work_queue(EXAMPLE), Ok(plan));
}

#[test]
fn the_first_of_several_errors_is_reported() {
    let check = |profile, want| assert_eq!(plan_device_work_queue(profile), Err(want));
    // Everything is wrong; one thing after another is put right.
    let mut profile = DeviceWorkQueueProfile {
        initial_items: u64::MAX,
        queue_capacity: 0,
        entry_bytes: 0,
        control_bytes: u64::MAX,
        budget_bytes: 0,
        host_sync: WorkQueueHostSync::HostParticipates,
    };
    check(profile, Error::ZeroCapacity);
    profile.queue_capacity = 1 << 62;
    check(profile, Error::ZeroEntryBytes);
    profile.entry_bytes = 4;
    check(profile, Error::InitialItemsExceedCapacity { initial_items: u64::MAX, queue_capacity: 1 << 62 });
    profile.initial_items = 1 << 62;
    check(profile, Error::HostParticipationRejected);
    profile.host_sync = WorkQueueHostSync::FinalOnly;
    check(profile, Error::ByteCountOverflow { field: "queue_bytes" });
    profile.entry_bytes = 2;
    check(profile, Error::ByteCountOverflow { field: "resident_bytes" });
    profile.control_bytes = (1 << 63) - 1;
    check(profile, Error::OverBudget { required_bytes: u64::MAX, budget_bytes: 0 });
    profile.budget_bytes = u64::MAX;
    assert_eq!(plan_device_work_queue(profile).unwrap().resident_bytes, u64::MAX);
}

#[test]
fn the_budget_is_for_entries_and_control_block_together() {
    let with = |budget_bytes| plan_device_work_queue(DeviceWorkQueueProfile { budget_bytes, ..EXAMPLE });
    assert!(with(16_512).is_ok());
    let error = Error::OverBudget { required_bytes: 16_512, budget_bytes: 16_511 };
    assert_eq!(with(16_511), Err(error));
}

#[test]
fn occupancy_is_exact_near_the_largest_number() {
    assert_eq!(occupancy(u64::MAX, u64::MAX), 10_000);
    // Not full, however little is missing.
    assert_eq!(occupancy(u64::MAX - 1, u64::MAX), 9_999);
    // 2^63 of 2^64 - 1 is a little more than half; one less is a little less.
    assert_eq!(occupancy(1 << 63, u64::MAX), 5_000);
    assert_eq!(occupancy((1 << 63) - 1, u64::MAX), 4_999);
    assert_eq!(occupancy(0, u64::MAX), 0);
    assert_eq!(occupancy(1, 3), 3_333);
}

#[test]
fn windows() {
    let plan = drain(65_536, 8_192);
    assert_eq!((plan.chunks, plan.items_per_chunk, plan.strategy), (8, 8_192, ChunkedResidentDrain));
    // The last of three is shorter.
    let plan = drain(10, 4);
    assert_eq!((plan.chunks, plan.items_per_chunk, plan.strategy), (3, 4, ChunkedResidentDrain));
    for window in [10, 11, u64::MAX] {
        let plan = drain(10, window);
        assert_eq!((plan.chunks, plan.items_per_chunk, plan.strategy), (1, 10, SingleResidentDrain));
    }
    let plan = drain(u64::MAX, 65_536);
    assert_eq!((plan.chunks, plan.items_per_chunk), (281_474_976_710_656, 65_536));
    let plan = drain(u64::MAX, u64::MAX);
    assert_eq!((plan.chunks, plan.items_per_chunk, plan.strategy), (1, u64::MAX, SingleResidentDrain));
    assert_eq!(drain(u64::MAX, 1).chunks, u64::MAX);
}

#[test]
fn a_drain_keeps_the_plan_of_the_memory() {
    let plan = plan_device_work_queue_backpressure(EXAMPLE, 1_000).unwrap();
    assert_eq!(plan.queue, plan_device_work_queue(EXAMPLE).unwrap());
    assert!(plan.final_only_host_sync);
}

#[test]
fn a_window_of_nothing_is_refused_before_all_else() {
    let refused = |profile| plan_device_work_queue_backpressure(profile, 0);
    assert_eq!(refused(EXAMPLE), Err(Error::ZeroDrainChunk));
    assert_eq!(refused(bytes(0, 0)), Err(Error::ZeroDrainChunk));
    assert_eq!(plan_device_work_queue_backpressure(bytes(0, 0), 1), Err(Error::ZeroCapacity));
}

#[test]
fn errors_say_their_numbers_and_what_to_do() {
    let error: Box<dyn std::error::Error> =
        Box::new(Error::OverBudget { required_bytes: 16_512, budget_bytes: 100 });
    let text = error.to_string();
    assert!(text.contains("16512 bytes") && text.contains("100") && text.contains("Fix: "), "{text}");
    let error = BackendError::from(Error::ByteCountOverflow { field: "resident_bytes" });
    assert_eq!(error.code(), "B024");
    assert!(error.to_string().contains("`resident_bytes`"), "{error}");
}
