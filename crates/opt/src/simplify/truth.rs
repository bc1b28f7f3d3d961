//! Comparisons, bools and selects.

use super::{New, View, new_op};
use vyre_ir::{Op, Scalar, Value};

pub(super) fn compare(v: &View<'_>) -> Option<New> {
    let [a, b, _] = v.args;
    let [left, right, _] = v.bits;
    let scalar = v.scalar();
    if a == b {
        // NaN is not equal to itself, and not less either.
        return match v.op {
            Op::Lt => Some(New::Bits(0)),
            _ if scalar.is_float() => None,
            Op::Eq | Op::Le => Some(New::Bits(1)),
            _ => Some(New::Bits(0)),
        };
    }
    if scalar == Scalar::Bool {
        return match (v.op, right) {
            (Op::Eq, Some(1)) | (Op::Ne, Some(0)) => Some(New::Same(a)),
            (Op::Eq, Some(_)) | (Op::Ne, Some(_)) => new_op(Op::Not, [a.into()]),
            _ => None,
        };
    }
    if !scalar.is_int() {
        return None;
    }
    let (lowest, highest) = match scalar.is_signed() {
        true => (1 << (scalar.bits() - 1), scalar.mask() >> 1),
        false => (0, scalar.mask()),
    };
    match v.op {
        Op::Lt if right == Some(lowest) || left == Some(highest) => Some(New::Bits(0)),
        Op::Le if right == Some(highest) || left == Some(lowest) => Some(New::Bits(1)),
        Op::Eq | Op::Ne => of_choice(v, right?),
        _ => None,
    }
}

/// Comparing a number that was made from a bool with a constant asks for the bool.
fn of_choice(v: &View<'_>, constant: u64) -> Option<New> {
    let (condition, yes, no) = if let Some(&[bool]) = v.made_by(v.args[0], Op::Convert) {
        (bool, 1, 0)
    } else if let Some(&[condition, yes, no]) = v.made_by(v.args[0], Op::Select) {
        (condition, v.p.splat_constant(yes)?, v.p.splat_constant(no)?)
    } else {
        return None;
    };
    if v.p.ty(condition).scalar != Scalar::Bool {
        return None;
    }
    let truth = |value: u64| (value == constant) == (v.op == Op::Eq);
    match (truth(yes), truth(no)) {
        (true, false) => Some(New::Same(condition)),
        (false, true) => new_op(Op::Not, [condition.into()]),
        (same, _) => Some(New::Bits(same as u64)),
    }
}

pub(super) fn select(v: &View<'_>) -> Option<New> {
    let [condition, a, b] = v.args;
    match v.bits[0] {
        Some(0) => return Some(New::Same(b)),
        Some(_) => return Some(New::Same(a)),
        None => (),
    }
    if a == b {
        return Some(New::Same(a));
    }
    if let Some(&[inner]) = v.made_by(condition, Op::Not) {
        return new_op(Op::Select, [inner.into(), b.into(), a.into()]);
    }
    if let Some(&[inner, x, _]) = v.made_by(a, Op::Select)
        && inner == condition
    {
        return new_op(Op::Select, [condition.into(), x.into(), b.into()]);
    }
    if let Some(&[inner, _, y]) = v.made_by(b, Op::Select)
        && inner == condition
    {
        return new_op(Op::Select, [condition.into(), a.into(), y.into()]);
    }
    if v.result.scalar != Scalar::Bool {
        return None;
    }
    match (v.bits[1], v.bits[2]) {
        (Some(1), Some(0)) => Some(New::Same(condition)),
        (Some(0), Some(1)) => new_op(Op::Not, [condition.into()]),
        (Some(1), None) => new_op(Op::Or, [condition.into(), b.into()]),
        (None, Some(0)) => new_op(Op::And, [condition.into(), a.into()]),
        _ => None,
    }
}

/// `and`, `or`, `xor`, `not` of bools.
pub(super) fn bools(v: &View<'_>) -> Option<New> {
    let [a, b, _] = v.args;
    match (v.op, v.bits[1]) {
        (Op::And, Some(1)) | (Op::Or | Op::Xor, Some(0)) => Some(New::Same(a)),
        (Op::And, Some(_)) => Some(New::Bits(0)),
        (Op::Or, Some(_)) => Some(New::Bits(1)),
        (Op::Xor, Some(_)) => new_op(Op::Not, [a.into()]),
        (Op::And | Op::Or, _) if a == b => Some(New::Same(a)),
        (Op::Xor, _) if a == b => Some(New::Bits(0)),
        (Op::And | Op::Or | Op::Xor, _) if is_not(v, a, b) || is_not(v, b, a) => {
            Some(New::Bits((v.op != Op::And) as u64))
        }
        (Op::Not, _) => negated(v, a),
        _ => None,
    }
}

fn is_not(v: &View<'_>, value: Value, of: Value) -> bool {
    v.made_by(value, Op::Not).is_some_and(|args| args[0] == of)
}

fn negated(v: &View<'_>, value: Value) -> Option<New> {
    let producer = v.p.producer(value)?;
    let total_order = || !v.p.ty(producer.args[0]).scalar.is_float();
    match (producer.op, &producer.args[..]) {
        (Op::Not, &[x]) => Some(New::Same(x)),
        // NaN makes `eq` false and `ne` true, so these two are opposites for floats as well; `lt` and `le`
        // are not.
        (Op::Eq, &[x, y]) => new_op(Op::Ne, [x.into(), y.into()]),
        (Op::Ne, &[x, y]) => new_op(Op::Eq, [x.into(), y.into()]),
        (Op::Lt, &[x, y]) if total_order() => new_op(Op::Le, [y.into(), x.into()]),
        (Op::Le, &[x, y]) if total_order() => new_op(Op::Lt, [y.into(), x.into()]),
        _ => None,
    }
}
