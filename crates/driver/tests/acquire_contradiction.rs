//! One backend that is said twice, and differently, to dispatch: an error too, not a silent winner.

mod common;

use common::plain;
use vyre_driver::*;

inventory::submit! {
    BackendRegistration { id: "chip", acquire: || Ok(Box::new(common::Fake { profile: plain("chip", DeviceKind::Cpu) })) }
}
inventory::submit! { BackendCapability { id: "chip", dispatches: true } }
inventory::submit! { BackendCapability { id: "chip", dispatches: false } }

#[test]
fn a_backend_that_does_and_does_not_dispatch() {
    let text = acquire("chip").err().unwrap().to_string();
    for part in
        ["2 registrations of a capability", "`chip`", "dispatches: true", "dispatches: false", "Fix: "]
    {
        assert!(text.contains(part), "{part}: {text}");
    }
    backend_dispatches("chip");
}
