//! Atomic functions, barriers and subgroup operations: statements that other invocations take part in.

use super::lower::{Lower, Outcome};
use super::value::{BIG, Leaves};
use naga::{
    AtomicFunction as A, Barrier, CollectiveOperation, Direction, Expression as E, GatherMode, Handle,
    SubgroupOperation as S,
};
use vyre_ir::*;

impl Lower<'_> {
    pub fn atomic(
        &mut self,
        pointer: Handle<E>,
        fun: A,
        value: Handle<E>,
        result: Option<Handle<E>>,
    ) -> Outcome<()> {
        let place = self.place(pointer)?;
        let mut value = self.value(value)?;
        let compare = match fun {
            A::Exchange { compare: Some(compare) } => Some(self.value(compare)?),
            _ => None,
        };
        let (buffer, index, scalar) = self.atomic_place(&place);
        let leaves: Leaves = if let Some(compare) = compare {
            let (old, exchanged) = self.code.b.compare_exchange(buffer, index, compare, value);
            [old, exchanged].into_iter().collect()
        } else {
            let op = match fun {
                A::Add => Op::AtomicAdd,
                A::Subtract if scalar.is_float() => {
                    value = self.code.op(Op::Neg, &[value]);
                    Op::AtomicAdd
                }
                A::Subtract => Op::AtomicSub,
                A::And => Op::AtomicAnd,
                A::ExclusiveOr => Op::AtomicXor,
                A::InclusiveOr => Op::AtomicOr,
                A::Min => Op::AtomicMin,
                A::Max => Op::AtomicMax,
                A::Exchange { .. } => Op::AtomicExchange,
            };
            [self.code.b.atomic(op, buffer, index, value)].into_iter().collect()
        };
        if let Some(result) = result {
            let ty = self.type_of(result);
            let value = self.of_leaves(ty, leaves);
            self.set_value(result, value)?;
        }
        Ok(())
    }

    pub fn barrier(&mut self, flags: Barrier) {
        if flags.contains(Barrier::SUB_GROUP) {
            self.code.b.sync(Op::SubgroupBarrier);
        }
        if flags.contains(Barrier::STORAGE) {
            self.code.b.sync(Op::StorageBarrier);
        }
        // Without memory to order it still waits.
        if flags.contains(Barrier::WORK_GROUP) || !flags.intersects(Barrier::SUB_GROUP | Barrier::STORAGE) {
            self.code.b.sync(Op::WorkgroupBarrier);
        }
    }

    pub fn uniform_load(&mut self, pointer: Handle<E>, result: Handle<E>) -> Outcome<()> {
        let place = self.place(pointer)?;
        let leaves = self.types[place.ty].leaves;
        if leaves > BIG {
            return Err(self.unsupported(&format!("workgroupUniformLoad of a value with {leaves} parts")));
        }
        let value = self.load_by(&place, Op::UniformLoad)?;
        self.set_value(result, value)
    }

    pub fn ballot(&mut self, predicate: Option<Handle<E>>, result: Handle<E>) -> Outcome<()> {
        let predicate = match predicate {
            Some(e) => self.value(e)?,
            None => self.code.bits(Scalar::Bool, 1),
        };
        let mask = self.code.op(Op::SubgroupBallot, &[predicate]);
        let value = self.of_value(mask);
        self.set_value(result, value)
    }

    pub fn collective(
        &mut self,
        op: S,
        how: CollectiveOperation,
        argument: Handle<E>,
        result: Handle<E>,
    ) -> Outcome<()> {
        use CollectiveOperation::*;
        let op = match (how, op) {
            (Reduce, S::All) => Op::SubgroupAll,
            (Reduce, S::Any) => Op::SubgroupAny,
            (Reduce, S::Add) => Op::SubgroupAdd,
            (Reduce, S::Mul) => Op::SubgroupMul,
            (Reduce, S::Min) => Op::SubgroupMin,
            (Reduce, S::Max) => Op::SubgroupMax,
            (Reduce, S::And) => Op::SubgroupAnd,
            (Reduce, S::Or) => Op::SubgroupOr,
            (Reduce, S::Xor) => Op::SubgroupXor,
            (InclusiveScan, S::Add) => Op::SubgroupInclusiveAdd,
            (InclusiveScan, S::Mul) => Op::SubgroupInclusiveMul,
            (ExclusiveScan, S::Add) => Op::SubgroupExclusiveAdd,
            (ExclusiveScan, S::Mul) => Op::SubgroupExclusiveMul,
            (how, op) => return Err(self.unsupported(&format!("the subgroup operation {how:?} of {op:?}"))),
        };
        let argument = self.value(argument)?;
        let value = self.code.op(op, &[argument]);
        let value = self.of_value(value);
        self.set_value(result, value)
    }

    pub fn gather(&mut self, mode: GatherMode, argument: Handle<E>, result: Handle<E>) -> Outcome<()> {
        let argument = self.value(argument)?;
        let (op, lane) = match mode {
            GatherMode::BroadcastFirst => (Op::SubgroupBroadcastFirst, None),
            GatherMode::Broadcast(lane) | GatherMode::Shuffle(lane) => {
                (Op::SubgroupShuffle, Some(self.value(lane)?))
            }
            GatherMode::ShuffleDown(by) => (Op::SubgroupShuffleDown, Some(self.value(by)?)),
            GatherMode::ShuffleUp(by) => (Op::SubgroupShuffleUp, Some(self.value(by)?)),
            GatherMode::ShuffleXor(mask) => (Op::SubgroupShuffleXor, Some(self.value(mask)?)),
            GatherMode::QuadBroadcast(lane) => {
                let (lane, low, high) = (self.value(lane)?, self.code.u32(3), self.code.u32(!3));
                let own = self.code.index(Op::SubgroupLane);
                let first = self.code.op(Op::And, &[own, high]);
                let within = self.code.op(Op::And, &[lane, low]);
                (Op::SubgroupShuffle, Some(self.code.op(Op::Or, &[first, within])))
            }
            GatherMode::QuadSwap(direction) => {
                let mask = match direction {
                    Direction::X => 1,
                    Direction::Y => 2,
                    Direction::Diagonal => 3,
                };
                (Op::SubgroupShuffleXor, Some(self.code.u32(mask)))
            }
        };
        let operands: Leaves = [Some(argument), lane].into_iter().flatten().collect();
        let value = self.code.op(op, &operands);
        let value = self.of_value(value);
        self.set_value(result, value)
    }
}
