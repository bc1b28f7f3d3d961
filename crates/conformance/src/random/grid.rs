//! What waits for the grid, where all invocations of the grid come together.

use super::memory::commuting;
use super::{ATOMICS, Generator, SLOT, TILE};
use vyre_ir::{Op, Scalar, Type, Value};

impl Generator<'_> {
    pub(super) fn grid_sync(&mut self) {
        self.b.sync(Op::GridSync);
    }

    /// What the first invocation has of some value.
    pub(super) fn agreed(&mut self) -> Value {
        let fits = |scalar: &Scalar| matches!(scalar, Scalar::Bool | Scalar::I32 | Scalar::U32 | Scalar::F32);
        let scalars: Vec<Scalar> = self.scalars.iter().copied().filter(fits).collect();
        let scalar = scalars[self.random.below(scalars.len())];
        let value = self.of(scalar.into());
        let value = self.without_nan(value);
        let zero = self.b.u32(0);
        // The others pass nothing.
        let first = self.b.op(Op::Eq, &[self.invocation, zero]);
        self.b.op(Op::GridUniform, &[value, first])
    }

    /// A condition that is the same for the whole grid.
    pub(super) fn grid_condition(&mut self) -> Value {
        let left = match self.random.below(4) {
            0 => self.b.axis(Op::NumWorkgroups, self.random.below(2) as u8),
            1 => {
                let index = self.b.u32(self.random.below(10) as u32);
                self.b.load(Op::Load, self.memory.uniform, index, Scalar::U32.into())
            }
            _ => {
                let value = self.agreed();
                let value = if self.b.ty(value).scalar == Scalar::U32 {
                    value
                } else {
                    self.b.convert(value, Scalar::U32)
                };
                let one = self.b.u32(1);
                self.b.op(Op::And, &[value, one])
            }
        };
        let right = self.b.u32(self.random.below(3) as u32);
        self.b.op([Op::Lt, Op::Eq, Op::Ne][self.random.below(3)], &[left, right])
    }

    /// Writes the own slot and reads that of another invocation of the grid, which writes there again later.
    pub(super) fn grid_exchange(&mut self) {
        let value = self.storable();
        let ty = self.b.ty(value);
        let index = self.index_in(self.invocation, SLOT, ty);
        self.b.store(Op::Store, self.memory.data, index, value);
        self.b.sync(Op::GridSync);
        let by = self.b.u32(1 + self.random.below(9) as u32);
        let other = self.b.op(Op::Add, &[self.invocation, by]);
        let index = self.index_in(other, SLOT, ty);
        let value = self.b.load(Op::Load, self.memory.data, index, ty);
        self.b.sync(Op::GridSync);
        self.pool.push(value);
    }

    /// Reads what atomics of the grid made.
    pub(super) fn grid_sums(&mut self) {
        let row = self.random.below(commuting().len());
        let kinds: Vec<usize> = (0..4).filter(|&k| self.scalars.contains(&ATOMICS[k])).collect();
        let kind = kinds[self.random.below(kinds.len())];
        self.b.sync(Op::GridSync);
        let index = self.sum_index(row, kind);
        let value = self.b.load(Op::AtomicLoad, self.memory.sums, index, ATOMICS[kind].into());
        self.b.sync(Op::GridSync);
        self.pool.push(value);
    }

    /// Writes the own part of workgroup memory before a grid sync and reads a neighbor's after it.
    pub(super) fn tile_across(&mut self) {
        let value = self.storable();
        let ty: Type = self.b.ty(value);
        if ty.bytes() as u64 > TILE {
            return;
        }
        let me = self.b.index(Op::LocalIndex);
        let index = self.index_in(me, TILE, ty);
        self.b.store(Op::Store, self.memory.tile, index, value);
        self.b.sync(Op::GridSync);
        let (by, threads) = (self.u32(), self.b.u32(self.threads as u32));
        let other = self.b.op(Op::Add, &[me, by]);
        let other = self.b.op(Op::Rem, &[other, threads]);
        let index = self.index_in(other, TILE, ty);
        let value = self.b.load(Op::Load, self.memory.tile, index, ty);
        self.b.sync(Op::WorkgroupBarrier);
        self.pool.push(value);
    }
}
