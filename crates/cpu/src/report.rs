//! Accesses out of bounds in checked code: what becomes of them.
//!
//! The first call of [`outside`] in a launch counts, of whatever thread; the others stop at their next workgroup.

use std::sync::{Mutex, PoisonError};
use vyre_driver::{Accessor, BackendError, OutOfBounds};
use vyre_ir::{Attr, Entity, Inst, Program};

/// What a launch reports.
#[derive(Default)]
pub(crate) struct Report(Mutex<Option<Outside>>);

/// An access out of bounds.
#[derive(Copy, Clone)]
pub(crate) struct Outside {
    inst: u32,
    index: u32,
    by: Accessor,
}

impl Report {
    pub fn into_inner(self) -> Option<Outside> {
        self.0.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Outside {
    /// The error of a launch with buffers of these addresses and sizes.
    pub fn error(self, p: &Program, bound: &[(*const u8, usize)]) -> BackendError {
        let inst = Inst::new(self.inst as usize);
        let Attr::Buffer(buffer) = p.insts[inst].attr else {
            return BackendError::Internal { what: "a report of what is no access".into() };
        };
        let decl = &p.buffers[buffer];
        let bytes = match decl.memory.is_bound() {
            true => bound[buffer.index()].1 as u64,
            false => decl.static_bytes().unwrap_or(0),
        };
        let access = OutOfBounds::new(p, inst, self.index, bytes, self.by);
        BackendError::OutOfBounds { access: Box::new(access) }
    }
}

/// Notes an access, unless there is one already.
///
/// # Safety
/// `report` must be the address of a [`Report`].
pub(crate) unsafe extern "C" fn outside(
    report: *const Report,
    inst: u64,
    index: u64,
    x: u64,
    y: u64,
    z: u64,
    group_x: u64,
    group_y: u64,
    group_z: u64,
) {
    let by = Accessor {
        workgroup: [group_x, group_y, group_z].map(|n| n as u32),
        local: [x, y, z].map(|n| n as u32),
    };
    // SAFETY: the caller's promise; generated code passes the word of its context, which the launch fills in.
    let report = unsafe { &*report };
    let mut first = report.0.lock().unwrap_or_else(PoisonError::into_inner);
    first.get_or_insert(Outside { inst: inst as u32, index: index as u32, by });
}
