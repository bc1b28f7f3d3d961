//! Backends register at link time in four streams keyed by their id. Each stream is walked once; after that a lookup
//! reads a frozen table without a lock.

use crate::backend::VyreBackend;
use crate::error::BackendError;
use crate::profile::DeviceProfile;
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;
use std::sync::OnceLock;

/// A backend and how to open it.
pub struct BackendRegistration {
    /// The stable id.
    pub id: &'static str,
    /// Opens the backend's device 0. Nothing happens before it is called.
    pub acquire: fn() -> Result<Box<dyn VyreBackend>, BackendError>,
}

/// How to learn what devices a backend has without opening one. A backend that opens quickly needs none: it is then
/// opened to be asked, and has one device.
pub struct BackendProbe {
    /// The backend's id.
    pub id: &'static str,
    /// What each device is, in the order of their numbers. It says what the opened device says: a device that turns
    /// out to be less than it promised may be opened only to be dropped.
    pub probe: fn() -> Result<Vec<DeviceProfile>, BackendError>,
    /// Whether the machine may have devices of the backend that are not made of software. It is asked before the probe,
    /// and takes no time that matters; if in doubt it says yes.
    pub hardware: fn() -> bool,
    /// Opens the device of that number, 1 or above. Device 0 is [`BackendRegistration::acquire`]'s.
    pub open: fn(usize) -> Result<Box<dyn VyreBackend>, BackendError>,
}

/// Whether a backend can run programs.
pub struct BackendCapability {
    /// The backend's id.
    pub id: &'static str,
    /// Whether it dispatches.
    pub dispatches: bool,
}

/// Where a backend stands when all else is equal; lower is earlier.
pub struct BackendPrecedence {
    /// The backend's id.
    pub id: &'static str,
    /// Its rank.
    pub rank: u32,
}

inventory::collect!(BackendRegistration);
inventory::collect!(BackendProbe);
inventory::collect!(BackendCapability);
inventory::collect!(BackendPrecedence);

/// What the streams say of one id.
struct Entry {
    registration: Option<&'static BackendRegistration>,
    probe: Option<&'static BackendProbe>,
    dispatches: bool,
    rank: u32,
}

struct Tables {
    /// By id. A hash of a few multiplications: a lookup takes less than 20 ns however many are linked
    /// (`examples/lookups.rs`), where a binary search takes several times that.
    entries: FxHashMap<&'static str, Entry>,
    /// By rank, then id.
    ordered: Vec<&'static BackendRegistration>,
}

fn tables() -> &'static Tables {
    static TABLES: OnceLock<Tables> = OnceLock::new();
    TABLES.get_or_init(|| {
        let mut found = FxHashMap::default();
        // Where an id comes twice, something is kept for the lookups that cannot fail; `registered_backends` refuses it.
        for registration in inventory::iter::<BackendRegistration> {
            entry(&mut found, registration.id).registration.get_or_insert(registration);
        }
        for probe in inventory::iter::<BackendProbe> {
            entry(&mut found, probe.id).probe.get_or_insert(probe);
        }
        for capability in inventory::iter::<BackendCapability> {
            entry(&mut found, capability.id).dispatches |= capability.dispatches;
        }
        for precedence in inventory::iter::<BackendPrecedence> {
            let entry = entry(&mut found, precedence.id);
            entry.rank = entry.rank.min(precedence.rank);
        }
        let mut ordered: Vec<_> = inventory::iter::<BackendRegistration>.into_iter().collect();
        ordered.sort_by_key(|r| (found[r.id].rank, r.id));
        Tables { entries: found, ordered }
    })
}

fn entry<'a>(found: &'a mut FxHashMap<&'static str, Entry>, id: &'static str) -> &'a mut Entry {
    found.entry(id).or_insert(Entry { registration: None, probe: None, dispatches: false, rank: u32::MAX })
}

fn find(id: &str) -> Option<&'static Entry> {
    tables().entries.get(id)
}

/// Every linked backend, by rank, then id.
///
/// # Errors
/// [`BackendError::DuplicateId`] when anything is registered twice under one id. To name them, backends of one id are
/// opened once, to hear what they say of themselves.
pub fn registered_backends() -> Result<&'static [&'static BackendRegistration], BackendError> {
    static DUPLICATE: OnceLock<Option<BackendError>> = OnceLock::new();
    match DUPLICATE.get_or_init(duplicate) {
        Some(error) => Err(error.clone()),
        None => Ok(registered_backends_by_precedence_slice()),
    }
}

/// Every registration, by rank, then id; those without a rank last.
pub fn registered_backends_by_precedence_slice() -> &'static [&'static BackendRegistration] {
    &tables().ordered
}

/// Whether the backend runs programs; false for an unknown id.
pub fn backend_dispatches(id: &str) -> bool {
    find(id).is_some_and(|entry| entry.dispatches)
}

/// The backend's rank; `u32::MAX` for an unknown id or one without a rank.
pub fn backend_precedence(id: &str) -> u32 {
    find(id).map_or(u32::MAX, |entry| entry.rank)
}

/// The registration of that id.
pub(crate) fn registration(id: &str) -> Option<&'static BackendRegistration> {
    find(id)?.registration
}

/// The probe of that id.
pub(crate) fn probe(id: &str) -> Option<&'static BackendProbe> {
    find(id)?.probe
}

/// The first id, in the order of the streams and then of ids, that a stream has more than once.
fn duplicate() -> Option<BackendError> {
    twice::<BackendRegistration>(
        "backend",
        |r| r.id,
        |r| describe((r.acquire)().map(|b| b.profile().clone())),
    )
    .or_else(|| {
        let first = |p: &BackendProbe| (p.probe)().map(|all| all.into_iter().next());
        twice::<BackendProbe>(
            "probe",
            |p| p.id,
            |p| match first(p) {
                Ok(None) => "one that sees no device".into(),
                Ok(Some(profile)) => describe(Ok(profile)),
                Err(error) => describe(Err(error)),
            },
        )
    })
    .or_else(|| {
        twice::<BackendCapability>("capability", |c| c.id, |c| format!("dispatches: {}", c.dispatches))
    })
    .or_else(|| twice::<BackendPrecedence>("precedence", |p| p.id, |p| format!("rank {}", p.rank)))
}

fn twice<T: inventory::Collect>(
    what: &'static str,
    id: fn(&T) -> &'static str,
    describe: impl Fn(&T) -> String,
) -> Option<BackendError> {
    let mut by_id: BTreeMap<&str, Vec<&T>> = BTreeMap::new();
    for each in inventory::iter::<T> {
        by_id.entry(id(each)).or_default().push(each);
    }
    let (id, all) = by_id.into_iter().find(|(_, all)| all.len() > 1)?;
    let mut registrations: Vec<String> = all.into_iter().map(describe).collect();
    // The order of linking means nothing.
    registrations.sort();
    Some(BackendError::DuplicateId { id, what, registrations })
}

fn describe(said: Result<DeviceProfile, BackendError>) -> String {
    match said {
        Ok(p) => format!("{} \"{}\", driver \"{}\"", p.kind.name(), p.name, p.driver),
        Err(error) => format!("one that cannot be opened ({})", error.message()),
    }
}
