//! Opening a backend: by id, or the best by what the devices themselves say.

use crate::backend::VyreBackend;
use crate::error::BackendError;
use crate::profile::{DeviceKind, DeviceProfile};
use crate::registry::{backend_dispatches, backend_precedence, registered_backends};
use std::cmp::Reverse;
use std::time::Instant;

/// Which devices may be chosen.
#[derive(Clone, Debug)]
pub struct AcquirePolicy {
    /// The kinds of device that may be chosen. An oracle is never chosen, whatever stands here.
    pub kinds: Vec<DeviceKind>,
}

impl AcquirePolicy {
    /// Real graphics hardware only.
    pub fn gpu() -> AcquirePolicy {
        AcquirePolicy { kinds: DeviceKind::GPU.to_vec() }
    }
    /// Anything that runs programs, except oracles.
    pub fn any() -> AcquirePolicy {
        AcquirePolicy { kinds: DeviceKind::ALL.to_vec() }
    }
}

/// One backend in an automatic choice: what was found and what became of it.
pub struct Candidate {
    /// The backend's id.
    pub id: &'static str,
    /// The device, or why it could not be opened.
    pub profile: Result<DeviceProfile, BackendError>,
    /// Nanoseconds it took to open.
    pub acquire_ns: u64,
    /// Its place in the order, 0 the chosen one; `None` when it may not be chosen.
    pub place: Option<usize>,
    /// Why it was or was not chosen.
    pub reason: String,
}

/// Opens the backend of that id.
///
/// # Errors
/// [`BackendError::NotLinked`] for an unknown id; a factory's own failure as it is.
pub fn acquire(id: &str) -> Result<Box<dyn VyreBackend>, BackendError> {
    let backends = registered_backends()?;
    match backends.iter().find(|b| b.id == id) {
        Some(backend) => (backend.acquire)(),
        None => {
            Err(BackendError::NotLinked { id: id.into(), linked: backends.iter().map(|b| b.id).collect() })
        }
    }
}

/// Opens the best GPU. Software devices, processors and oracles are never chosen here.
pub fn acquire_preferred_dispatch_backend() -> Result<Box<dyn VyreBackend>, BackendError> {
    acquire_by_policy(&AcquirePolicy::gpu())
}

/// Opens the best device that the policy allows.
///
/// The order: capability score, timing quality, memory bandwidth (all descending), rank, time to open, id.
pub fn acquire_by_policy(policy: &AcquirePolicy) -> Result<Box<dyn VyreBackend>, BackendError> {
    let mut opened = survey(policy)?;
    match opened.iter().position(|(candidate, _)| candidate.place == Some(0)) {
        Some(best) => Ok(opened.swap_remove(best).1.expect("a candidate with a place was opened")),
        None => Err(BackendError::Unavailable {
            reason: refusals(&opened),
            fix: "Install a driver for the device, allow more kinds of device in the policy, or acquire a \
                  backend by its id."
                .into(),
        }),
    }
}

/// The automatic choice as data: every linked backend with its facts, its place, and the reason.
pub fn explain_selection(policy: &AcquirePolicy) -> Result<Vec<Candidate>, BackendError> {
    Ok(survey(policy)?.into_iter().map(|(candidate, _)| candidate).collect())
}

type Surveyed = (Candidate, Option<Box<dyn VyreBackend>>);

/// Opens every candidate once and orders them.
fn survey(policy: &AcquirePolicy) -> Result<Vec<Surveyed>, BackendError> {
    let mut all: Vec<Surveyed> = Vec::new();
    for registration in registered_backends()? {
        let start = Instant::now();
        let backend = (registration.acquire)();
        let acquire_ns = start.elapsed().as_nanos() as u64;
        let (profile, backend) = match backend {
            Ok(backend) => (Ok(backend.profile().clone()), Some(backend)),
            Err(error) => (Err(error), None),
        };
        let reason = match &profile {
            Err(error) => error.to_string(),
            Ok(_) if !backend_dispatches(registration.id) => "it does not run programs".into(),
            Ok(p) if p.kind == DeviceKind::Oracle => "an oracle is only used when named".into(),
            Ok(p) if !policy.kinds.contains(&p.kind) => {
                format!("the policy does not allow a device of kind {}", p.kind.name())
            }
            Ok(_) => String::new(),
        };
        let candidate = Candidate { id: registration.id, profile, acquire_ns, place: None, reason };
        all.push((candidate, backend));
    }
    all.sort_by(|(a, _), (b, _)| order(a).partial_cmp(&order(b)).expect("no key is a NaN"));
    let usable = all.iter_mut().filter(|(c, _)| c.reason.is_empty());
    for (place, (candidate, _)) in usable.enumerate() {
        candidate.place = Some(place);
        candidate.reason =
            if place == 0 { "first in the order".into() } else { "another device is ahead".into() };
    }
    Ok(all)
}

/// The sort key: usable first, then the documented order.
fn order(c: &Candidate) -> impl PartialOrd + use<> {
    let p = c.profile.as_ref().ok();
    let bandwidth = p.and_then(|p| p.mem_bw_gbps).filter(|b| !b.is_nan()).unwrap_or(0.0);
    (
        !c.reason.is_empty(),
        Reverse(p.map_or(0, DeviceProfile::capability_score)),
        Reverse(p.map(|p| p.timing_quality)),
        -bandwidth,
        backend_precedence(c.id),
        c.acquire_ns,
        c.id,
    )
}

fn refusals(all: &[Surveyed]) -> String {
    if all.is_empty() {
        return "no backend is linked".into();
    }
    let each: Vec<String> = all.iter().map(|(c, _)| format!("`{}`: {}", c.id, c.reason)).collect();
    format!("no device that the policy allows is usable: {}", each.join("; "))
}
