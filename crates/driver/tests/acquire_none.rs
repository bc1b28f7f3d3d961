//! Nothing is linked: every call says so, and none panics.

use vyre_driver::*;

#[test]
fn nothing_is_linked() {
    assert!(registered_backends().unwrap().is_empty());
    assert!(registered_backends_by_precedence_slice().is_empty());
    assert!(!backend_dispatches("cuda"));
    assert_eq!(backend_precedence("cuda"), u32::MAX);
    let text = acquire("cuda").err().unwrap().to_string();
    assert!(
        text.contains("`cuda`") && text.contains("none is") && text.contains("Fix: Link the crate"),
        "{text}"
    );
    for error in [acquire_preferred_dispatch_backend(), acquire_by_policy(&AcquirePolicy::any())] {
        let error = error.err().unwrap();
        assert!(matches!(error, BackendError::Unavailable { .. }));
        let text = error.to_string();
        assert!(text.contains("no backend is linked") && text.contains("Fix: Link the crate"), "{text}");
    }
    assert!(explain_selection(&AcquirePolicy::any()).unwrap().is_empty());
}
