//! Two backends with one id: an error that names both, whatever is asked for.

mod common;

use common::{Calls, plain};
use vyre_driver::*;

static FIRST: Calls = Calls::new();

fn chip(name: &str, driver: &str) -> Result<Vec<DeviceProfile>, BackendError> {
    let base = plain("twin", DeviceKind::DiscreteGpu);
    Ok(vec![DeviceProfile { name: name.into(), driver: driver.into(), ..base }])
}

inventory::submit! { BackendRegistration { id: "twin", acquire: || FIRST.open(|| chip("Castor", "one 1.0"), 0) } }
inventory::submit! { BackendRegistration { id: "twin", acquire: || FIRST.open(|| chip("Pollux", "two 2.0"), 0) } }
inventory::submit! { BackendRegistration { id: "other", acquire: || FIRST.open(|| chip("other", "3"), 0) } }

#[test]
fn two_backends_with_one_id() {
    let errors = [
        registered_backends().err(),
        acquire("twin").err(),
        acquire("other").err(),
        acquire_preferred_dispatch_backend().err(),
        explain_selection(&AcquirePolicy::any()).err(),
    ];
    for error in errors {
        let error = error.unwrap();
        match &error {
            BackendError::DuplicateId { id, what, registrations } => {
                assert_eq!((*id, *what, registrations.len()), ("twin", "backend", 2));
            }
            other => panic!("{other}"),
        }
        let text = error.to_string();
        for part in ["`twin`", "\"Castor\", driver \"one 1.0\"", "\"Pollux\", driver \"two 2.0\"", "Fix: "] {
            assert!(text.contains(part), "{part}: {text}");
        }
    }
    // Each was asked once for its name, however often that was told.
    assert_eq!(FIRST.take(), (0, vec![0, 0]));
    assert_eq!(registered_backends_by_precedence_slice().len(), 3);
}
