//! Loads, stores, atomics and barriers, such that the order of invocations does not matter.

use super::{ATOMICS, Generator, OUT, SLOT, TILE};
use vyre_ir::{Buffer, OPS, Op, Rule, Scalar, Type, Value};

impl Generator<'_> {
    /// Reads what nobody writes, in bounds or not, in any type.
    pub(super) fn read(&mut self) {
        let from = [self.memory.words, self.memory.floats, self.memory.uniform][self.random.below(3)];
        let ty = self.stored_type();
        let index = self.u32();
        let index = match self.random.below(4) {
            0 => index,
            _ => {
                let mask = self.b.u32(63);
                self.b.op(Op::And, &[index, mask])
            }
        };
        let value = self.b.load(Op::Load, from, index, ty);
        self.pool.push(value);
    }

    /// A value that differs from invocation to invocation, from what nobody writes.
    pub(super) fn varied(&mut self) -> Value {
        let from = [self.memory.words, self.memory.floats][self.random.below(2)];
        let ty = self.stored_type();
        let mask = self.b.u32(31);
        let index = self.b.op(Op::And, &[self.invocation, mask]);
        let value = self.b.load(Op::Load, from, index, ty);
        self.pool.push(value);
        value
    }

    /// Reads, changes and writes the same place: in a loop each iteration sees what the one before wrote.
    pub(super) fn update(&mut self) {
        let ty = self.stored_type();
        let (buffer, index) = match self.random.below(2) {
            0 => (self.memory.data, self.index_in(self.invocation, SLOT, ty)),
            _ => (self.memory.private, self.b.u32(self.random.below(4) as u32)),
        };
        let old = self.b.load(Op::Load, buffer, index, ty);
        let other = self.of(ty);
        let new = self.b.op([Op::Add, Op::Sub, Op::Max][self.random.below(3)], &[old, other]);
        let new = self.without_nan(new);
        self.b.store(Op::Store, buffer, index, new);
        self.pool.push(old);
    }

    /// Index of a place for a `ty` among the `bytes` of each `owner`.
    pub(super) fn index_in(&mut self, owner: Value, bytes: u64, ty: Type) -> Value {
        let size = ty.scalar.bytes() as u64;
        let places = (bytes - ty.bytes() as u64) / size + 1;
        let scale = self.b.u32((bytes / size) as u32);
        let place = self.b.u32(self.random.below(places as usize) as u32);
        let start = self.b.op(Op::Mul, &[owner, scale]);
        self.b.op(Op::Add, &[start, place])
    }

    /// An index that is in no buffer.
    pub(super) fn outside(&mut self, index: Value) -> Value {
        let high = self.b.u32([0x8000_0000, 0xffff_0000, 0xffff_ffff][self.random.below(3)]);
        self.b.op(Op::Or, &[index, high])
    }

    pub(super) fn own_slot(&mut self) {
        let value = self.storable();
        let ty = self.b.ty(value);
        let mut index = self.index_in(self.invocation, SLOT, ty);
        if self.random.below(8) == 0 {
            index = self.outside(index);
        }
        self.access(self.memory.data, index, value);
    }

    pub(super) fn private(&mut self) {
        let value = self.storable();
        let index = self.u32();
        let mask = self.b.u32([7, 15, 63][self.random.below(3)]);
        let index = self.b.op(Op::And, &[index, mask]);
        self.access(self.memory.private, index, value);
    }

    /// Stores the value or loads one of its type.
    pub(super) fn access(&mut self, buffer: Buffer, index: Value, value: Value) {
        if self.random.below(2) == 0 {
            self.b.store(Op::Store, buffer, index, value);
        } else {
            let value = self.b.load(Op::Load, buffer, index, self.b.ty(value));
            self.pool.push(value);
        }
    }

    /// Stores some values for the host to see.
    pub(super) fn output(&mut self) {
        for _ in 0..6 {
            let value = self.at_hand();
            self.show(value);
        }
    }

    /// Stores a value for the host to see.
    pub(super) fn show(&mut self, value: Value) {
        let value = match self.b.ty(value).scalar {
            Scalar::Bool => self.b.convert(value, Scalar::U32),
            _ => value,
        };
        let value = self.without_nan(value);
        let ty = self.b.ty(value);
        let index = self.index_in(self.invocation, OUT, ty);
        self.b.store(Op::Store, self.memory.out, index, value);
    }

    /// An atomic operation, for whose place no other operation and no other type is used.
    pub(super) fn atomic(&mut self) {
        let buffer = [self.memory.sums, self.memory.shared_sums][self.random.below(2)];
        let (op, row) = commuting()[self.random.below(commuting().len())];
        let kinds: Vec<usize> = (0..4).filter(|&k| self.scalars.contains(&ATOMICS[k])).collect();
        let kind = kinds[self.random.below(kinds.len())];
        let value = self.of(ATOMICS[kind].into());
        let mut index = self.sum_index(row, kind);
        if self.random.below(8) == 0 {
            index = self.outside(index);
        }
        self.b.atomic(op, buffer, index, value);
    }

    /// The index of one of the two places for a row of [`commuting`] and a type.
    pub(super) fn sum_index(&mut self, row: usize, kind: usize) -> Value {
        let scale = 8 / ATOMICS[kind].bytes();
        let first = self.b.u32(((row * 4 + kind) * 2) as u32 * scale);
        let any = self.u32();
        let one = self.b.u32(1);
        let which = self.b.op(Op::And, &[any, one]);
        self.b.op(Op::Add, &[first, which])
    }

    // ---- between invocations, where control flow is uniform

    pub(super) fn barrier(&mut self) {
        self.b.sync([Op::WorkgroupBarrier, Op::StorageBarrier][self.random.below(2)]);
    }

    /// Writes the own part of workgroup memory and reads a neighbor's, between barriers.
    pub(super) fn exchange(&mut self) {
        let value = self.storable();
        let ty = self.b.ty(value);
        if ty.bytes() as u64 > TILE {
            return;
        }
        let me = self.b.index(Op::LocalIndex);
        let index = self.index_in(me, TILE, ty);
        self.b.store(Op::Store, self.memory.tile, index, value);
        if self.random.below(3) == 0 {
            let index = self.b.u32(self.random.below(TILE as usize * self.threads as usize) as u32);
            let value = self.b.load(Op::UniformLoad, self.memory.tile, index, ty);
            self.pool.push(value);
            return;
        }
        self.b.sync(Op::WorkgroupBarrier);
        let by = self.u32();
        let other = self.b.op(Op::Add, &[me, by]);
        let threads = self.b.u32(self.threads as u32);
        let other = self.b.op(Op::Rem, &[other, threads]);
        let index = self.index_in(other, TILE, ty);
        let value = self.b.load(Op::Load, self.memory.tile, index, ty);
        self.b.sync(Op::WorkgroupBarrier);
        self.pool.push(value);
    }

    /// Reads what atomics of the workgroup made.
    pub(super) fn shared_sums(&mut self) {
        let row = self.random.below(commuting().len());
        let kinds: Vec<usize> = (0..4).filter(|&k| self.scalars.contains(&ATOMICS[k])).collect();
        let kind = kinds[self.random.below(kinds.len())];
        self.b.sync(Op::WorkgroupBarrier);
        let index = self.sum_index(row, kind);
        let value = self.b.load(Op::AtomicLoad, self.memory.shared_sums, index, ATOMICS[kind].into());
        self.b.sync(Op::WorkgroupBarrier);
        self.pool.push(value);
    }
}

/// Atomics whose order does not matter while the old value is not used, with their numbers.
pub(super) fn commuting() -> Vec<(Op, usize)> {
    let rows =
        OPS.iter().filter(|info| matches!(info.rule, Rule::Atomic(_)) && info.op != Op::AtomicExchange);
    rows.enumerate().map(|(i, info)| (info.op, i)).collect()
}

/// Two places of 8 bytes for each of [`commuting`] and each of [`ATOMICS`].
pub(super) fn sums_bytes() -> u64 {
    (commuting().len() * ATOMICS.len() * 2 * 8) as u64
}
