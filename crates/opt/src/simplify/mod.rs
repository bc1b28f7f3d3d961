//! Algebra that is exact: every rule gives the same bits, or a NaN for a NaN.
//!
//! Integers wrap, so their rules are those of a ring. For floats `x + 0` is not `x` (-0 + 0 is +0), `x - x`
//! is not 0 and `x == x` is not true. A rule looks at one instruction and the producers of its operands and
//! answers with a [`New`]; rules are tried again on the answer, so each does one step. They are sorted by
//! what they are about: [`integer`], [`float`], [`truth`] (comparisons, bools, selects) and [`shape`]
//! (conversions and vectors).

mod float;
mod integer;
mod shape;
mod truth;

use crate::Target;
use crate::edit::{Edit, Editor, Step, edit};
use smallvec::SmallVec;
use vyre_ir::program::splat_bits;
use vyre_ir::{Attr, Effect, Inst, Op, Program, Scalar, Type, Value};

/// Replaces instructions by simpler ones.
pub fn simplify(p: &mut Program, _: &Target) -> bool {
    edit(p, &mut Simplify)
}

/// What an instruction is the same as.
enum New {
    /// This value.
    Same(Value),
    /// These bits in every lane.
    Bits(u64),
    /// Another operation on values and constants.
    Op(Op, SmallVec<[Operand; 3]>),
}

/// An operand of a replacement.
enum Operand {
    Value(Value),
    /// A constant with these bits in every lane of a type.
    Bits(Type, u64),
}

impl From<Value> for Operand {
    fn from(value: Value) -> Operand {
        Operand::Value(value)
    }
}

fn new_op<const N: usize>(op: Op, args: [Operand; N]) -> Option<New> {
    Some(New::Op(op, args.into_iter().collect()))
}

/// An instruction as the rules see it.
struct View<'p> {
    p: &'p Program,
    op: Op,
    /// Whatever the operation does not have repeats the first operand.
    args: [Value; 3],
    /// The bits of those operands that are constants with equal lanes.
    bits: [Option<u64>; 3],
    /// The type of the first operand.
    operand: Type,
    /// The type of the result.
    result: Type,
}

impl<'p> View<'p> {
    fn new(p: &'p Program, inst: Inst) -> Option<View<'p>> {
        let data = &p.insts[inst];
        let (&first, &[result]) = (data.args.first()?, &data.results[..]) else { return None };
        let mut args = [first; 3];
        for (slot, &arg) in args.iter_mut().zip(&data.args) {
            *slot = arg;
        }
        let mut bits = [None; 3];
        for (slot, &arg) in bits.iter_mut().zip(&data.args) {
            *slot = p.splat_constant(arg);
        }
        let (operand, result) = (p.ty(first), p.ty(result));
        Some(View { p, op: data.op, args, bits, operand, result })
    }

    /// The operands of the instruction that gives a value, if it is an `op`.
    fn made_by(&self, value: Value, op: Op) -> Option<&'p [Value]> {
        let producer = self.p.producer(value)?;
        (producer.op == op).then_some(&producer.args[..])
    }

    fn scalar(&self) -> Scalar {
        self.operand.scalar
    }
}

fn rule(view: &View<'_>) -> Option<New> {
    match view.op {
        Op::Select => truth::select(view),
        Op::Eq | Op::Ne | Op::Lt | Op::Le => truth::compare(view),
        Op::Convert | Op::Bitcast => shape::convert(view),
        Op::Extract | Op::Compose => None,
        _ if view.scalar() == Scalar::Bool => truth::bools(view),
        _ if view.scalar().is_int() => integer::integer(view),
        _ => float::float(view),
    }
}

struct Simplify;

/// How many rules are applied one after the other to one instruction.
const STEPS: usize = 8;

impl Edit for Simplify {
    fn before(&mut self, e: &mut Editor<'_>, inst: Inst) -> Step {
        let op = e.p.insts[inst].op;
        match op {
            Op::If => swap_sides(e, inst),
            Op::Extract | Op::Compose => {
                return match shape::parts(e.p, inst) {
                    Some(value) => e.becomes(inst, value),
                    None => Step::Keep,
                };
            }
            _ => (),
        }
        if op.info().effect != Effect::Pure || op == Op::Call {
            return Step::Keep;
        }
        for _ in 0..STEPS {
            constant_last(e, inst);
            let Some(view) = View::new(e.p, inst) else { break };
            let result = view.result;
            match rule(&view) {
                None => break,
                Some(New::Same(value)) => return e.becomes(inst, value),
                Some(New::Bits(bits)) => {
                    e.set_bits(inst, splat_bits(result, bits));
                    break;
                }
                Some(New::Op(op, operands)) => {
                    let loc = e.p.insts[inst].loc.derived("simplify");
                    let args: SmallVec<[Value; 3]> = operands
                        .into_iter()
                        .map(|operand| match operand {
                            Operand::Value(value) => value,
                            Operand::Bits(ty, bits) => e.splat(ty, bits, loc),
                        })
                        .collect();
                    e.set(inst, op, Attr::None, &args);
                }
            }
        }
        Step::Keep
    }
}

/// Puts a constant operand of a commutative operation behind the other one, where the rules look for it.
fn constant_last(e: &mut Editor<'_>, inst: Inst) {
    let data = &e.p.insts[inst];
    if data.op.info().commutes && e.p.constant(data.args[0]).is_some() && e.p.constant(data.args[1]).is_none()
    {
        e.p.insts[inst].args.swap(0, 1);
        e.changed = true;
    }
}

/// `if not c { a } else { b }` is `if c { b } else { a }`.
fn swap_sides(e: &mut Editor<'_>, inst: Inst) {
    let condition = e.p.insts[inst].args[0];
    if let Some(not) = e.p.producer(condition).filter(|producer| producer.op == Op::Not) {
        let condition = not.args[0];
        e.p.insts[inst].args[0] = condition;
        e.p.insts[inst].regions.swap(0, 1);
        e.changed = true;
    }
}
