//! What is done lane by lane: scalars out of vectors and back.
//!
//! Short code is repeated for each lane; long code is a loop, and passes the lanes through the stack. There each has a
//! word, or two if it has 64 bits.

use super::scalar::clif_type;
use super::{Emitter, Lanes, vector};
use crate::form::{Slot, Type};
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::types::{I8, I32, I64};
use cranelift_codegen::ir::{self, InstBuilder, MemFlagsData, StackSlotData, StackSlotKind};
use smallvec::SmallVec;
use vyre_ir::Scalar;

/// Scalars of a lane.
pub(super) type Scalars = SmallVec<[ir::Value; 4]>;

/// Arrays on the stack, one after another, each with an element for each lane.
pub(super) struct Arrays {
    pub base: ir::Value,
    pub offsets: SmallVec<[i32; 8]>,
    pub scalars: SmallVec<[Scalar; 8]>,
}

impl Emitter<'_> {
    /// A lane's scalar.
    pub fn lane_of(&mut self, scalar: Scalar, vectors: &[ir::Value], lane: usize) -> ir::Value {
        let of = vector::lanes_of(scalar);
        let x = self.b.ins().extractlane(vectors[lane / of], (lane % of) as u8);
        match scalar {
            Scalar::Bool => {
                let truth = self.b.ins().ireduce(I8, x);
                self.b.ins().band_imm_u(truth, 1)
            }
            _ if scalar.bytes() < 4 => self.b.ins().ireduce(clif_type(scalar), x),
            _ => x,
        }
    }

    /// Vectors of the lanes' scalars.
    pub fn gather_lanes(&mut self, scalar: Scalar, each: &[ir::Value]) -> Lanes {
        let mut vectors = Lanes::new();
        each.iter().enumerate().for_each(|(lane, &x)| self.put_lane(scalar, &mut vectors, lane, x));
        vectors
    }

    /// Puts a lane's scalar into vectors; lanes come one after another.
    pub fn put_lane(&mut self, scalar: Scalar, vectors: &mut Lanes, lane: usize, x: ir::Value) {
        let place = lane % vector::lanes_of(scalar);
        match vectors.last_mut() {
            Some(vector) if place > 0 => {
                let x = vector::lane_word(&mut self.b, scalar, x);
                *vector = self.b.ins().insertlane(*vector, x, place as u8);
            }
            _ => vectors.push(vector::splat(&mut self.b, scalar, x)),
        }
    }

    /// Does something for each lane; `out` is what it gives.
    pub fn each_lane(
        &mut self,
        inputs: &[(Scalar, Lanes)],
        out: Scalar,
        mut body: impl FnMut(&mut Self, &[ir::Value]) -> ir::Value,
    ) -> Lanes {
        let mut each = SmallVec::<[ir::Value; 16]>::new();
        for lane in 0..self.width() {
            let args: Scalars = inputs.iter().map(|(s, v)| self.lane_of(*s, v, lane)).collect();
            each.push(body(self, &args));
        }
        self.gather_lanes(out, &each)
    }

    /// Puts vectors into arrays on the stack, and makes room for more, which are zeroed. There is only one such room, used
    /// by one loop after another.
    pub fn arrays(&mut self, inputs: &[(Scalar, Lanes)], outs: &[Scalar]) -> Arrays {
        let mut offsets = SmallVec::new();
        let mut scalars = SmallVec::new();
        let mut end = 0;
        for scalar in inputs.iter().map(|i| i.0).chain(outs.iter().copied()) {
            offsets.push(end as i32);
            scalars.push(scalar);
            end += Slot::bytes(scalar) * self.form.width;
        }
        let slot = match self.lane_slot {
            Some((slot, _)) => slot,
            None => {
                let data = StackSlotData::new(StackSlotKind::ExplicitSlot, 0, 4);
                self.b.create_sized_stack_slot(data)
            }
        };
        let bytes = self.lane_slot.map_or(0, |(_, bytes)| bytes).max(end);
        self.b.func.sized_stack_slots[slot].size = bytes;
        self.lane_slot = Some((slot, bytes));
        let base = self.b.ins().stack_addr(I64, slot, 0);
        let arrays = Arrays { base, offsets, scalars };
        for (i, (_, vectors)) in inputs.iter().enumerate() {
            self.store_vectors(stack_flags(), base, arrays.offsets[i], vectors);
        }
        for (i, &scalar) in outs.iter().enumerate() {
            let zeros = self.zeros(Type { scalar, varying: self.form.width > 1 });
            self.store_vectors(stack_flags(), base, arrays.offsets[inputs.len() + i], &zeros);
        }
        arrays
    }

    /// An array as vectors.
    pub fn array(&mut self, arrays: &Arrays, i: usize) -> Lanes {
        self.load_vectors(arrays.scalars[i], stack_flags(), arrays.base, arrays.offsets[i])
    }

    /// Does something for each lane of a mask in a loop: `body` gets the lane's number, of 64 bits, and its inputs, and
    /// gives its outputs. Those of other lanes are 0.
    pub fn loop_lanes(
        &mut self,
        inputs: &[(Scalar, Lanes)],
        mask: Option<&Lanes>,
        outs: &[Scalar],
        body: impl FnOnce(&mut Self, ir::Value, &[ir::Value]) -> Scalars,
    ) -> Vec<Lanes> {
        let mut all: SmallVec<[(Scalar, Lanes); 4]> = inputs.into();
        all.extend(mask.map(|mask| (Scalar::Bool, mask.clone())));
        let arrays = self.arrays(&all, outs);
        let [header, next, after] = [(); 3].map(|()| self.b.create_block());
        let lane = self.b.append_block_param(header, I64);
        let zero = self.b.ins().iconst(I64, 0);
        self.b.ins().jump(header, &[zero.into()]);
        self.b.switch_to_block(header);
        if mask.is_some() {
            let here = self.b.create_block();
            let active = self.element(&arrays, inputs.len(), lane);
            self.b.ins().brif(active, here, &[], next, &[]);
            self.b.switch_to_block(here);
        }
        let args: Scalars = (0..inputs.len()).map(|i| self.element(&arrays, i, lane)).collect();
        let results = body(self, lane, &args);
        for (i, x) in results.into_iter().enumerate() {
            self.set_element(&arrays, all.len() + i, lane, x);
        }
        self.b.ins().jump(next, &[]);
        self.b.switch_to_block(next);
        let following = self.b.ins().iadd_imm_s(lane, 1);
        let more = self.b.ins().icmp_imm_u(IntCC::UnsignedLessThan, following, self.form.width as i64);
        self.b.ins().brif(more, header, &[following.into()], after, &[]);
        self.b.switch_to_block(after);
        (0..outs.len()).map(|i| self.array(&arrays, all.len() + i)).collect()
    }

    fn element_address(&mut self, arrays: &Arrays, i: usize, lane: ir::Value) -> ir::Value {
        let shift = Slot::bytes(arrays.scalars[i]).trailing_zeros();
        let at = self.b.ins().ishl_imm_u(lane, shift as i64);
        self.b.ins().iadd(arrays.base, at)
    }

    /// A lane's scalar of an array.
    pub fn element(&mut self, arrays: &Arrays, i: usize, lane: ir::Value) -> ir::Value {
        let scalar = arrays.scalars[i];
        let address = self.element_address(arrays, i, lane);
        let x = self.b.ins().load(clif_type(scalar), stack_flags(), address, arrays.offsets[i]);
        if scalar == Scalar::Bool { self.b.ins().band_imm_u(x, 1) } else { x }
    }

    fn set_element(&mut self, arrays: &Arrays, i: usize, lane: ir::Value, x: ir::Value) {
        let x = vector::lane_word(&mut self.b, arrays.scalars[i], x);
        let address = self.element_address(arrays, i, lane);
        self.b.ins().store(stack_flags(), x, address, arrays.offsets[i]);
    }

    /// A lane's number as a word.
    pub fn lane_number(&mut self, lane: ir::Value) -> ir::Value {
        self.b.ins().ireduce(I32, lane)
    }

    pub fn load_vectors(
        &mut self,
        scalar: Scalar,
        flags: MemFlagsData,
        address: ir::Value,
        at: i32,
    ) -> Lanes {
        let ty = Type { scalar, varying: self.form.width > 1 };
        let clif = self.clif(ty);
        (0..self.count(ty) as i32)
            .map(|i| self.b.ins().load(clif, flags, address, at + i * vector::BYTES))
            .collect()
    }

    pub fn store_vectors(&mut self, flags: MemFlagsData, address: ir::Value, at: i32, vectors: &[ir::Value]) {
        for (i, &vector) in vectors.iter().enumerate() {
            self.b.ins().store(flags, vector, address, at + i as i32 * vector::BYTES);
        }
    }
}

/// Accesses to the arrays. They are not aligned to vectors.
pub(super) fn stack_flags() -> MemFlagsData {
    MemFlagsData::new().with_notrap()
}
