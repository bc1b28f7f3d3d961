//! Opening a device: by name, or the best by what the devices themselves say.
//!
//! Device 0 of a backend has the backend's id as its name, the others have their number behind it: `cuda`, `cuda:1`.

use crate::backend::VyreBackend;
use crate::error::BackendError;
use crate::policy::AcquirePolicy;
use crate::registry::{BackendRegistration, probe, registered_backends, registration};
use crate::survey::{Candidate, Survey};

/// Opens the device of that name: a backend's id, or an id and a number as in `cuda:1`.
///
/// # Errors
/// [`BackendError::NotLinked`] for an unknown id, [`BackendError::Unavailable`] for a number that the backend does not
/// have; a factory's own failure as it is.
pub fn acquire(name: &str) -> Result<Box<dyn VyreBackend>, BackendError> {
    let backends = registered_backends()?;
    if let Some(backend) = registration(name) {
        return open(backend, 0);
    }
    let not_linked =
        || BackendError::NotLinked { id: name.into(), linked: backends.iter().map(|b| b.id).collect() };
    let (id, index) = split(name).ok_or_else(not_linked)?;
    let backend = registration(id).ok_or_else(not_linked)?;
    let devices = match probe(id) {
        Some(probe) => (probe.probe)()?.len(),
        None => 1,
    };
    if index >= devices {
        return Err(BackendError::Unavailable {
            reason: format!("backend `{id}` has no device `{name}`; it has {devices}, counted from 0"),
            fix: format!("Choose one that `vyre devices` lists, or `{id}` for its first one."),
        });
    }
    open(backend, index)
}

/// Opens the best GPU. Software devices, processors and oracles are never chosen here.
pub fn acquire_preferred_dispatch_backend() -> Result<Box<dyn VyreBackend>, BackendError> {
    acquire_by_policy(&AcquirePolicy::gpu())
}

/// Opens the best device that the policy allows, in the order that [`Survey`] states. Only that one is opened, and
/// backends that have no probe.
///
/// # Errors
/// [`BackendError::Unavailable`] with what is wrong with each device, when none can be used.
pub fn acquire_by_policy(policy: &AcquirePolicy) -> Result<Box<dyn VyreBackend>, BackendError> {
    Survey::likely(policy)?.acquire(policy)
}

/// The automatic choice as data: every device with its facts, its place, and the reason. The choice is made as
/// [`acquire_by_policy`] makes it, so what it would open is opened, and then closed; a [`Survey`] keeps it open.
pub fn explain_selection(policy: &AcquirePolicy) -> Result<Vec<Candidate>, BackendError> {
    Ok(Survey::new()?.explain(policy))
}

/// Opens a device of a backend.
pub(crate) fn open(
    backend: &BackendRegistration,
    index: usize,
) -> Result<Box<dyn VyreBackend>, BackendError> {
    match (index, probe(backend.id)) {
        (0, _) => (backend.acquire)(),
        (_, Some(probe)) => (probe.open)(index),
        (_, None) => {
            Err(BackendError::Internal { what: format!("device {index} of one that is not probed") })
        }
    }
}

/// The name of a backend's device of that number.
pub(crate) fn device_name(id: &str, index: usize) -> String {
    if index == 0 { id.into() } else { format!("{id}:{index}") }
}

/// Id and number of a name with a number.
fn split(name: &str) -> Option<(&str, usize)> {
    let (id, number) = name.rsplit_once(':')?;
    let index = number.bytes().all(|b| b.is_ascii_digit()).then(|| number.parse().ok())??;
    Some((id, index))
}
