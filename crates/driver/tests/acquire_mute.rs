//! Backends are linked, and none of them runs programs: the error says that, and none of them is opened.

mod common;

use common::{Calls, plain};
use vyre_driver::*;

static CALLS: Calls = Calls::new();

inventory::submit! { BackendRegistration { id: "mute", acquire: || CALLS.open(|| Ok(vec![gpu()]), 0) } }
inventory::submit! { BackendRegistration { id: "denied", acquire: || CALLS.open(|| Ok(vec![gpu()]), 0) } }
inventory::submit! { BackendCapability { id: "denied", dispatches: false } }
// Says something of a backend that is not linked.
inventory::submit! { BackendCapability { id: "elsewhere", dispatches: true } }

fn gpu() -> DeviceProfile {
    plain("mute", DeviceKind::DiscreteGpu)
}

#[test]
fn nothing_that_dispatches_is_linked() {
    let text = acquire_preferred_dispatch_backend().err().unwrap().to_string();
    for part in ["no backend that runs programs is linked", "`mute`", "`denied`", "Fix: Link the crate"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let all = explain_selection(&AcquirePolicy::any()).unwrap();
    assert_eq!(all.len(), 2);
    for candidate in &all {
        assert_eq!(candidate.reason, "it does not run programs");
        assert!(candidate.place.is_none() && candidate.profile.is_none() && !candidate.dispatches);
    }
    assert_eq!(CALLS.take(), (0, vec![]));
    // By name it can be opened all the same.
    assert_eq!(acquire("mute").unwrap().id(), "mute");
    assert_eq!(acquire("elsewhere").err().unwrap().code().name(), "D001");
}
