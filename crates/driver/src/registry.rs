//! Backends register at link time in three streams keyed by their id. Each stream is walked once; after that a lookup
//! reads a frozen table without a lock.

use crate::backend::VyreBackend;
use crate::error::BackendError;
use std::sync::OnceLock;

/// A backend and how to open it.
pub struct BackendRegistration {
    /// The stable id.
    pub id: &'static str,
    /// Opens the device. Nothing happens before it is called.
    pub acquire: fn() -> Result<Box<dyn VyreBackend>, BackendError>,
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
inventory::collect!(BackendCapability);
inventory::collect!(BackendPrecedence);

struct Tables {
    ordered: Vec<&'static BackendRegistration>,
    dispatches: Vec<(&'static str, bool)>,
    ranks: Vec<(&'static str, u32)>,
    duplicate: Option<&'static str>,
}

fn tables() -> &'static Tables {
    static TABLES: OnceLock<Tables> = OnceLock::new();
    TABLES.get_or_init(|| {
        let dispatches =
            inventory::iter::<BackendCapability>.into_iter().map(|c| (c.id, c.dispatches)).collect();
        let ranks: Vec<_> =
            inventory::iter::<BackendPrecedence>.into_iter().map(|p| (p.id, p.rank)).collect();
        let mut ordered: Vec<_> = inventory::iter::<BackendRegistration>.into_iter().collect();
        ordered.sort_by_key(|r| (find(&ranks, r.id).unwrap_or(u32::MAX), r.id));
        let mut ids: Vec<&str> = ordered.iter().map(|r| r.id).collect();
        ids.sort();
        let duplicate = ids.windows(2).find(|w| w[0] == w[1]).map(|w| w[0]);
        Tables { ordered, dispatches, ranks, duplicate }
    })
}

fn find<T: Copy>(table: &[(&'static str, T)], id: &str) -> Option<T> {
    table.iter().find(|(known, _)| *known == id).map(|(_, value)| *value)
}

/// Every linked backend, by rank, then id. Fails when two have the same id.
pub fn registered_backends() -> Result<&'static [&'static BackendRegistration], BackendError> {
    match tables().duplicate {
        Some(id) => Err(BackendError::DuplicateId { id }),
        None => Ok(registered_backends_by_precedence_slice()),
    }
}

/// Every registration, by rank, then id; those without a rank last.
pub fn registered_backends_by_precedence_slice() -> &'static [&'static BackendRegistration] {
    &tables().ordered
}

/// Whether the backend runs programs; false for an unknown id.
pub fn backend_dispatches(id: &str) -> bool {
    find(&tables().dispatches, id).unwrap_or(false)
}

/// The backend's rank; `u32::MAX` for an unknown id or one without a rank.
pub fn backend_precedence(id: &str) -> u32 {
    find(&tables().ranks, id).unwrap_or(u32::MAX)
}
