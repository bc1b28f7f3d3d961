//! A backend that has only software here is not probed while something better is there; and is when it matters.

mod common;

use common::plain;
use std::sync::atomic::{AtomicBool, Ordering};
use vyre_driver::*;

/// Whether the processor is there.
static WORKS: AtomicBool = AtomicBool::new(true);

static CPU: common::Calls = common::Calls::new();
inventory::submit! { BackendRegistration { id: "cpu", acquire: || CPU.open(processor, 0) } }
inventory::submit! { BackendCapability { id: "cpu", dispatches: true } }
// Seen, whether or not it can be opened.
inventory::submit! {
    BackendProbe {
        id: "cpu",
        probe: || CPU.probe(|| Ok(vec![plain("cpu", DeviceKind::Cpu)])),
        hardware: || true,
        open: |i| CPU.open(processor, i),
    }
}

static SOFT: common::Calls = common::Calls::new();
inventory::submit! { BackendRegistration { id: "soft", acquire: || SOFT.open(software, 0) } }
inventory::submit! { BackendCapability { id: "soft", dispatches: true } }
inventory::submit! {
    BackendProbe {
        id: "soft",
        probe: || SOFT.probe(software),
        hardware: || false,
        open: |i| SOFT.open(software, i),
    }
}

fn processor() -> Result<Vec<DeviceProfile>, BackendError> {
    match WORKS.load(Ordering::SeqCst) {
        true => Ok(vec![plain("cpu", DeviceKind::Cpu)]),
        false => Err(BackendError::Unavailable { reason: "it is on fire".into(), fix: "Run.".into() }),
    }
}

/// Better than the processor in all that is compared.
fn software() -> Result<Vec<DeviceProfile>, BackendError> {
    let profile = plain("soft", DeviceKind::Software);
    Ok(vec![DeviceProfile { supports_f16: true, supports_device_timestamps: true, ..profile }])
}

/// What a policy chooses, and how often the software was probed for that.
fn chosen(policy: &AcquirePolicy) -> (&'static str, usize) {
    SOFT.take();
    (acquire_by_policy(policy).unwrap().id(), SOFT.take().0)
}

// One test, since what was probed is counted.
#[test]
fn software_is_asked_only_when_it_could_be_chosen() {
    let any = AcquirePolicy::any();
    assert_eq!(chosen(&any), ("cpu", 0));
    assert_eq!(chosen(&AcquirePolicy { prefer: Vec::new(), ..any.clone() }), ("soft", 1));
    let prefer = vec![Preference::Device("soft:1".into()), Preference::Device("soft".into())];
    assert_eq!(chosen(&AcquirePolicy { prefer, ..any.clone() }), ("soft", 1));
    let prefer = vec![Preference::Device("cpu".into()), Preference::Kind(DeviceKind::Software)];
    assert_eq!(chosen(&AcquirePolicy { prefer, ..any.clone() }), ("cpu", 0));
    let require = DeviceRequirements { supports_f16: true, ..Default::default() };
    assert_eq!(chosen(&AcquirePolicy { require, ..any.clone() }), ("soft", 1));
    assert_eq!(explain_selection(&any).unwrap().len(), 2);
    assert_eq!(acquire("soft").unwrap().id(), "soft");
    WORKS.store(false, Ordering::SeqCst);
    assert_eq!(chosen(&any), ("soft", 1));
}
