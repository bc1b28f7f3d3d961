//! Subgroup operations.
//!
//! Reductions, scans and votes are naga's. A shuffle is not: the row gives 0 for a lane that is not active, where the
//! output languages leave the value open, so the lane is looked up in a ballot first; and WGSL wants the offset of
//! its relative shuffles to be uniform, so a row whose offset is not a constant names the lane itself.
//!
//! Sums and products of bf16 go from lane to lane, since each step is rounded: no language has such an operation, and
//! one that is rounded at its end only would be far off. Integers of 8 bits wrap once, at the end.

use super::code::{Code, Val};
use super::types;
use naga::{CollectiveOperation as Collective, Expression, GatherMode, Statement, SubgroupOperation as Sub};
use vyre_ir::{Op, Scalar, Type};

/// Lanes that a ballot has bits for.
const MOST_LANES: u32 = 128;

fn collective(op: Op) -> Option<(Sub, Collective)> {
    Some(match op {
        Op::SubgroupAll => (Sub::All, Collective::Reduce),
        Op::SubgroupAny => (Sub::Any, Collective::Reduce),
        Op::SubgroupAdd => (Sub::Add, Collective::Reduce),
        Op::SubgroupMul => (Sub::Mul, Collective::Reduce),
        Op::SubgroupMin => (Sub::Min, Collective::Reduce),
        Op::SubgroupMax => (Sub::Max, Collective::Reduce),
        Op::SubgroupAnd => (Sub::And, Collective::Reduce),
        Op::SubgroupOr => (Sub::Or, Collective::Reduce),
        Op::SubgroupXor => (Sub::Xor, Collective::Reduce),
        Op::SubgroupInclusiveAdd => (Sub::Add, Collective::InclusiveScan),
        Op::SubgroupInclusiveMul => (Sub::Mul, Collective::InclusiveScan),
        Op::SubgroupExclusiveAdd => (Sub::Add, Collective::ExclusiveScan),
        Op::SubgroupExclusiveMul => (Sub::Mul, Collective::ExclusiveScan),
        _ => return None,
    })
}

/// Whether the operation is relative to the invocation's position in its subgroup.
pub(super) fn needs_lane(op: Op) -> bool {
    matches!(op, Op::SubgroupShuffleXor | Op::SubgroupShuffleUp | Op::SubgroupShuffleDown)
}

/// Whether the operation goes from lane to lane.
pub(super) fn is_in_order(op: Op, scalar: Scalar) -> bool {
    scalar == Scalar::BF16 && collective(op).is_some_and(|(sub, _)| matches!(sub, Sub::Add | Sub::Mul))
}

impl Code {
    /// A subgroup operation; `lane` is this invocation's position in its subgroup, for [`needs_lane`].
    pub fn subgroup(&mut self, op: Op, args: &[Val], lane: Option<Val>) -> Val {
        let argument = args[0];
        let scalar = argument.ty.scalar;
        if self.exact && scalar.is_float() && matches!(op, Op::SubgroupMin | Op::SubgroupMax) {
            let wide = if scalar.bits() == 16 { Scalar::F32 } else { scalar };
            let argument = self.convert(argument, wide);
            let key = self.ordered(op, argument);
            let key = self.subgroup(op, &[key], None);
            let result = self.unordered(key, wide);
            return self.convert(result, scalar);
        }
        if let Some((op, collective)) = collective(op) {
            return self.collective(op, collective, argument);
        }
        match op {
            Op::SubgroupBallot => self.ballot(Some(argument)),
            Op::SubgroupBroadcastFirst => self.gather(GatherMode::BroadcastFirst, argument),
            _ => self.shuffle(op, argument, args[1], lane),
        }
    }

    fn collective(&mut self, op: Sub, collective_op: Collective, argument: Val) -> Val {
        let ty = argument.ty;
        if types::is_carried(ty.scalar) {
            let carrier = self.carrier(argument);
            let result = self.collective(op, collective_op, carrier);
            return match op {
                Sub::Add | Sub::Mul => self.in_range(result, ty.scalar),
                _ => self.carried(result, ty.scalar),
            };
        }
        let narrow_bits = ty.scalar.bits() == 16 && matches!(op, Sub::And | Sub::Or | Sub::Xor);
        if narrow_bits {
            let wide = self.convert(argument, Scalar::U32);
            let wide = self.collective(op, collective_op, wide);
            return self.convert(wide, ty.scalar);
        }
        if ty.scalar == Scalar::Bool && ty.lanes > 1 {
            let lanes: Vec<Val> = (0..ty.lanes)
                .map(|lane| {
                    let scalar = self.extract(argument, lane);
                    self.collective(op, collective_op, scalar)
                })
                .collect();
            return self.compose(ty, &lanes);
        }
        let argument = self.get(argument);
        let naga_type = self.ty(ty);
        let result = self.declare(Expression::SubgroupOperationResult { ty: naga_type });
        self.statement(Statement::SubgroupCollectiveOperation { op, collective_op, argument, result });
        Val::expr(ty, result)
    }

    fn gather(&mut self, mode: GatherMode, argument: Val) -> Val {
        let ty = argument.ty;
        let argument = self.get(argument);
        let naga_type = self.ty(ty);
        let result = self.declare(Expression::SubgroupOperationResult { ty: naga_type });
        self.statement(Statement::SubgroupGather { mode, argument, result });
        Val::expr(ty, result)
    }

    fn ballot(&mut self, predicate: Option<Val>) -> Val {
        let predicate = predicate.map(|p| self.get(p));
        let result = self.declare(Expression::SubgroupBallotResult);
        self.statement(Statement::SubgroupBallot { result, predicate });
        Val::expr(Type::new(Scalar::U32, 4), result)
    }

    /// The lanes that run this.
    fn active(&mut self) -> Val {
        self.ballot(Some(Val::splat(Scalar::Bool, 1)))
    }

    /// Whether a ballot has the bit of a lane below [`MOST_LANES`].
    fn is_among(&mut self, ballot: Val, lane: Val) -> Val {
        let word = self.op(Op::Shr, &[lane, Val::u32(5)]);
        let word = match word.same_bits() {
            Some(word) => self.extract(ballot, word as u8),
            None => {
                let (base, index) = (self.get(ballot), self.get(word));
                self.value(Scalar::U32, Expression::Access { base, index })
            }
        };
        let bit = self.op(Op::And, &[lane, Val::u32(31)]);
        let rest = self.op(Op::Shr, &[word, bit]);
        let set = self.op(Op::And, &[rest, Val::u32(1)]);
        self.op(Op::Eq, &[set, Val::u32(1)])
    }

    /// The operation of [`is_in_order`]: a loop over the lanes of the subgroup, in which each invocation adds up those
    /// that are active and count for it. `lane` is this one's, `size` the number of lanes.
    pub fn in_order(&mut self, op: Op, argument: Val, lane: Val, size: Val) -> Val {
        let (sub, reach) = collective(op).expect("the caller asked whether it goes from lane to lane");
        let (step, identity) = if sub == Sub::Add { (Op::Add, 0.0) } else { (Op::Mul, 1.0) };
        let ty = argument.ty;
        let active = self.active();
        let identity = Val::splat(ty, vyre_ir::program::number_bits(ty.scalar, identity));
        let [sum, started, source] =
            [("sum", ty), ("begun", Scalar::Bool.into()), ("source", Scalar::U32.into())]
                .map(|(name, ty)| self.variable(name, ty));
        self.assign(sum, identity);
        self.assign(started, Val::splat(Scalar::Bool, 0));
        self.assign(source, Val::u32(0));
        let begun = self.begin_loop();
        let from = self.read(Scalar::U32, source).at_most(MOST_LANES as u64 - 1);
        let mode = GatherMode::Shuffle(self.get(from));
        let value = self.gather(mode, argument);
        let is_active = self.is_among(active, from);
        let counts = match reach {
            Collective::Reduce => is_active,
            Collective::InclusiveScan | Collective::ExclusiveScan => {
                let before = if reach == Collective::InclusiveScan { Op::Le } else { Op::Lt };
                let before = self.op(before, &[from, lane]);
                self.op(Op::And, &[is_active, before])
            }
        };
        // The first value is taken as it is: 0 and -0 are 0.
        let (old, has_begun) = (self.read(ty, sum), self.read(Scalar::Bool, started));
        let next = self.op(step, &[old, value]);
        let next = self.choose(has_begun, next, value);
        let next = self.choose(counts, next, old);
        self.assign(sum, next);
        let has_begun = self.op(Op::Or, &[has_begun, counts]);
        self.assign(started, has_begun);
        let next = self.op(Op::Add, &[from, Val::u32(1)]);
        self.assign(source, next);
        let done = self.op(Op::Le, &[size, next]);
        self.end_loop(begun, done);
        self.read(ty, sum)
    }

    fn shuffle(&mut self, op: Op, value: Val, operand: Val, lane: Option<Val>) -> Val {
        let source = match lane {
            None => operand,
            Some(lane) => {
                let (step, far) = match op {
                    Op::SubgroupShuffleXor => (Op::Xor, None),
                    Op::SubgroupShuffleUp => (Op::Sub, Some(self.op(Op::Lt, &[lane, operand]))),
                    _ => (Op::Add, Some(self.op(Op::Lt, &[Val::u32(MOST_LANES), operand]))),
                };
                let source = self.op(step, &[lane, operand]);
                match far {
                    None => source,
                    // Where it wraps it would name a lane again.
                    Some(far) => self.op(Op::Select, &[far, Val::u32(MOST_LANES), source]),
                }
            }
        };
        let active = self.active();
        let exists = self.op(Op::Lt, &[source, Val::u32(MOST_LANES)]);
        let near = self.op(Op::And, &[source, Val::u32(MOST_LANES - 1)]);
        let set = self.is_among(active, near);
        let active = self.op(Op::And, &[exists, set]);
        let mode = match (op, operand.same_bits()) {
            (Op::SubgroupShuffleXor, Some(mask)) if mask < MOST_LANES as u64 => {
                GatherMode::ShuffleXor(self.get(operand))
            }
            (Op::SubgroupShuffleUp, Some(n)) if n < MOST_LANES as u64 => {
                GatherMode::ShuffleUp(self.get(operand))
            }
            (Op::SubgroupShuffleDown, Some(n)) if n < MOST_LANES as u64 => {
                GatherMode::ShuffleDown(self.get(operand))
            }
            _ => GatherMode::Shuffle(self.get(near)),
        };
        let taken = self.gather(mode, value);
        self.choose(active, taken, Val::splat(value.ty, 0))
    }
}
