//! Atomic operations, by lanes in ascending order.
//!
//! Memory of a workgroup and its invocations belongs to one thread, so atomics on it are ordinary accesses. On bound
//! memory they are the machine's; a relaxed order is all that the rows promise.

use super::lanes::Scalars;
use super::memory::{Inside, Memory};
use super::report::Who;
use super::scalar::{cast, clif_type, constant};
use super::{Emitter, Lanes};
use crate::form::{Place, Space, Step, Type, Var, Vars};
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::types::{I32, I64};
use cranelift_codegen::ir::{self, AtomicRmwOp, BlockArg, InstBuilder, MemFlagsData};
use smallvec::{SmallVec, smallvec};
use vyre_ir::{Op, Scalar, Sig};

impl Emitter<'_> {
    pub fn atomic(&mut self, op: Op, outs: &Vars, operands: &Vars, place: &Place) {
        let scalar = place.scalar;
        let results: SmallVec<[Scalar; 2]> = match op {
            Op::AtomicCompareExchange => smallvec![scalar, Scalar::Bool],
            _ => smallvec![scalar],
        };
        let memory = self.memory(place);
        if self.form.width == 1 {
            let index = self.uniform(place.index);
            let inside = self.inside_place(place, &memory, index, 1);
            let inside = self.if_active(place.mask, inside);
            let operands: Scalars = operands.iter().map(|&x| self.uniform(x)).collect();
            let results = self.atomic_at(op, place, &memory, index, inside, &operands, &results);
            return self.set_each(outs, results[..outs.len()].into());
        }
        if outs.is_empty() && place.is_same() && reduces(op) && scalar.is_int() {
            return self.reduced_atomic(op, operands[0], place, &memory);
        }
        let mut inputs: SmallVec<[(Scalar, Lanes); 4]> = SmallVec::new();
        if place.step == Step::Each {
            inputs.push((Scalar::U32, self.vectors(place.index)));
        }
        let first = inputs.len();
        for &x in operands.iter() {
            if let Type { scalar, varying: true } = self.ty(x) {
                inputs.push((scalar, self.get(x)));
            }
        }
        let mask = place.mask.map(|mask| self.vectors(mask));
        let kept = if outs.is_empty() { &[][..] } else { &results[..] };
        let lanes = self.loop_lanes(&inputs, mask.as_ref(), kept, |e, lane, args| {
            let index = match place.step {
                Step::Each => args[0],
                Step::Same => e.uniform(place.index),
                Step::By(stride) => {
                    let (first, lane) = (e.uniform(place.index), e.b.ins().ireduce(I32, lane));
                    let steps = e.b.ins().imul_imm_u(lane, stride as i64);
                    e.b.ins().iadd(first, steps)
                }
            };
            let mut varying = args[first..].iter();
            let operands: Scalars = operands
                .iter()
                .map(|&x| if e.ty(x).varying { *varying.next().expect("pushed above") } else { e.uniform(x) })
                .collect();
            let memory = e.moved_to_lane(&memory, lane);
            let inside = e.inside_lane(place, &memory, index, 1, lane);
            let mut values = e.atomic_at(op, place, &memory, index, inside, &operands, &results);
            values.truncate(kept.len());
            values
        });
        for (&out, lanes) in outs.iter().zip(lanes) {
            self.set(out, lanes);
        }
    }

    /// The operation at an index; zeros if it is not in bounds.
    #[allow(clippy::too_many_arguments)]
    fn atomic_at(
        &mut self,
        op: Op,
        place: &Place,
        memory: &Memory,
        index: ir::Value,
        inside: Inside,
        operands: &[ir::Value],
        results: &[Scalar],
    ) -> Scalars {
        let types: SmallVec<[Type; 2]> =
            results.iter().map(|&scalar| Type { scalar, varying: false }).collect();
        let shared = matches!(place.memory, Space::Bound { shared: true, .. });
        let (scalar, flags) = (place.scalar, memory.flags.with_aligned());
        self.guarded(inside, &types, |e| {
            let (address, at) = e.address(memory, index, 0);
            let address = e.b.ins().iadd_imm_s(address, at as i64);
            if op == Op::AtomicCompareExchange {
                return e.compare_exchange(address, flags, scalar, operands, shared);
            }
            smallvec![e.update(op, address, flags, scalar, operands[0], shared)]
        })
    }

    /// One operation for all lanes, where nobody asks what was there.
    fn reduced_atomic(&mut self, op: Op, operand: Var, place: &Place, memory: &Memory) {
        let scalar = place.scalar;
        // What lanes subtract adds up.
        let join = match op {
            Op::AtomicSub => Op::Add,
            _ => op.info().update.expect("it reduces"),
        };
        let mask = place.mask.map(|mask| self.vectors(mask));
        let vectors = self.vectors(operand);
        let all = self.fold_lanes(join, scalar, &vectors, mask.as_ref());
        let index = self.uniform(place.index);
        let inside = self.inside_place(place, memory, index, 1);
        let inside = self.if_active(place.mask, inside);
        self.atomic_at(op, place, memory, index, inside, &[all], &[scalar]);
    }

    /// Lanes of a mask combined by an operation on integers.
    pub fn fold_lanes(&mut self, op: Op, scalar: Scalar, vectors: &Lanes, mask: Option<&Lanes>) -> ir::Value {
        let mut vectors = vectors.clone();
        if let Some(mask) = mask {
            let neutral = constant(&mut self.b, scalar, neutral(op, scalar));
            let neutral = self.splat(scalar, neutral);
            vectors = self.blend(scalar, mask, &vectors, &neutral);
        }
        let sig = Sig { operand: scalar, result: scalar };
        while vectors.len() > 1 {
            let half = vectors.len() / 2;
            let joined = (0..half).map(|i| {
                let pair = [vectors[i], vectors[i + half]];
                self.vector_op(op, sig, &pair)
            });
            let joined: Option<Lanes> = joined.collect();
            match joined {
                Some(joined) => vectors = joined,
                None => break,
            }
        }
        let lanes = vectors.len() * super::vector::lanes_of(scalar);
        let first = self.lane_of(scalar, &vectors, 0);
        (1..lanes).fold(first, |all, lane| {
            let x = self.lane_of(scalar, &vectors, lane);
            self.scalar_op(op, sig, &[all, x])
        })
    }

    fn compare_exchange(
        &mut self,
        address: ir::Value,
        flags: MemFlagsData,
        scalar: Scalar,
        operands: &[ir::Value],
        shared: bool,
    ) -> Lanes {
        let ty = bits_type(scalar);
        let expected = cast(&mut self.b, operands[0], ty);
        let new = cast(&mut self.b, operands[1], ty);
        let old = if shared {
            self.b.ins().atomic_cas(flags, address, expected, new)
        } else {
            self.b.ins().load(ty, flags, address, 0)
        };
        let equal = self.b.ins().icmp(IntCC::Equal, old, expected);
        if !shared {
            let kept = self.b.ins().select(equal, new, old);
            self.b.ins().store(flags, kept, address, 0);
        }
        smallvec![cast(&mut self.b, old, clif_type(scalar)), equal]
    }

    /// Reads, changes and writes a scalar; gives the old one.
    fn update(
        &mut self,
        op: Op,
        address: ir::Value,
        flags: MemFlagsData,
        scalar: Scalar,
        operand: ir::Value,
        shared: bool,
    ) -> ir::Value {
        let (ty, bits) = (clif_type(scalar), bits_type(scalar));
        if !shared {
            let old = self.b.ins().load(ty, flags, address, 0);
            let new = self.updated(op, scalar, old, operand);
            self.b.ins().store(flags, new, address, 0);
            return old;
        }
        if let Some(machine) = machine_atomic(op, scalar) {
            let operand = cast(&mut self.b, operand, bits);
            let old = self.b.ins().atomic_rmw(bits, flags, machine, address, operand);
            return cast(&mut self.b, old, ty);
        }
        // What the machine has no instruction for is tried until no other thread came between.
        let [retry, done] = [(); 2].map(|()| self.b.create_block());
        let seen = self.b.append_block_param(retry, bits);
        let first = self.b.ins().atomic_load(bits, flags, address);
        self.b.ins().jump(retry, &[BlockArg::Value(first)]);
        self.b.switch_to_block(retry);
        let old = cast(&mut self.b, seen, ty);
        let new = self.updated(op, scalar, old, operand);
        let new = cast(&mut self.b, new, bits);
        let found = self.b.ins().atomic_cas(flags, address, seen, new);
        let same = self.b.ins().icmp(IntCC::Equal, found, seen);
        self.b.ins().brif(same, done, &[], retry, &[BlockArg::Value(found)]);
        self.b.switch_to_block(done);
        old
    }

    fn updated(&mut self, op: Op, scalar: Scalar, old: ir::Value, operand: ir::Value) -> ir::Value {
        // Without an update the operand replaces the old value.
        let Some(op) = op.info().update else { return operand };
        self.scalar_op(op, Sig { operand: scalar, result: scalar }, &[old, operand])
    }

    /// As [`Emitter::inside_place`] for a lane in a loop over lanes.
    pub fn inside_lane(
        &mut self,
        place: &Place,
        memory: &Memory,
        index: ir::Value,
        n: usize,
        lane: ir::Value,
    ) -> Inside {
        if place.proven {
            return Inside::Always;
        }
        let inside = self.inside(memory, index, n);
        if !self.form.checked {
            return inside;
        }
        self.require(place, inside, index, Who::Lane(lane));
        Inside::Always
    }
}

/// Whether operations on one place can be done as one.
fn reduces(op: Op) -> bool {
    use Op::*;
    matches!(op, AtomicAdd | AtomicSub | AtomicMin | AtomicMax | AtomicAnd | AtomicOr | AtomicXor)
}

/// The integer that changes nothing.
pub(super) fn neutral(op: Op, scalar: Scalar) -> u64 {
    let (all, signed) = (scalar.mask(), scalar.is_signed());
    match op {
        Op::And => all,
        Op::Mul => 1,
        Op::Min if signed => all >> 1,
        Op::Min => all,
        Op::Max if signed => (all >> 1) + 1,
        _ => 0,
    }
}

/// The integer that has a scalar's bits.
pub(super) fn bits_type(scalar: Scalar) -> ir::Type {
    match scalar {
        Scalar::F32 => I32,
        Scalar::F64 => I64,
        other => clif_type(other),
    }
}

/// The machine's own instruction, or Cranelift's loop, for an update of an integer or for an exchange.
fn machine_atomic(op: Op, scalar: Scalar) -> Option<AtomicRmwOp> {
    let signed = scalar.is_signed();
    Some(match op {
        Op::AtomicExchange => AtomicRmwOp::Xchg,
        _ if !scalar.is_int() => return None,
        Op::AtomicAdd => AtomicRmwOp::Add,
        Op::AtomicSub => AtomicRmwOp::Sub,
        Op::AtomicAnd => AtomicRmwOp::And,
        Op::AtomicOr => AtomicRmwOp::Or,
        Op::AtomicXor => AtomicRmwOp::Xor,
        Op::AtomicMin if signed => AtomicRmwOp::Smin,
        Op::AtomicMin => AtomicRmwOp::Umin,
        Op::AtomicMax if signed => AtomicRmwOp::Smax,
        Op::AtomicMax => AtomicRmwOp::Umax,
        _ => return None,
    })
}
