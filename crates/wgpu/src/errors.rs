//! What wgpu reports, as errors.
//!
//! wgpu calls a device's error handler on the thread whose call went wrong, before that call returns. So the handler
//! keeps what it is told for its thread, and [`check`] asks after the calls: that costs nothing when nothing is wrong,
//! unlike wgpu's scopes. Calls of it may be inside each other.

use std::cell::RefCell;
use vyre_driver::BackendError;
use wgpu::{Device, Error};

thread_local! {
    /// The first error since the last look.
    static SEEN: RefCell<Option<Error>> = const { RefCell::new(None) };
}

/// Has the device's errors kept for [`check`].
pub fn keep(device: &Device) {
    device.on_uncaptured_error(std::sync::Arc::new(|error| {
        SEEN.with_borrow_mut(|seen| {
            seen.get_or_insert(error);
        });
    }));
}

/// What `calls` give, if wgpu has nothing against them.
///
/// # Errors
/// [`BackendError::OutOfMemory`] for `bytes` of `what`; [`BackendError::Internal`] with wgpu's words.
pub fn check<T>(what: &str, bytes: u64, calls: impl FnOnce() -> T) -> Result<T, BackendError> {
    let before = SEEN.take();
    let value = calls();
    match SEEN.replace(before) {
        None => Ok(value),
        Some(Error::OutOfMemory { .. }) => {
            Err(BackendError::OutOfMemory { requested: bytes, available: None, what: what.into() })
        }
        Some(Error::Validation { description, .. } | Error::Internal { description, .. }) => {
            Err(BackendError::Internal { what: format!("{what}: {}", one_line(&description)) })
        }
    }
}

/// wgpu's trees of causes in one line.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
