//! Loads and stores of a gang: contiguous ones as vectors, the others scalar by scalar.
//!
//! One check covers all invocations. If it fails, a short loop over them checks each one; that loop is in a cold
//! block, and passes indices and values through the stack. What invocations outside of the mask would load may be
//! loaded too where it is in bounds, because loads have no effects; stores are for those in the mask only.
//!
//! What [`crate::range`] knows of an index holds for invocations in the mask, so a check is left out only where the
//! others cannot do harm: without a mask, or with their indices taken as 0.
//!
//! Private memory of a piece has a copy for each invocation of the gang, interleaved word by word.

use crate::fission::PrivateCopies;
use crate::gang::MAX_WIDTH;
use crate::lower::{Lanes, Lower};
use crate::ops::{clif_type, known};
use crate::shape::Shape::{Affine, Uniform, Varying};
use crate::shape::private;
use crate::vector::{self, LANES, blend, vector_type};
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::types::{I32, I32X4, I64};
use cranelift_codegen::ir::{
    self, BlockArg, InstBuilder, MemFlagsData, StackSlot, StackSlotData, StackSlotKind,
};
use vyre_ir::{Attr, Buffer, Inst, InstData, Op, Scalar, Value};

/// Bytes of a vector.
const VECTOR: i32 = 16;

/// A buffer as scalars of 4 bytes.
struct Words {
    base: ir::Value,
    offset: i32,
    /// How many: known, or the values that bound buffers have for checks.
    count: Count,
    flags: MemFlagsData,
}

#[derive(Copy, Clone)]
enum Count {
    Known(u64),
    Bound { words: ir::Value, largest: ir::Value, last_gang: ir::Value },
}

/// Numbers of a bound buffer that checks for gangs compare with.
#[derive(Copy, Clone)]
pub(crate) struct GangBounds {
    /// The number of words, as far as 32 bits go.
    largest: ir::Value,
    /// The largest index that a gang's contiguous access can start at; negative if there is none.
    last_gang: ir::Value,
}

impl Lower<'_> {
    /// What checks for gangs need to know of a buffer of so many words.
    pub fn gang_bounds(&mut self, words: ir::Value) -> GangBounds {
        let most = self.b.ins().iconst(I64, u32::MAX as i64);
        let largest = self.b.ins().umin(words, most);
        let largest = self.b.ins().ireduce(I32, largest);
        // Indices are below 2^32 and do not wrap in a contiguous access.
        let most = self.b.ins().iconst(I64, 1 << 32);
        let reach = self.b.ins().umin(words, most);
        let last_gang = self.b.ins().iadd_imm_s(reach, -(self.shapes.width as i64));
        GangBounds { largest, last_gang }
    }

    /// A load whose result varies.
    pub fn gang_load(&mut self, inst: Inst) {
        let data = &self.p.insts[inst];
        let (index, result) = (data.args[0], data.results[0]);
        let ty = self.p.ty(result);
        let simple = ty.lanes == 1 && ty.scalar.bytes() == 4 && data.op == Op::Load;
        let lanes = match (private(self.p, data), self.shape(index)) {
            (Some(buffer), Uniform) if simple && self.is_interleaved(buffer) => {
                self.private_load(buffer, index, ty.scalar)
            }
            (None, Affine) if simple => match self.contiguous_load(data, index, ty.scalar) {
                Some(lanes) => lanes,
                None => return self.each_lane(inst),
            },
            (None, Varying) if simple => self.gather(data, index, ty.scalar),
            _ => return self.each_lane(inst),
        };
        self.set(result, lanes);
    }

    /// A store.
    pub fn gang_store(&mut self, inst: Inst) {
        let data = &self.p.insts[inst];
        let (index, value) = (data.args[0], data.args[1]);
        let ty = self.p.ty(value);
        let simple = ty.lanes == 1 && ty.scalar.bytes() == 4;
        match (private(self.p, data), self.shape(index), self.shape(value)) {
            // All store the same in one place.
            (None, Uniform, Uniform) => self.inst(inst),
            (Some(buffer), Uniform, _) if simple && self.is_interleaved(buffer) => {
                self.private_store(buffer, index, value);
            }
            (None, Affine, _) if simple && vector::fits(ty.scalar) => {
                self.contiguous_store(inst, index, value);
            }
            _ => self.each_lane(inst),
        }
    }

    fn words(&mut self, data: &InstData) -> Words {
        let Attr::Buffer(buffer) = data.attr else { unreachable!("the verifier checks attributes") };
        if let Some(bound) = self.bound[buffer] {
            let bounds = bound.gang.expect("buffers are measured on entry");
            let GangBounds { largest, last_gang } = bounds;
            let count = Count::Bound { words: bound.scalars[2], largest, last_gang };
            return Words { base: bound.base, offset: 0, count, flags: self.word_flags(buffer) };
        }
        let count = Count::Known(self.p.buffers[buffer].static_bytes().unwrap_or(0) / 4);
        let offset = self.plan.frame.buffers[buffer] as i32;
        Words { base: self.scratch, offset, count, flags: self.word_flags(buffer) }
    }

    /// As for one invocation, but nothing is known to be aligned to a vector.
    fn word_flags(&self, buffer: Buffer) -> MemFlagsData {
        let region = match self.regions[buffer] {
            Some(region) => Some(region),
            None => self.scratch_region,
        };
        MemFlagsData::new().with_notrap().with_alias_region(region)
    }

    fn address(&mut self, base: ir::Value, index: ir::Value, bytes: u32) -> ir::Value {
        let wide = self.b.ins().uextend(I64, index);
        let offset = self.b.ins().ishl_imm_u(wide, bytes.trailing_zeros() as i64);
        self.b.ins().iadd(base, offset)
    }

    pub fn load_vectors(
        &mut self,
        scalar: Scalar,
        flags: MemFlagsData,
        address: ir::Value,
        at: i32,
    ) -> Lanes {
        (0..self.vector_count() as i32)
            .map(|i| self.b.ins().load(vector_type(scalar), flags, address, at + i * VECTOR))
            .collect()
    }

    pub fn store_vectors(&mut self, flags: MemFlagsData, address: ir::Value, at: i32, vectors: &[ir::Value]) {
        for (i, &vector) in vectors.iter().enumerate() {
            self.b.ins().store(flags, vector, address, at + i as i32 * VECTOR);
        }
    }

    /// Whether a contiguous access is in bounds: `Ok` of what is known, or `Err` of a condition.
    fn contiguous_check(&mut self, words: &Words, index: Value) -> Result<bool, ir::Value> {
        let first = self.get_scalar(index);
        let width = self.shapes.width as u64;
        match words.count {
            Count::Bound { last_gang, .. } => {
                let wide = self.b.ins().uextend(I64, first);
                Err(self.b.ins().icmp(IntCC::SignedLessThanOrEqual, wide, last_gang))
            }
            Count::Known(count) if count < width => Ok(false),
            Count::Known(count) => {
                if self.mask.is_none() && (self.limits.largest(self.p, index) as u64) < count {
                    return Ok(true);
                }
                let last = (count - width).min(u32::MAX as u64 + 1 - width);
                Err(self.b.ins().icmp_imm_u(IntCC::UnsignedLessThanOrEqual, first, last as i64))
            }
        }
    }

    fn contiguous_load(&mut self, data: &InstData, index: Value, scalar: Scalar) -> Option<Lanes> {
        let words = self.words(data);
        let condition = match self.contiguous_check(&words, index) {
            Ok(false) => return None,
            Ok(true) => None,
            Err(condition) => Some(condition),
        };
        let first = self.get_scalar(index);
        let indices = |l: &mut Self| l.vectors(index);
        Some(self.load_if(condition, &words, scalar, indices, |l, words| {
            let address = l.address(words.base, first, 4);
            l.load_vectors(scalar, words.flags, address, words.offset)
        }))
    }

    fn gather(&mut self, data: &InstData, index: Value, scalar: Scalar) -> Lanes {
        let words = self.words(data);
        let mut indices = self.vectors(index);
        if let Some(mask) = self.mask.clone() {
            for (index, mask) in indices.iter_mut().zip(mask) {
                *index = self.b.ins().band(*index, mask);
            }
        }
        let limit = match words.count {
            Count::Bound { largest, .. } => Some(largest),
            Count::Known(count) if (self.limits.largest(self.p, index) as u64) < count => None,
            Count::Known(count) => Some(self.b.ins().iconst(I32, count.min(u32::MAX as u64) as i64)),
        };
        let condition = limit.map(|limit| {
            let limit = self.b.ins().splat(I32X4, limit);
            let inside: Lanes = indices
                .iter()
                .map(|&index| self.b.ins().icmp(IntCC::UnsignedLessThan, index, limit))
                .collect();
            let all = inside[1..].iter().fold(inside[0], |all, &x| self.b.ins().band(all, x));
            self.b.ins().vall_true(all)
        });
        let slow = indices.clone();
        self.load_if(
            condition,
            &words,
            scalar,
            |_| slow,
            |l, words| {
                let width = l.shapes.width as usize;
                let each: Vec<ir::Value> = (0..width)
                    .map(|i| {
                        let index = l.lane_of(&indices, i, Scalar::U32);
                        let address = l.address(words.base, index, 4);
                        l.b.ins().load(clif_type(scalar), words.flags, address, words.offset)
                    })
                    .collect();
                l.gather_lanes(scalar, each)
            },
        )
    }

    /// A load that `fast` does if the condition holds; else each invocation's index is checked.
    fn load_if(
        &mut self,
        condition: Option<ir::Value>,
        words: &Words,
        scalar: Scalar,
        indices: impl FnOnce(&mut Self) -> Lanes,
        fast: impl FnOnce(&mut Self, &Words) -> Lanes,
    ) -> Lanes {
        let Some(condition) = condition else { return fast(self, words) };
        let [there, slow, after] = [(); 3].map(|()| self.b.create_block());
        self.b.set_cold_block(slow);
        self.b.ins().brif(condition, there, &[], slow, &[]);
        self.b.switch_to_block(there);
        let values: Vec<BlockArg> = fast(self, words).into_iter().map(BlockArg::Value).collect();
        self.b.ins().jump(after, &values);
        self.b.switch_to_block(slow);
        let indices = indices(self);
        let values: Vec<BlockArg> =
            self.checked(words, &indices, scalar, None).into_iter().map(BlockArg::Value).collect();
        self.b.ins().jump(after, &values);
        self.b.switch_to_block(after);
        (0..values.len()).map(|_| self.b.append_block_param(after, vector_type(scalar))).collect()
    }

    fn contiguous_store(&mut self, inst: Inst, index: Value, value: Value) {
        let data = &self.p.insts[inst];
        let words = self.words(data);
        let mut condition = match self.contiguous_check(&words, index) {
            Ok(false) => return self.each_lane(inst),
            Ok(true) => None,
            Err(condition) => Some(condition),
        };
        if let Some(mask) = self.mask.clone() {
            let all = mask[1..].iter().fold(mask[0], |all, &m| self.b.ins().band(all, m));
            let all = self.b.ins().vall_true(all);
            condition = Some(match condition {
                Some(inside) => self.b.ins().band(all, inside),
                None => all,
            });
        }
        let first = self.get_scalar(index);
        let vectors = self.vectors(value);
        let fast = |l: &mut Self| {
            let address = l.address(words.base, first, 4);
            l.store_vectors(words.flags, address, words.offset, &vectors);
        };
        let Some(condition) = condition else { return fast(self) };
        let [there, slow, after] = [(); 3].map(|()| self.b.create_block());
        self.b.set_cold_block(slow);
        self.b.ins().brif(condition, there, &[], slow, &[]);
        self.b.switch_to_block(there);
        fast(self);
        self.b.ins().jump(after, &[]);
        self.b.switch_to_block(slow);
        let indices = self.vectors(index);
        self.checked(&words, &indices, self.p.ty(value).scalar, Some(&vectors));
        self.b.ins().jump(after, &[]);
        self.b.switch_to_block(after);
    }

    /// Loads or stores for each invocation of the mask whose index is in bounds, in a loop; gives what was loaded.
    fn checked(
        &mut self,
        words: &Words,
        indices: &[ir::Value],
        scalar: Scalar,
        stored: Option<&[ir::Value]>,
    ) -> Lanes {
        let slot = self.lane_slot();
        let part = 4 * MAX_WIDTH as i32;
        let [index_at, mask_at, value_at] = [0, part, 2 * part];
        let flags = MemFlagsData::trusted();
        let address = self.b.ins().stack_addr(I64, slot, 0);
        self.store_vectors(flags, address, index_at, indices);
        if let Some(mask) = self.mask.clone() {
            self.store_vectors(flags, address, mask_at, &mask);
        }
        let zero = self.b.ins().iconst(I32, 0);
        let zero = self.b.ins().splat(I32X4, zero);
        let zeros = vec![zero; indices.len()];
        self.store_vectors(flags, address, value_at, stored.unwrap_or(&zeros));
        let count = match words.count {
            Count::Known(count) => self.b.ins().iconst(I64, count as i64),
            Count::Bound { words, .. } => words,
        };
        let [header, access, next, after] = [(); 4].map(|()| self.b.create_block());
        [header, access, next, after].into_iter().for_each(|block| self.b.set_cold_block(block));
        let end = self.b.ins().iadd_imm_s(address, 4 * self.shapes.width as i64);
        self.b.ins().jump(header, &[address.into()]);
        self.b.switch_to_block(header);
        let at = self.b.append_block_param(header, I64);
        let index = self.b.ins().load(I32, flags, at, index_at);
        let wide = self.b.ins().uextend(I64, index);
        let mut go = self.b.ins().icmp(IntCC::UnsignedLessThan, wide, count);
        if self.mask.is_some() {
            let mask = self.b.ins().load(I32, flags, at, mask_at);
            let active = self.b.ins().icmp_imm_u(IntCC::NotEqual, mask, 0);
            go = self.b.ins().band(go, active);
        }
        self.b.ins().brif(go, access, &[], next, &[]);
        self.b.switch_to_block(access);
        let place = self.address(words.base, index, 4);
        if stored.is_some() {
            let bits = self.b.ins().load(I32, flags, at, value_at);
            self.b.ins().store(words.flags, bits, place, words.offset);
        } else {
            let bits = self.b.ins().load(I32, words.flags, place, words.offset);
            self.b.ins().store(flags, bits, at, value_at);
        }
        self.b.ins().jump(next, &[]);
        self.b.switch_to_block(next);
        let following = self.b.ins().iadd_imm_s(at, 4);
        let more = self.b.ins().icmp(IntCC::UnsignedLessThan, following, end);
        self.b.ins().brif(more, header, &[following.into()], after, &[]);
        self.b.switch_to_block(after);
        if stored.is_some() {
            return Lanes::new();
        }
        self.load_vectors(scalar, flags, address, value_at)
    }

    /// Room on the stack for indices, masks and values of a gang.
    fn lane_slot(&mut self) -> StackSlot {
        *self.lane_slot.get_or_insert_with(|| {
            let bytes = 3 * 4 * MAX_WIDTH;
            self.b.create_sized_stack_slot(StackSlotData::new(StackSlotKind::ExplicitSlot, bytes, 4))
        })
    }

    // ---- private memory

    fn is_interleaved(&self, buffer: Buffer) -> bool {
        self.plan.private[buffer] == PrivateCopies::One
    }

    /// The address of the gang's words at a uniform index, and whether it is in bounds: known or a condition.
    fn private_place(&mut self, buffer: Buffer, index: Value) -> (ir::Value, i32, Result<bool, ir::Value>) {
        let offset = self.plan.frame.buffers[buffer];
        let count = self.p.buffers[buffer].static_bytes().unwrap_or(0) / 4;
        let at = self.get_scalar(index);
        let bytes = interleaved_bytes(self.shapes.width);
        if let Some(index) = known(&self.b, at) {
            // `frame` keeps everything below 2^28.
            let at = offset + if index < count { index * bytes as u64 } else { 0 };
            return (self.scratch, at as i32, Ok(index < count));
        }
        let inside = if (self.limits.largest(self.p, index) as u64) < count {
            Ok(true)
        } else {
            Err(self.b.ins().icmp_imm_u(IntCC::UnsignedLessThan, at, count as i64))
        };
        (self.address(self.scratch, at, bytes), offset as i32, inside)
    }

    fn private_load(&mut self, buffer: Buffer, index: Value, scalar: Scalar) -> Lanes {
        let (address, offset, inside) = self.private_place(buffer, index);
        let flags = self.word_flags(buffer);
        let load = |l: &mut Self| l.load_vectors(scalar, flags, address, offset);
        let condition = match inside {
            Ok(true) => return load(self),
            Ok(false) => {
                let zero = crate::ops::constant(&mut self.b, scalar, 0);
                let zero = vector::splat(&mut self.b, scalar, zero);
                return Lanes::from_elem(zero, self.vector_count());
            }
            Err(condition) => condition,
        };
        let zero = crate::ops::constant(&mut self.b, scalar, 0);
        let zero = vector::splat(&mut self.b, scalar, zero);
        let [there, after] = [(); 2].map(|()| self.b.create_block());
        let zeros: Vec<BlockArg> = vec![BlockArg::Value(zero); self.vector_count()];
        self.b.ins().brif(condition, there, &[], after, &zeros);
        self.b.switch_to_block(there);
        let values: Vec<BlockArg> = load(self).into_iter().map(BlockArg::Value).collect();
        self.b.ins().jump(after, &values);
        self.b.switch_to_block(after);
        (0..values.len()).map(|_| self.b.append_block_param(after, vector_type(scalar))).collect()
    }

    fn private_store(&mut self, buffer: Buffer, index: Value, value: Value) {
        let (address, offset, inside) = self.private_place(buffer, index);
        let flags = self.word_flags(buffer);
        let scalar = self.p.ty(value).scalar;
        let mut vectors = self.vectors(value);
        let after = match inside {
            Ok(true) => None,
            Ok(false) => return,
            Err(condition) => {
                let [there, after] = [(); 2].map(|()| self.b.create_block());
                self.b.ins().brif(condition, there, &[], after, &[]);
                self.b.switch_to_block(there);
                Some(after)
            }
        };
        // The memory is each invocation's own, so those outside of the mask may write what they have.
        if let Some(mask) = self.mask.clone() {
            let old = self.load_vectors(scalar, flags, address, offset);
            for ((new, old), mask) in vectors.iter_mut().zip(old).zip(mask) {
                *new = blend(&mut self.b, mask, *new, old);
            }
        }
        self.store_vectors(flags, address, offset, &vectors);
        if let Some(after) = after {
            self.b.ins().jump(after, &[]);
            self.b.switch_to_block(after);
        }
    }
}

/// How far apart in bytes words of one invocation are in a gang's interleaved private memory.
pub(crate) fn interleaved_bytes(width: u32) -> u32 {
    debug_assert!(width.is_power_of_two() && width as usize >= LANES);
    4 * width
}
