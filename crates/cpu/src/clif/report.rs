//! How checked code says which access is out of bounds, and by whom; [`crate::report`] is what becomes of it.
//!
//! All accesses of a function share one block that calls [`Shim::Outside`] and leaves.

use super::lanes::Scalars;
use super::memory::Inside;
use super::{Emitter, Lanes};
use crate::context;
use crate::form::Place;
use crate::shim::Shim;
use cranelift_codegen::ir::types::{I8, I32, I64};
use cranelift_codegen::ir::{self, BlockArg, InstBuilder, MemFlagsData};
use smallvec::SmallVec;
use vyre_ir::{Entity, Inst, Scalar};

/// Of the lanes that do an access: the one that is reported.
pub(super) enum Who {
    /// The first one of the mask.
    First,
    /// The one with a number, of 64 bits.
    Lane(ir::Value),
}

impl Emitter<'_> {
    /// Goes on only where an access is in bounds.
    pub fn require(&mut self, place: &Place, inside: Inside, index: ir::Value, who: Who) {
        let condition = match inside {
            Inside::Always => return,
            Inside::Never => self.b.ins().iconst(I8, 0),
            Inside::When(condition) => condition,
        };
        let [there, here] = [(); 2].map(|()| self.b.create_block());
        self.b.set_cold_block(here);
        self.b.ins().brif(condition, there, &[], here, &[]);
        self.b.switch_to_block(here);
        let local = self.local_id(place, who);
        let inst = self.b.ins().iconst(I32, Inst::index(place.inst) as i64);
        let args: SmallVec<[BlockArg; 5]> =
            [inst, index].into_iter().chain(local).map(BlockArg::Value).collect();
        let outside = *self.outside.get_or_insert_with(|| {
            let block = self.b.create_block();
            for _ in 0..5 {
                self.b.append_block_param(block, I32);
            }
            self.b.set_cold_block(block);
            block
        });
        self.b.ins().jump(outside, &args);
        self.b.switch_to_block(there);
    }

    /// The local id of a lane.
    fn local_id(&mut self, place: &Place, who: Who) -> Scalars {
        let Some(local) = self.local else {
            let zero = self.b.ins().iconst(I32, 0);
            return Scalars::from_elem(zero, 3);
        };
        if !local.iter().any(|&var| self.ty(var).varying) {
            return local.iter().map(|&var| self.uniform(var)).collect();
        }
        let lane = match (who, place.mask) {
            (Who::Lane(lane), _) => lane,
            (Who::First, Some(mask)) => {
                let mask = self.vectors(mask);
                let bits = self.mask_bits(&mask);
                let first = self.b.ins().ctz(bits);
                self.b.ins().uextend(I64, first)
            }
            (Who::First, None) => self.b.ins().iconst(I64, 0),
        };
        let vectors: SmallVec<[(Scalar, Lanes); 3]> =
            local.iter().map(|&var| (Scalar::U32, self.vectors(var))).collect();
        // A slot of its own: the one that loops over lanes use may be in use.
        let slot = self.lane_slot.take();
        let arrays = self.arrays(&vectors, &[]);
        self.lane_slot = slot;
        (0..3).map(|i| self.element(&arrays, i, lane)).collect()
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
