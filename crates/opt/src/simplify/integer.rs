//! Integers: arithmetic modulo a power of two.

use super::{New, Operand, View, new_op};
use vyre_ir::eval::evaluate;
use vyre_ir::{Op, Scalar, Sig, Value};

pub(super) fn integer(v: &View<'_>) -> Option<New> {
    let [a, b, _] = v.args;
    let [_, right, _] = v.bits;
    constant_left(v).or_else(|| right.and_then(|bits| constant_right(v, bits))).or_else(|| match v.op {
        Op::Sub | Op::Xor if a == b => Some(New::Bits(0)),
        Op::And | Op::Or | Op::Min | Op::Max if a == b => Some(New::Same(a)),
        Op::And | Op::Or | Op::Xor if is_not(v, a, b) || is_not(v, b, a) => {
            Some(New::Bits(if v.op == Op::And { 0 } else { v.scalar().mask() }))
        }
        Op::Not => Some(New::Same(v.made_by(a, Op::Not)?[0])),
        Op::Neg => Some(New::Same(v.made_by(a, Op::Neg)?[0])),
        Op::Abs => match (v.made_by(a, Op::Neg), v.made_by(a, Op::Abs)) {
            (Some(inner), _) => new_op(Op::Abs, [inner[0].into()]),
            (_, Some(_)) => Some(New::Same(a)),
            _ => None,
        },
        Op::Add => match (v.made_by(a, Op::Neg), v.made_by(b, Op::Neg)) {
            (_, Some(y)) => new_op(Op::Sub, [a.into(), y[0].into()]),
            (Some(x), _) => new_op(Op::Sub, [b.into(), x[0].into()]),
            _ => None,
        },
        Op::Sub => new_op(Op::Add, [a.into(), v.made_by(b, Op::Neg)?[0].into()]),
        Op::ReverseBits => Some(New::Same(v.made_by(a, Op::ReverseBits)?[0])),
        _ => None,
    })
}

fn is_not(v: &View<'_>, value: Value, of: Value) -> bool {
    v.made_by(value, Op::Not).is_some_and(|args| args[0] == of)
}

/// Rules for a constant first operand of what does not commute.
fn constant_left(v: &View<'_>) -> Option<New> {
    let [a, b, _] = v.args;
    let left = v.bits[0]?;
    match (v.op, left) {
        (Op::Sub, 0) if v.scalar().is_signed() => new_op(Op::Neg, [b.into()]),
        (Op::Div | Op::Rem | Op::Shl | Op::Shr, 0) => Some(New::Same(a)),
        _ => None,
    }
}

/// Rules for a constant second operand.
fn constant_right(v: &View<'_>, right: u64) -> Option<New> {
    let [a, b, _] = v.args;
    let (scalar, ty) = (v.scalar(), v.operand);
    let (ones, width) = (scalar.mask(), scalar.bits() as u64);
    let lowest = if scalar.is_signed() { 1 << (width - 1) } else { 0 };
    let highest = if scalar.is_signed() { ones >> 1 } else { ones };
    let unsigned = !scalar.is_signed();
    let log = right.is_power_of_two().then(|| right.trailing_zeros() as u64);
    let amount = |n: u64| Operand::Bits(ty.with(Scalar::U32), n);
    let unchanged = Some(New::Same(a));
    match v.op {
        Op::Add | Op::Or | Op::Xor if right == 0 => unchanged,
        Op::Mul | Op::Div if right == 1 => unchanged,
        Op::And if right == ones => unchanged,
        Op::Shl | Op::Shr if right.is_multiple_of(width) => unchanged,
        Op::Min if right == highest => unchanged,
        Op::Max if right == lowest => unchanged,
        Op::Div if right == 0 => unchanged,
        Op::Mul | Op::And | Op::Rem if right == 0 => Some(New::Bits(0)),
        Op::Rem if right == 1 => Some(New::Bits(0)),
        Op::Or if right == ones => Some(New::Bits(ones)),
        Op::Min if right == lowest => Some(New::Bits(lowest)),
        Op::Max if right == highest => Some(New::Bits(highest)),
        Op::Xor if right == ones => new_op(Op::Not, [a.into()]),
        Op::Mul if right == ones && scalar.is_signed() => new_op(Op::Neg, [a.into()]),
        Op::Mul if log.is_some() => new_op(Op::Shl, [a.into(), amount(log?)]),
        Op::Div if unsigned && log.is_some() => new_op(Op::Shr, [a.into(), amount(log?)]),
        Op::Rem if unsigned && log.is_some() => new_op(Op::And, [a.into(), Operand::Bits(ty, right - 1)]),
        Op::Sub => new_op(Op::Add, [a.into(), Operand::Bits(ty, right.wrapping_neg() & ones)]),
        Op::Shl | Op::Shr => shift_of_shift(v, right % width),
        Op::Add | Op::Mul | Op::And | Op::Or | Op::Xor | Op::Min | Op::Max => reassociate(v, b),
        _ => None,
    }
}

/// `(x op c) op d` is `x op (c op d)` for the associative operations.
fn reassociate(v: &View<'_>, constant: Value) -> Option<New> {
    let &[x, inner] = v.made_by(v.args[0], v.op)? else { return None };
    let sig = Sig { operand: v.scalar(), result: v.scalar() };
    let (c, d) = (v.p.splat_constant(inner)?, v.p.splat_constant(constant)?);
    new_op(v.op, [x.into(), Operand::Bits(v.operand, evaluate(v.op, sig, &[c, d])?)])
}

/// `(x << c) << d` is `x << (c + d)`, with nothing left of x when that is the width or more.
fn shift_of_shift(v: &View<'_>, amount: u64) -> Option<New> {
    let &[x, inner] = v.made_by(v.args[0], v.op)? else { return None };
    let width = v.scalar().bits() as u64;
    let sum = v.p.splat_constant(inner)? % width + amount;
    let ty = v.operand.with(Scalar::U32);
    if sum < width {
        return new_op(v.op, [x.into(), Operand::Bits(ty, sum)]);
    }
    if v.op == Op::Shr && v.scalar().is_signed() {
        return new_op(Op::Shr, [x.into(), Operand::Bits(ty, width - 1)]);
    }
    Some(New::Bits(0))
}
