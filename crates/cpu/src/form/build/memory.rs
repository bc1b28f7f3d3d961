//! Where an access goes, and how the lanes' places lie to each other.

use super::{Build, Lanes};
use crate::form::{Place, Private, Slot, Space, Step, Stmt, Var, Vars};
use crate::plan::PrivateCopies;
use smallvec::SmallVec;
use vyre_ir::{Attr, Buffer, Inst, InstData, Memory, Op, Scalar, Value};
use vyre_opt::analysis::Shape;

/// Constants stay below this, so that offsets from addresses fit their 32 bits.
const MOST_PLUS: u64 = 1 << 20;

impl Build<'_> {
    pub(super) fn load(&mut self, inst: Inst) -> Lanes {
        let p = self.p;
        let data = &p.insts[inst];
        let ty = p.ty(data.results[0]);
        let place = self.place(inst, ty.scalar);
        let outs: Vars = (0..ty.lanes).map(|_| self.var(ty.scalar, !place.is_same())).collect();
        self.push(Stmt::Load { outs: outs.clone(), place });
        outs.into_iter().collect()
    }

    pub(super) fn store(&mut self, inst: Inst) {
        let p = self.p;
        let data = &p.insts[inst];
        let mut place = self.place(inst, p.ty(data.args[1]).scalar);
        let values: Vars = self.each(data.args[1]).into_iter().collect();
        if place.is_same() && values.iter().any(|&v| self.is_varying(v)) {
            place.index = self.ramp(place.index, 0);
            place.step = Step::Each;
        }
        self.push(Stmt::Store { values, place });
    }

    pub(super) fn atomic(&mut self, inst: Inst) {
        let p = self.p;
        let data = &p.insts[inst];
        let scalar = p.ty(data.results[0]).scalar;
        let place = self.place(inst, scalar);
        let operands: Vars = data.args[1..].iter().map(|&v| self.each(v)[0]).collect();
        let mut outs = Vars::new();
        if data.results.iter().any(|&result| self.used[result]) {
            for &result in &data.results {
                let out = self.var(p.ty(result).scalar, true);
                self.set(result, SmallVec::from_elem(out, 1));
                outs.push(out);
            }
        }
        self.push(Stmt::Atomic { op: data.op, outs, operands, place });
    }

    fn place(&mut self, inst: Inst, scalar: Scalar) -> Place {
        let p = self.p;
        let data = &p.insts[inst];
        let (value, plus) = self.apart_from_constant(data.args[0]);
        let index = self.get(value)[0];
        let step = match self.shape(value) {
            Shape::Affine(stride) => Step::By(stride),
            _ if self.is_varying(index) => Step::Each,
            _ => Step::Same,
        };
        let atomic = matches!(data.op, Op::AtomicLoad | Op::AtomicStore);
        let proven = self.ranges.in_bounds(inst);
        Place {
            memory: self.space(buffer(data)),
            scalar,
            index,
            plus,
            step,
            mask: self.mask,
            atomic,
            proven,
            inst,
        }
    }

    /// An index as a value and a constant to be added, which does not wrap: the constant costs nothing in an address, and
    /// accesses side by side share the rest.
    fn apart_from_constant(&self, mut index: Value) -> (Value, u32) {
        let p = self.p;
        let mut plus = 0;
        // A report says the index itself.
        while !self.plan.checked
            && let Some(InstData { op: Op::Add, args, .. }) = p.producer(index)
            && let Some((rest, constant)) = [(args[0], args[1]), (args[1], args[0])]
                .into_iter()
                .find_map(|(rest, other)| Some((rest, p.splat_constant(other)?)))
            && let Some(sum) = self.ranges.largest(rest).checked_add(constant as u32)
            && sum < u32::MAX
            && plus + constant < MOST_PLUS
            && self.find(rest).is_some()
        {
            index = rest;
            plus += constant;
        }
        (index, plus as u32)
    }

    fn space(&self, buffer: Buffer) -> Space {
        let decl = &self.p.buffers[buffer];
        let (offset, bytes) = (self.plan.frame.buffers[buffer], decl.static_bytes().unwrap_or(0));
        match decl.memory {
            Memory::Workgroup => Space::Workgroup { offset, bytes },
            Memory::Private => Space::Private(Private {
                offset,
                bytes,
                at: (self.plan.private[buffer] == PrivateCopies::All).then_some(self.at),
                interleaved: self.plan.interleaved[buffer],
            }),
            _ => Space::Bound { buffer, shared: decl.access.writes() },
        }
    }

    pub(super) fn length(&mut self, data: &InstData) -> Var {
        let buffer = buffer(data);
        let decl = &self.p.buffers[buffer];
        if decl.count > 0 {
            return self.constant(Scalar::U32, decl.count.min(u32::MAX as u64));
        }
        let out = self.var(Scalar::U32, false);
        self.push(Stmt::Length { out, buffer });
        out
    }

    // ---- slots

    /// The slot of a value's lane, where its first lane's is at an offset.
    fn slot(&self, value: Value, offset: u64, lane: usize) -> Slot {
        let array = self.plan.frame.invocations * Slot::bytes(self.p.ty(value).scalar) as u64;
        Slot { offset: offset + lane as u64 * array }
    }

    /// What a slot keeps for the gang at a position.
    pub(super) fn kept(&mut self, value: Value, offset: u64, at: Var) -> Lanes {
        let outs = self.fresh(value);
        for (lane, &out) in outs.iter().enumerate() {
            let slot = self.slot(value, offset, lane);
            self.push(Stmt::Kept { out, slot, at });
        }
        outs
    }

    /// Keeps variables for each lane in the slot of a value.
    pub(super) fn keep(&mut self, value: Value, offset: u64, lanes: &[Var]) {
        for (lane, &var) in lanes.iter().enumerate() {
            let (slot, at) = (self.slot(value, offset, lane), self.at);
            self.push(Stmt::Keep { value: var, slot, at });
        }
    }
}

fn buffer(data: &InstData) -> Buffer {
    match data.attr {
        Attr::Buffer(buffer) => buffer,
        _ => unreachable!("the verifier checks attributes"),
    }
}
