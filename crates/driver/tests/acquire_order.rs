//! The order of the automatic choice, key by key. Of the two devices of a key the one that should win is better in that
//! key and worse in all later ones; a feature that gives no points says which key a device is for.

mod common;

use common::{fake, places, plain};
use std::time::{Duration, Instant};
use vyre_driver::*;

fn gpu(backend: &'static str) -> DeviceProfile {
    plain(backend, DeviceKind::DiscreteGpu)
}

fn one(profile: DeviceProfile) -> Result<Vec<DeviceProfile>, BackendError> {
    Ok(vec![profile])
}

/// Takes longer to open than those that should be quicker.
fn slowly(profile: DeviceProfile) -> Result<Vec<DeviceProfile>, BackendError> {
    let start = Instant::now();
    while start.elapsed() < Duration::from_millis(10) {
        std::thread::yield_now();
    }
    one(profile)
}

macro_rules! rank {
    ($($id:literal $rank:literal)*) => { $(inventory::submit! { BackendPrecedence { id: $id, rank: $rank } })* };
}

const BETTER: TimingQuality = TimingQuality::HostEnqueueWait;

// 1: two points more, and all else worse.
fake!(
    A1,
    "a1",
    opened
        || one(DeviceProfile {
            supports_f64: true,
            timing_quality: BETTER,
            mem_bw_gbps: Some(9.0),
            ..gpu("a1")
        })
);
fake!(Z1, "z1", opened || slowly(DeviceProfile { supports_f64: true, supports_f16: true, ..gpu("z1") }));
rank!("a1" 1 "z1" 2);
// 2: better timing.
fake!(A2, "a2", opened || one(DeviceProfile { supports_i64: true, mem_bw_gbps: Some(9.0), ..gpu("a2") }));
fake!(Z2, "z2", opened || slowly(DeviceProfile { supports_i64: true, timing_quality: BETTER, ..gpu("z2") }));
rank!("a2" 1 "z2" 2);
// 3: more bandwidth. Not measured, not a number and below 0 are as good as 0.
fake!(
    A3,
    "a3",
    opened || one(DeviceProfile { supports_grid_sync: true, mem_bw_gbps: Some(10.0), ..gpu("a3") })
);
fake!(
    B3,
    "b3",
    opened || one(DeviceProfile { supports_grid_sync: true, mem_bw_gbps: Some(f32::NAN), ..gpu("b3") })
);
fake!(
    C3,
    "c3",
    opened || one(DeviceProfile { supports_grid_sync: true, mem_bw_gbps: Some(-1.0), ..gpu("c3") })
);
fake!(D3, "d3", opened || one(DeviceProfile { supports_grid_sync: true, ..gpu("d3") }));
fake!(
    Z3,
    "z3",
    opened || slowly(DeviceProfile { supports_grid_sync: true, mem_bw_gbps: Some(10.5), ..gpu("z3") })
);
rank!("a3" 1 "b3" 2 "c3" 3 "d3" 4 "z3" 5);
// 4: a lower rank; none is the last.
fake!(A4, "a4", opened || one(DeviceProfile { supports_async_compute: true, ..gpu("a4") }));
fake!(M4, "m4", opened || one(DeviceProfile { supports_async_compute: true, ..gpu("m4") }));
fake!(Z4, "z4", opened || slowly(DeviceProfile { supports_async_compute: true, ..gpu("z4") }));
rank!("m4" 8 "z4" 7);
// 5: a shorter time to open.
fake!(A5, "a5", opened || slowly(DeviceProfile { supports_persistent_threads: true, ..gpu("a5") }));
fake!(Z5, "z5", opened || one(DeviceProfile { supports_persistent_threads: true, ..gpu("z5") }));
// 6: the id; devices of one backend are measured together, and numbers are compared as numbers.
fn twelve() -> Result<Vec<DeviceProfile>, BackendError> {
    Ok(vec![DeviceProfile { supports_distributed: true, ..gpu("six") }; 12])
}
fake!(SIX, "six", probed twelve);

fn by(require: DeviceRequirements) -> Vec<Candidate> {
    let _turn = common::turn();
    let policy = AcquirePolicy { require, ..AcquirePolicy::gpu() };
    let candidates = explain_selection(&policy).unwrap();
    let chosen = candidates.iter().find(|c| c.place == Some(0)).unwrap();
    assert_eq!(acquire_by_policy(&policy).unwrap().id(), chosen.backend);
    candidates
}

#[test]
fn capability_score_is_first() {
    let all = by(DeviceRequirements { supports_f64: true, ..Default::default() });
    assert_eq!(places(&all), ["z1", "a1"]);
    assert_eq!(all[1].reason, "`z1` has a higher capability score: 26, this has 24");
}

#[test]
fn timing_quality_is_second() {
    let all = by(DeviceRequirements { supports_i64: true, ..Default::default() });
    assert_eq!(places(&all), ["z2", "a2"]);
    assert_eq!(all[1].reason, "`z2` has better timing: host enqueue and wait, this has host only");
}

#[test]
fn memory_bandwidth_is_third() {
    let all = by(DeviceRequirements { supports_grid_sync: true, ..Default::default() });
    assert_eq!(places(&all), ["z3", "a3", "b3", "c3", "d3"]);
    assert_eq!(all[1].reason, "`z3` has more memory bandwidth: 10.5 GB/s, this has 10");
}

#[test]
fn rank_is_fourth() {
    let all = by(DeviceRequirements { supports_async_compute: true, ..Default::default() });
    assert_eq!(places(&all), ["z4", "m4", "a4"]);
    assert_eq!(all[1].reason, "`z4` has a lower rank: 7, this has 8");
    assert_eq!(all[2].reason, "`z4` has a lower rank: 7, this has none");
    assert_eq!((all[0].precedence, all[2].precedence), (7, u32::MAX));
}

#[test]
fn measured_time_is_fifth() {
    let all = by(DeviceRequirements { supports_persistent_threads: true, ..Default::default() });
    assert_eq!(places(&all), ["z5", "a5"]);
    assert!(all[0].acquire_ns() < all[1].acquire_ns());
    assert!(all[1].reason.starts_with("`z5` took less time: "), "{}", all[1].reason);
}

#[test]
fn the_id_is_last() {
    let all = by(DeviceRequirements { supports_distributed: true, ..Default::default() });
    let expected =
        ["six", "six:1", "six:2", "six:3", "six:4", "six:5", "six:6", "six:7", "six:8", "six:9", "six:10"];
    assert_eq!(places(&all)[..11], expected);
    assert_eq!(all[1].reason, "`six` is equal in all, and first by name");
}

#[test]
fn the_score_is_the_sum_of_its_items() {
    // Every feature and limit alone, by the contract's table.
    let base = || {
        let nothing = Limits { storage_binding_bytes: 0, invocations_per_workgroup: 63, ..gpu("x").limits };
        DeviceProfile { limits: nothing, ..gpu("x") }
    };
    let with = |change: fn(&mut DeviceProfile)| {
        let mut profile = base();
        change(&mut profile);
        profile.capability_score()
    };
    assert_eq!(with(|_| {}), 0);
    assert_eq!(with(|p| p.limits.storage_binding_bytes = 1), 16);
    assert_eq!(with(|p| p.limits.invocations_per_workgroup = 64), 8);
    assert_eq!(with(|p| p.limits.invocations_per_workgroup = 255), 8);
    assert_eq!(with(|p| p.limits.invocations_per_workgroup = 256), 12);
    assert_eq!(with(|p| p.subgroup_size = 1), 8);
    assert_eq!(with(|p| p.supports_subgroup_ops = true), 8);
    assert_eq!(with(|p| p.supports_subgroup_shuffle = true), 4);
    assert_eq!(with(|p| p.limits.workgroup_memory_bytes = 1), 4);
    assert_eq!(with(|p| p.supports_f16 = true), 2);
    assert_eq!(with(|p| p.supports_bf16 = true), 2);
    assert_eq!(with(|p| p.supports_tensor_cores = true), 4);
    assert_eq!(with(|p| p.supports_indirect_dispatch = true), 2);
    assert_eq!(with(|p| p.supports_device_timestamps = true), 2);
    assert_eq!(with(|p| p.supports_hardware_counters = true), 2);
    let others: fn(&mut DeviceProfile) = |p| {
        p.supports_f64 = true;
        p.supports_i64 = true;
        p.supports_async_compute = true;
        p.supports_persistent_threads = true;
        p.supports_grid_sync = true;
        p.supports_distributed = true;
        p.mem_bw_gbps = Some(1.0);
        p.compute_units = 1000;
    };
    assert_eq!(with(others), 0);
    let qualities = [
        TimingQuality::HostOnly,
        TimingQuality::HostEnqueueWait,
        TimingQuality::DeviceTimestamps,
        TimingQuality::HardwareCounters,
    ];
    assert_eq!(qualities.map(|q| q as u8), [0, 1, 2, 3]);
}
