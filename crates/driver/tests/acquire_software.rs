//! Software that plays a GPU, next to a processor and a GPU: it has more features than either, and is taken last.

mod common;

use common::{fake, places, plain};
use vyre_driver::*;

fn cpu() -> DeviceProfile {
    DeviceProfile { supports_cancel: true, ..plain("cpu", DeviceKind::Cpu) }
}

/// What a Vulkan driver in software has that a processor does not: 6 points more.
fn software() -> DeviceProfile {
    DeviceProfile {
        supports_f64: true,
        supports_f16: true,
        supports_indirect_dispatch: true,
        supports_device_timestamps: true,
        timing_quality: TimingQuality::DeviceTimestamps,
        ..plain("many", DeviceKind::Software)
    }
}

/// The first device of this backend is the software, the second one the GPU.
fn many() -> Result<Vec<DeviceProfile>, BackendError> {
    Ok(vec![software(), DeviceProfile { supports_i64: true, ..plain("many", DeviceKind::DiscreteGpu) }])
}

fake!(CPU, "cpu", probed || Ok(vec![cpu()]));
fake!(MANY, "many", probed many);
inventory::submit! { BackendPrecedence { id: "cpu", rank: 100 } }
inventory::submit! { BackendPrecedence { id: "many", rank: 10 } }

fn explained(policy: &AcquirePolicy) -> Vec<Candidate> {
    let _turn = common::turn();
    for calls in [&CPU, &MANY] {
        calls.take();
    }
    explain_selection(policy).unwrap()
}

#[test]
fn hardware_comes_first() {
    let all = explained(&AcquirePolicy::any());
    // Of equal scores the rank decides between GPU and processor.
    assert_eq!(places(&all), ["many:1", "cpu", "many"]);
    assert_eq!(all[1].reason, "`many:1` has a lower rank: 10, this has 100");
    assert_eq!(all[2].reason, "`many:1` is preferred by the policy, as hardware");
    assert_eq!([CPU.take().1, MANY.take().1], [vec![], vec![1]]);
}

#[test]
fn a_processor_comes_before_software_that_has_more() {
    let kinds = vec![DeviceKind::Cpu, DeviceKind::Software];
    let all = explained(&AcquirePolicy { kinds: kinds.clone(), ..AcquirePolicy::any() });
    assert_eq!(places(&all), ["cpu", "many"]);
    assert_eq!(all[1].reason, "`cpu` is preferred by the policy, as hardware");
    // A policy of one's own prefers nothing of itself.
    let all = explained(&AcquirePolicy { kinds, ..AcquirePolicy::gpu() });
    assert_eq!(places(&all), ["many", "cpu"]);
    assert_eq!(all[1].reason, "`many` has a higher capability score: 30, this has 24");
}

#[test]
fn software_is_taken_where_nothing_else_can_run_the_program() {
    let require = DeviceRequirements { supports_f64: true, ..Default::default() };
    let all = explained(&AcquirePolicy { require: require.clone(), ..AcquirePolicy::any() });
    assert_eq!(places(&all), ["many"]);
    let reasons: Vec<&str> = all[1..].iter().map(|c| c.reason.as_str()).collect();
    assert_eq!(reasons, ["it lacks what is needed: f64: wanted, and it has none"; 2]);
    // By the default it is not taken all the same, and what is said tells the two devices apart.
    let text =
        acquire_by_policy(&AcquirePolicy { require, ..AcquirePolicy::gpu() }).err().unwrap().to_string();
    for part in [
        "no device that the policy allows can be used",
        "`many` (software): the policy does not allow a device of kind software",
        "`many:1` (discrete GPU): it lacks what is needed: f64",
        "Fix: ",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[test]
fn the_default_takes_the_gpu_behind_the_software() {
    let all = explained(&AcquirePolicy::default());
    assert_eq!(places(&all), ["many:1"]);
    assert_eq!(acquire_preferred_dispatch_backend().unwrap().profile().kind, DeviceKind::DiscreteGpu);
}
