//! Floats: what IEEE 754 makes exact. Sign and payload of a NaN are nobody's business; the sign of a zero is.

use super::{New, Operand, View, new_op};
use vyre_ir::program::number_bits;
use vyre_ir::{Op, Scalar};

pub(super) fn float(v: &View<'_>) -> Option<New> {
    let [a, b, c] = v.args;
    let [_, right, third] = v.bits;
    let scalar = v.scalar();
    if !scalar.is_float() {
        return None;
    }
    let is = |bits: Option<u64>, number: f64| bits == Some(number_bits(scalar, number));
    match v.op {
        Op::Add if is(right, -0.0) => Some(New::Same(a)),
        Op::Sub if is(right, 0.0) => Some(New::Same(a)),
        Op::Mul | Op::Div if is(right, 1.0) => Some(New::Same(a)),
        Op::Mul | Op::Div if is(right, -1.0) => new_op(Op::Neg, [a.into()]),
        // Both quotient and product are the correctly rounded value of the same number.
        Op::Div => match right.and_then(|bits| exact_reciprocal(scalar, bits)) {
            Some(reciprocal) => new_op(Op::Mul, [a.into(), Operand::Bits(v.operand, reciprocal)]),
            None => signs(v),
        },
        // One rounding either way.
        Op::Fma if is(right, 1.0) => new_op(Op::Add, [a.into(), c.into()]),
        // -0 is neutral also for a product of either zero.
        Op::Fma if is(third, -0.0) => new_op(Op::Mul, [a.into(), b.into()]),
        Op::Min | Op::Max if a == b => Some(New::Same(a)),
        Op::Neg => Some(New::Same(v.made_by(a, Op::Neg)?[0])),
        Op::Abs => match (v.made_by(a, Op::Neg), v.made_by(a, Op::Abs)) {
            (Some(inner), _) => new_op(Op::Abs, [inner[0].into()]),
            (_, Some(_)) => Some(New::Same(a)),
            _ => None,
        },
        Op::Floor | Op::Ceil | Op::Trunc | Op::Round => {
            let rounded = [Op::Floor, Op::Ceil, Op::Trunc, Op::Round].map(|op| v.made_by(a, op).is_some());
            rounded.contains(&true).then_some(New::Same(a))
        }
        Op::Add | Op::Sub | Op::Mul => signs(v),
        _ => None,
    }
}

/// Negations that go into the operation or cancel.
fn signs(v: &View<'_>) -> Option<New> {
    let [a, b, _] = v.args;
    let (x, y) = (v.made_by(a, Op::Neg), v.made_by(b, Op::Neg));
    match (v.op, x, y) {
        (Op::Add, _, Some(y)) => new_op(Op::Sub, [a.into(), y[0].into()]),
        (Op::Add, Some(x), _) => new_op(Op::Sub, [b.into(), x[0].into()]),
        (Op::Sub, _, Some(y)) => new_op(Op::Add, [a.into(), y[0].into()]),
        (Op::Mul | Op::Div, Some(x), Some(y)) => new_op(v.op, [x[0].into(), y[0].into()]),
        _ => None,
    }
}

/// The bits of `1 / x` if x is a power of two and the reciprocal is a normal number.
fn exact_reciprocal(scalar: Scalar, bits: u64) -> Option<u64> {
    let mantissa = match scalar {
        Scalar::F16 => 10,
        Scalar::BF16 => 7,
        Scalar::F32 => 23,
        Scalar::F64 => 52,
        _ => return None,
    };
    let width = scalar.bits();
    let highest = (1u64 << (width - 1 - mantissa)) - 1;
    let (sign, exponent) = (bits >> (width - 1), bits >> mantissa & highest);
    let power_of_two = bits & ((1 << mantissa) - 1) == 0 && exponent != 0 && exponent != highest;
    // The bias is half of the highest exponent; that of the reciprocal is 0 or less for the largest powers.
    let reciprocal = (highest - 1).checked_sub(exponent).filter(|&e| e > 0 && power_of_two)?;
    Some(sign << (width - 1) | reciprocal << mantissa)
}
