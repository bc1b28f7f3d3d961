//! Memory: where a place is, whether it is in bounds, and the slots in which variables wait.
//!
//! An access out of bounds gives 0 or does nothing. The check is a branch to a cold block: in code that is in bounds it
//! costs a compare and a predicted branch, where selecting an address would lengthen the way from index to value. In
//! checked code the access is reported and ends the run instead ([`super::report`]).

use super::atomic::bits_type;
use super::lanes::Scalars;
use super::report::Who;
use super::scalar::{cast, clif_type, known};
use super::{Emitter, Lanes, block_args};
use crate::form::{Place, Private, Slot, Space, Type, Var};
use crate::shim::Shim;
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::types::{I64, I64X2};
use cranelift_codegen::ir::{self, InstBuilder, MemFlagsData};
use smallvec::smallvec;
use vyre_ir::Scalar;

/// Up to this many bytes are zeroed in line.
const INLINE_ZERO: u64 = 256;

/// The memory of a place, as scalars.
#[derive(Copy, Clone)]
pub(super) struct Memory {
    pub base: ir::Value,
    /// Bytes from the base to the first lane's first scalar.
    pub offset: u64,
    /// Bytes from a lane's memory to that of the next.
    pub lane: u64,
    /// Bytes from a scalar to the next.
    pub step: u64,
    pub count: Count,
    pub flags: MemFlagsData,
    /// Whether each load must be made.
    pub atomic: bool,
}

/// How many scalars a lane has.
#[derive(Copy, Clone)]
pub(super) enum Count {
    Known(u64),
    /// Of 64 bits, below 2^63; and the smaller one of it and 2^32.
    Counted(ir::Value, ir::Value),
}

/// Whether an access is in bounds.
#[derive(Copy, Clone)]
pub(super) enum Inside {
    Always,
    Never,
    When(ir::Value),
}

impl Emitter<'_> {
    pub fn memory(&mut self, place: &Place) -> Memory {
        let size = place.scalar.bytes() as u64;
        // A relaxed atomic store is an ordinary one of a whole aligned scalar.
        let atomic = place.atomic && matches!(place.memory, Space::Bound { shared: true, .. });
        let mut memory = match place.memory {
            Space::Bound { buffer, .. } => {
                let bound = self.bound_here(buffer);
                // Only memory that is written is known to be aligned.
                let flags = MemFlagsData::new().with_notrap().with_alias_region(Some(bound.region));
                let size_of = size.trailing_zeros() as usize;
                let count = Count::Counted(bound.scalars[size_of], bound.reach[size_of]);
                Memory { base: bound.base, offset: 0, lane: 0, step: size, count, flags, atomic }
            }
            Space::Workgroup { offset, bytes } => {
                let (base, flags) = (self.scratch, self.scratch_flags());
                Memory { base, offset, lane: 0, step: size, count: Count::Known(bytes / size), flags, atomic }
            }
            Space::Private(Private { offset, bytes, at, interleaved }) => {
                let flags = self.scratch_flags();
                let base = match at {
                    None => self.scratch,
                    Some(at) => {
                        let at = self.uniform(at);
                        let at = self.b.ins().uextend(I64, at);
                        let start = self.b.ins().imul_imm_u(at, bytes as i64);
                        self.b.ins().iadd(self.scratch, start)
                    }
                };
                let (lane, step) = match interleaved {
                    0 => (bytes, size),
                    _ => (size, size * self.form.width as u64),
                };
                Memory { base, offset, lane, step, count: Count::Known(bytes / size), flags, atomic }
            }
        };
        // The rest of the index counts from there.
        if place.plus > 0 {
            memory.offset += place.plus as u64 * memory.step;
            memory.count = match memory.count {
                Count::Known(count) => Count::Known(count.saturating_sub(place.plus as u64)),
                Count::Counted(count, reach) => {
                    let zero = self.b.ins().iconst(I64, 0);
                    let [count, reach] = [count, reach].map(|n| {
                        let rest = self.b.ins().iadd_imm_s(n, -(place.plus as i64));
                        self.b.ins().smax(rest, zero)
                    });
                    Count::Counted(count, reach)
                }
            };
        }
        memory
    }

    /// Accesses to the scratch memory; vectors in it are not aligned.
    fn scratch_flags(&self) -> MemFlagsData {
        MemFlagsData::new().with_notrap().with_alias_region(Some(self.scratch_region))
    }

    /// Where a lane's scalar at an index is: an address and an offset from it.
    pub fn address(&mut self, memory: &Memory, index: ir::Value, lane: usize) -> (ir::Value, i32) {
        // The scratch memory is below 2^28 bytes, and of lanes only it has several.
        let offset = memory.offset + lane as u64 * memory.lane;
        if let Some(index) = known(&self.b, index) {
            let at = offset + index * memory.step;
            if at < 1 << 30 {
                return (memory.base, at as i32);
            }
        }
        let wide = self.widen(index);
        let scaled = self.b.ins().ishl_imm_u(wide, memory.step.trailing_zeros() as i64);
        (self.b.ins().iadd(memory.base, scaled), offset as i32)
    }

    /// An index in 64 bits. That of a statement of one lane is made once: its check comes before its accesses.
    fn widen(&mut self, index: ir::Value) -> ir::Value {
        if let Some([of, wide]) = self.widened
            && of == index
        {
            return wide;
        }
        let wide = self.b.ins().uextend(I64, index);
        if self.form.width == 1 {
            self.widened = Some([index, wide]);
        }
        wide
    }

    /// As [`Emitter::address`], of the first lane, for the lane whose number is a value.
    pub fn moved_to_lane(&mut self, memory: &Memory, lane: ir::Value) -> Memory {
        if memory.lane == 0 {
            return *memory;
        }
        let start = self.b.ins().imul_imm_u(lane, memory.lane as i64);
        let base = self.b.ins().iadd(memory.base, start);
        Memory { base, ..*memory }
    }

    /// Whether `n` scalars from an index on are in bounds.
    pub fn inside(&mut self, memory: &Memory, index: ir::Value, n: usize) -> Inside {
        match memory.count {
            Count::Known(count) => {
                let Some(last) = count.checked_sub(n as u64) else { return Inside::Never };
                match known(&self.b, index) {
                    Some(index) if index <= last => Inside::Always,
                    Some(_) => Inside::Never,
                    None if last >= u32::MAX as u64 => Inside::Always,
                    None => {
                        let op = IntCC::UnsignedLessThanOrEqual;
                        Inside::When(self.b.ins().icmp_imm_u(op, index, last as i64))
                    }
                }
            }
            Count::Counted(count, _) => {
                let wide = self.widen(index);
                let last = if n > 1 { self.b.ins().iadd_imm_u(wide, n as i64 - 1) } else { wide };
                Inside::When(self.b.ins().icmp(IntCC::UnsignedLessThan, last, count))
            }
        }
    }

    /// As [`Emitter::inside`] for a place with a uniform index. What is known of it is known if there are lanes in the
    /// mask, which there are if all access the same.
    pub fn inside_place(&mut self, place: &Place, memory: &Memory, index: ir::Value, n: usize) -> Inside {
        if place.proven && (place.mask.is_none() || place.is_same()) {
            return Inside::Always;
        }
        let inside = self.inside(memory, index, n);
        if !self.form.checked {
            return inside;
        }
        self.require(place, inside, index, Who::First);
        Inside::Always
    }

    /// Does something that gives values of these types if an access is in bounds; else they are 0.
    pub fn guarded(
        &mut self,
        inside: Inside,
        types: &[Type],
        access: impl FnOnce(&mut Self) -> Lanes,
    ) -> Lanes {
        let condition = match inside {
            Inside::Always => return access(self),
            Inside::Never => return self.all_zeros(types),
            Inside::When(condition) => condition,
        };
        let [there, after] = [(); 2].map(|()| self.b.create_block());
        let outside = if types.is_empty() { after } else { self.b.create_block() };
        self.b.ins().brif(condition, there, &[], outside, &[]);
        self.b.switch_to_block(there);
        let values = access(self);
        self.b.ins().jump(after, &block_args(&values));
        if outside != after {
            self.b.set_cold_block(outside);
            self.b.switch_to_block(outside);
            let zeros = self.all_zeros(types);
            self.b.ins().jump(after, &block_args(&zeros));
        }
        self.b.switch_to_block(after);
        self.same_params(after, &values)
    }

    fn all_zeros(&mut self, types: &[Type]) -> Lanes {
        let mut zeros = Lanes::new();
        for &ty in types {
            zeros.extend(self.zeros(ty));
        }
        zeros
    }

    /// Scalars of a lane from an index on.
    pub fn load_scalars(
        &mut self,
        scalar: Scalar,
        memory: &Memory,
        index: ir::Value,
        lane: usize,
        n: usize,
    ) -> Scalars {
        let (address, at) = self.address(memory, index, lane);
        if memory.atomic {
            let address = self.b.ins().iadd_imm_s(address, at as i64);
            let bits = self.b.ins().atomic_load(bits_type(scalar), memory.flags.with_aligned(), address);
            return smallvec![cast(&mut self.b, bits, clif_type(scalar))];
        }
        let at = |k: usize| at + (k as u64 * memory.step) as i32;
        (0..n).map(|k| self.b.ins().load(clif_type(scalar), memory.flags, address, at(k))).collect()
    }

    pub fn store_scalars(&mut self, memory: &Memory, index: ir::Value, lane: usize, values: &[ir::Value]) {
        let (address, at) = self.address(memory, index, lane);
        for (k, &x) in values.iter().enumerate() {
            let at = at + (k as u64 * memory.step) as i32;
            self.b.ins().store(memory.flags, x, address, at);
        }
    }

    // ---- the worker's own memory

    pub fn zero(&mut self, offset: u64, bytes: u64) {
        let flags = self.scratch_flags();
        if bytes > INLINE_ZERO {
            let address = self.b.ins().iadd_imm_u(self.scratch, offset as i64);
            let bytes = self.b.ins().iconst(I64, bytes as i64);
            self.call(Shim::Zero, &[address, bytes]);
            return;
        }
        // Everything in the frame is padded to 16 bytes.
        let zero = self.b.ins().iconst(I64, 0);
        let zeros = self.b.ins().splat(I64X2, zero);
        let mut at = 0;
        while at < bytes {
            let zero = if bytes - at > 8 { zeros } else { zero };
            self.b.ins().store(flags, zero, self.scratch, (offset + at) as i32);
            at += if bytes - at > 8 { 16 } else { 8 };
        }
    }

    /// Where a slot's element for a position is.
    fn slot(&mut self, scalar: Scalar, slot: Slot, at: Var) -> (ir::Value, i32) {
        let at = self.uniform(at);
        let wide = self.b.ins().uextend(I64, at);
        let scaled = self.b.ins().ishl_imm_u(wide, Slot::bytes(scalar).trailing_zeros() as i64);
        (self.b.ins().iadd(self.scratch, scaled), slot.offset as i32)
    }

    pub fn kept(&mut self, out: Var, slot: Slot, at: Var) {
        let Type { scalar, varying } = self.ty(out);
        let (address, at) = self.slot(scalar, slot, at);
        let flags = self.scratch_flags();
        let lanes = if varying {
            self.load_vectors(scalar, flags, address, at)
        } else {
            let x = self.b.ins().load(clif_type(scalar), flags, address, at);
            // In vectors a bool is a mask.
            smallvec![if scalar == Scalar::Bool { self.b.ins().band_imm_u(x, 1) } else { x }]
        };
        self.set(out, lanes);
    }

    pub fn keep(&mut self, value: Var, slot: Slot, at: Var) {
        let scalar = self.ty(value).scalar;
        let lanes = if self.form.width > 1 { self.vectors(value) } else { self.get(value) };
        let (address, at) = self.slot(scalar, slot, at);
        self.store_vectors(self.scratch_flags(), address, at, &lanes);
    }
}
