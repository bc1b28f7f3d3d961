//! What is probed, what is opened, and how often. Each scenario has devices of its own, told apart by a feature that
//! gives no points and that its policy requires.

mod common;

use common::{broken, fake, places, plain};
use vyre_driver::*;

fn gpu(backend: &'static str) -> DeviceProfile {
    plain(backend, DeviceKind::DiscreteGpu)
}

/// Three devices, the last one the best.
fn three() -> Result<Vec<DeviceProfile>, BackendError> {
    let device = |points| DeviceProfile { supports_f64: true, supports_f16: points, ..gpu("three") };
    Ok(vec![device(false), device(false), device(true)])
}
fake!(THREE, "three", probed three);
fake!(LESSER, "lesser", probed || Ok(vec![DeviceProfile { supports_f64: true, ..gpu("lesser") }]));

// Promises most and cannot be opened; promises second most and has least; keeps what it promises.
fake!(
    FLAKY,
    "flaky",
    probed || Ok(vec![DeviceProfile { supports_i64: true, supports_tensor_cores: true, ..gpu("flaky") }]),
    opened || Err(broken("the driver is too old", "Update it."))
);
fake!(
    BOASTER,
    "boaster",
    probed
        || Ok(vec![DeviceProfile {
            supports_i64: true,
            supports_f16: true,
            supports_bf16: true,
            ..gpu("boaster")
        }]),
    opened || Ok(vec![DeviceProfile { supports_i64: true, ..gpu("boaster") }])
);
fake!(
    HONEST,
    "honest",
    probed || Ok(vec![DeviceProfile { supports_i64: true, supports_f16: true, ..gpu("honest") }])
);

// The best has no probe.
fake!(
    OPENED,
    "opened",
    opened || Ok(vec![DeviceProfile { supports_grid_sync: true, supports_f16: true, ..gpu("opened") }])
);
fake!(PROBED, "probed", probed || Ok(vec![DeviceProfile { supports_grid_sync: true, ..gpu("probed") }]));

// Turns out not to be what the policy allows.
fake!(
    MASKED,
    "masked",
    probed || Ok(vec![DeviceProfile { supports_distributed: true, supports_f16: true, ..gpu("masked") }]),
    opened || Ok(vec![DeviceProfile { supports_distributed: true, ..plain("masked", DeviceKind::Software) }])
);
fake!(REAL, "real", probed || Ok(vec![DeviceProfile { supports_distributed: true, ..gpu("real") }]));

fn require(require: DeviceRequirements) -> AcquirePolicy {
    for calls in [&THREE, &LESSER, &FLAKY, &BOASTER, &HONEST, &OPENED, &PROBED, &MASKED, &REAL] {
        calls.take();
    }
    AcquirePolicy { require, ..AcquirePolicy::gpu() }
}

#[test]
fn only_the_best_device_is_opened() {
    let _turn = common::turn();
    let policy = require(DeviceRequirements { supports_f64: true, ..Default::default() });
    assert!(acquire_by_policy(&policy).unwrap().profile().supports_f16);
    assert_eq!(THREE.take(), (1, vec![2]));
    assert_eq!(LESSER.take(), (1, vec![]));
    let all = explain_selection(&policy).unwrap();
    assert_eq!(places(&all)[0], "three:2");
    assert!(all[0].probe_ns.is_some() && all[0].open_ns.is_some());
    assert!(all[1].probe_ns.is_some() && all[1].open_ns.is_none());
    // What counts is what was measured for all of them alike.
    assert_eq!(all[0].acquire_ns(), all[0].probe_ns.unwrap());
    // Devices that are not in the running are not opened, except those that cannot be asked otherwise.
    assert_eq!((FLAKY.take(), OPENED.take()), ((2, vec![]), (0, vec![0, 0])));
}

#[test]
fn a_device_that_fails_or_disappoints_gives_way() {
    let _turn = common::turn();
    let policy = require(DeviceRequirements { supports_i64: true, ..Default::default() });
    assert_eq!(acquire_by_policy(&policy).unwrap().id(), "honest");
    assert_eq!([FLAKY.take(), BOASTER.take(), HONEST.take()], [(1, vec![0]), (1, vec![0]), (1, vec![0])]);
    let all = explain_selection(&policy).unwrap();
    assert_eq!(places(&all), ["honest", "boaster"]);
    // The scored profile is the real device's: 16 for storage, 8 for 64 invocations.
    assert_eq!(all[1].profile.as_ref().unwrap().capability_score(), 24);
    assert_eq!(all[1].reason, "`honest` has a higher capability score: 26, this has 24");
    let flaky = all.iter().find(|c| c.id == "flaky").unwrap();
    assert_eq!(flaky.reason, "cannot be opened: the driver is too old (Update it)");
    assert!(flaky.failure.is_some() && flaky.profile.is_some());
}

#[test]
fn a_winner_without_a_probe_is_the_one_that_was_opened() {
    let _turn = common::turn();
    let policy = require(DeviceRequirements { supports_grid_sync: true, ..Default::default() });
    assert_eq!(acquire_by_policy(&policy).unwrap().id(), "opened");
    assert_eq!([OPENED.take(), PROBED.take()], [(0, vec![0]), (1, vec![])]);
    let all = explain_selection(&policy).unwrap();
    assert_eq!((all[0].probe_ns, Some(all[0].acquire_ns())), (None, all[0].open_ns));
}

#[test]
fn the_opened_device_must_be_allowed_too() {
    let _turn = common::turn();
    let policy = require(DeviceRequirements { supports_distributed: true, ..Default::default() });
    assert_eq!(acquire_by_policy(&policy).unwrap().id(), "real");
    assert_eq!([MASKED.take().1, REAL.take().1], [vec![0], vec![0]]);
}

#[test]
fn a_survey_serves_several_decisions() {
    let _turn = common::turn();
    let policy = require(DeviceRequirements { supports_f64: true, ..Default::default() });
    let mut survey = Survey::new().unwrap();
    let others = DeviceRequirements { supports_i64: true, ..Default::default() };
    let others = AcquirePolicy { require: others, ..AcquirePolicy::any() };
    assert_eq!(places(&survey.explain(&others))[0], "honest");
    assert_eq!(places(&survey.explain(&policy))[0], "three:2");
    assert_eq!(survey.acquire(&policy).unwrap().id(), "three");
    assert_eq!((THREE.take(), OPENED.take()), ((1, vec![2]), (0, vec![0])));
}

#[test]
fn devices_are_opened_by_name() {
    let _turn = common::turn();
    require(DeviceRequirements::default());
    acquire("three").unwrap();
    assert_eq!(THREE.take(), (0, vec![0]));
    assert!(acquire("three:2").unwrap().profile().supports_f16);
    assert_eq!(THREE.take().1, [2]);
    acquire("three:0").unwrap();
    assert_eq!(THREE.take().1, [0]);
    for (name, devices) in
        [("three:3", "has 3"), ("opened:1", "has 1"), ("three:18446744073709551615", "has 3")]
    {
        let text = acquire(name).err().unwrap().to_string();
        for part in [name, devices, "Fix: "] {
            assert!(text.contains(part), "{part}: {text}");
        }
    }
    for name in [
        "four:1",
        "three:x",
        "three:+1",
        "three:-1",
        "three:",
        ":1",
        "",
        ":",
        "three:1:1",
        "three:99999999999999999999",
    ] {
        let error = acquire(name).err().unwrap();
        assert!(matches!(&error, BackendError::NotLinked { id, .. } if id == name), "{error}");
        assert!(error.to_string().contains("boaster, flaky, honest"), "{error}");
    }
    assert_eq!((THREE.take().1, OPENED.take().1), (vec![], vec![]));
}
