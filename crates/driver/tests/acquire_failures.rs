//! Devices that cannot be used, each for its own reason: the error carries all of them.

mod common;

use common::{broken, fake, plain};
use vyre_driver::*;

fake!(ABSENT, "absent", opened || Err(broken("no such chip", "Buy one.")));
fake!(BLIND, "blind", probed || Err(broken("its library is missing", "Install libblind.")));
fake!(EMPTY, "empty", probed || Ok(vec![]));
fake!(
    BUSY,
    "busy",
    probed || Ok(vec![DeviceProfile { supports_f16: true, ..plain("busy", DeviceKind::DiscreteGpu) }]),
    opened || Err(BackendError::OutOfMemory { requested: 7, available: Some(5), what: "the context".into() })
);
fake!(CPU, "cpu", probed || Ok(vec![plain("cpu", DeviceKind::Cpu)]));
inventory::submit! { BackendRegistration { id: "mute", acquire: || unreachable!("it does not dispatch") } }

#[test]
fn every_failure_is_told() {
    let _turn = common::turn();
    let error = acquire_preferred_dispatch_backend().err().unwrap();
    assert!(matches!(error, BackendError::Unavailable { .. }));
    let text = error.to_string();
    for part in [
        "no device that the policy allows can be used",
        "`absent`: no device: no such chip (Buy one)",
        "`blind`: no device: its library is missing (Install libblind)",
        "`empty`: no device: it sees no device",
        "`busy` (discrete GPU): cannot be opened: the context needs 7 bytes of memory and 5 are available",
        "`cpu` (CPU): the policy does not allow a device of kind CPU",
        "`mute`: it does not run programs",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    // Advice is the last thing said.
    assert!(text.rsplit("Fix: ").next().unwrap().contains("acquire a backend by its id"), "{text}");
}

#[test]
fn the_failures_are_data_too() {
    let _turn = common::turn();
    let all = explain_selection(&AcquirePolicy::any()).unwrap();
    let of = |id: &str| all.iter().find(|c| c.id == id).unwrap();
    assert!(matches!(of("busy").failure, Some(BackendError::OutOfMemory { requested: 7, .. })));
    assert!(of("busy").profile.is_some() && of("busy").place.is_none());
    assert!(
        matches!(&of("absent").failure, Some(BackendError::Unavailable { reason, .. }) if reason == "no such chip")
    );
    assert_eq!(of("cpu").place, Some(0));
}

#[test]
fn a_factory_s_own_failure_is_passed_on_whole() {
    let _turn = common::turn();
    match acquire("absent").err().unwrap() {
        BackendError::Unavailable { reason, fix } => {
            assert_eq!((&*reason, &*fix), ("no such chip", "Buy one."))
        }
        other => panic!("{other}"),
    }
    assert!(matches!(
        acquire("busy"),
        Err(BackendError::OutOfMemory { requested: 7, available: Some(5), .. })
    ));
    assert!(
        matches!(acquire("blind:1"), Err(BackendError::Unavailable { reason, .. }) if reason.contains("library"))
    );
}
