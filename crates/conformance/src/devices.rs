//! Which devices of a backend a test can have, told where there are none.

use std::io::Write;
use vyre_driver::{AcquirePolicy, explain_selection};

/// The names of all devices of a linked backend, as `vyre_driver::acquire` takes them.
///
/// Where there are none the reason is written to standard error, past what captures the output of tests, and the list
/// is empty.
///
/// # Panics
/// Where there are none and the variable `VYRE_CI` is set: what is skipped there is not tested at all.
pub fn devices(backend: &str) -> Vec<String> {
    let all = explain_selection(&AcquirePolicy::any()).unwrap_or_else(|e| panic!("{e}"));
    let (mut names, mut reasons) = (Vec::new(), Vec::new());
    for candidate in all.into_iter().filter(|candidate| candidate.backend == backend) {
        match candidate.failure {
            Some(failure) => reasons.push(failure.to_string()),
            None => names.push(candidate.id),
        }
    }
    if names.is_empty() {
        let reason = if reasons.is_empty() { "it is not linked".into() } else { reasons.join("; ") };
        assert!(std::env::var_os("VYRE_CI").is_none(), "CI needs a device of `{backend}`: {reason}");
        // Nothing is left to do where there is no standard error.
        let _ = writeln!(std::io::stderr(), "skipped: {backend}: {reason}");
    }
    names.sort();
    names
}
