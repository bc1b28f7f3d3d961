//! Accesses out of bounds in checked code: how code says which one, and what becomes of it.
//!
//! All accesses of a function share one block that calls [`outside`] and leaves. The first call of a launch counts, of
//! whatever thread; the others stop at their next workgroup.

use crate::context;
use crate::lower::Lower;
use crate::shim::Shim;
use cranelift_codegen::ir::types::{I32, I64};
use cranelift_codegen::ir::{self, Block, BlockArg, InstBuilder, MemFlagsData};
use smallvec::SmallVec;
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

impl Lower<'_> {
    /// Where to go when the access that code is being made for is out of bounds at an index.
    pub fn outside(&mut self, index: ir::Value) -> (Block, SmallVec<[BlockArg; 5]>) {
        let block = match self.outside {
            Some(block) => block,
            None => {
                let block = self.b.create_block();
                for _ in 0..5 {
                    self.b.append_block_param(block, I32);
                }
                self.b.set_cold_block(block);
                *self.outside.insert(block)
            }
        };
        let inst = self.at.expect("set before an access is made code of");
        let inst = self.b.ins().iconst(I32, inst.index() as i64);
        // What the whole workgroup does the first invocation does too.
        let local = if self.piece == 0 { [self.b.ins().iconst(I32, 0); 3] } else { self.local };
        (block, [inst, index].into_iter().chain(local).map(BlockArg::Value).collect())
    }

    /// The block that all accesses out of bounds go to, if there are any.
    pub fn report(&mut self) {
        let Some(block) = self.outside else { return };
        self.b.switch_to_block(block);
        let access = self.b.block_params(block).to_vec();
        let flags = MemFlagsData::trusted().with_readonly();
        let report = self.b.ins().load(I64, flags, self.context, context::REPORT);
        let mut words: SmallVec<[ir::Value; 9]> = SmallVec::from_slice(&[report]);
        for number in access.into_iter().chain(self.workgroup) {
            words.push(self.b.ins().uextend(I64, number));
        }
        self.call(Shim::Outside, &words);
        let status = self.b.ins().iconst(I32, context::OUTSIDE);
        self.b.ins().return_(&[status]);
    }
}
