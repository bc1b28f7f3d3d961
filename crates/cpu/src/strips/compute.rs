//! Operations on the lanes of variables: loops for what is common, the row's own semantics for everything else.
//!
//! The loops are made of the functions that the rows are made of ([`vyre_ir::lane`]), so they give the same.

use super::lanes::{Element, Lanes};
use crate::form::Var;
use std::ops::{BitAnd, BitOr, BitXor, Not};
use vyre_ir::lane::{Float, Int, Num};
use vyre_ir::{Op, Scalar, Sig, eval};

/// Sets `out` to an operation of `args`.
pub fn compute(lanes: &mut Lanes<'_>, out: Var, op: Op, sig: Sig, args: &[Var]) {
    let wide = sig.result.bytes() > 4;
    let done = match (op, sig.operand) {
        (Op::Select, _) if wide => {
            lanes.map3(out, [args[0], args[1], args[2]], |c: bool, x: u64, y: u64| if c { x } else { y });
            true
        }
        (Op::Select, _) => {
            lanes.map3(out, [args[0], args[1], args[2]], |c: bool, x: u32, y: u32| if c { x } else { y });
            true
        }
        (Op::Bitcast, _) => {
            lanes.copy(out, args[0]);
            true
        }
        (Op::Convert, _) => convert(lanes, out, sig, args[0]),
        (_, Scalar::F32) => number::<f32>(lanes, out, op, args) || float::<f32>(lanes, out, op, args),
        (_, Scalar::F64) => number::<f64>(lanes, out, op, args) || float::<f64>(lanes, out, op, args),
        (_, Scalar::I32) => integer::<i32>(lanes, out, op, args),
        (_, Scalar::U32) => integer::<u32>(lanes, out, op, args),
        (_, Scalar::I64) => integer::<i64>(lanes, out, op, args),
        (_, Scalar::U64) => integer::<u64>(lanes, out, op, args),
        (_, Scalar::Bool) => boolean(lanes, out, op, args),
        _ => false,
    };
    if !done {
        each(lanes, out, op, sig, args);
    }
}

/// One lane after another, by the row's semantics.
fn each(lanes: &mut Lanes<'_>, out: Var, op: Op, sig: Sig, args: &[Var]) {
    let count = if lanes.is_varying(out) { lanes.width } else { 1 };
    for lane in 0..count {
        let mut words = [0; 4];
        for (word, &arg) in words.iter_mut().zip(args) {
            *word = lanes.get(arg, lane);
        }
        let bits = eval::evaluate(op, sig, &words[..args.len()]);
        lanes.set(out, lane, bits.unwrap_or(0) & sig.result.mask());
    }
}

/// Whether it was an operation that all numbers have.
fn number<T: Num + Element>(lanes: &mut Lanes<'_>, out: Var, op: Op, args: &[Var]) -> bool {
    let [a, b] = two(args);
    match op {
        Op::Add => lanes.map2(out, a, b, T::add),
        Op::Sub => lanes.map2(out, a, b, T::sub),
        Op::Mul => lanes.map2(out, a, b, T::mul),
        Op::Div => lanes.map2(out, a, b, T::div),
        Op::Rem => lanes.map2(out, a, b, T::rem),
        Op::Min => lanes.map2(out, a, b, T::min),
        Op::Max => lanes.map2(out, a, b, T::max),
        Op::Neg => lanes.map1(out, a, T::neg),
        Op::Abs => lanes.map1(out, a, T::abs),
        Op::Eq => lanes.map2(out, a, b, |a: T, b: T| a == b),
        Op::Ne => lanes.map2(out, a, b, |a: T, b: T| a != b),
        Op::Lt => lanes.map2(out, a, b, |a: T, b: T| a < b),
        Op::Le => lanes.map2(out, a, b, |a: T, b: T| a <= b),
        _ => return false,
    }
    true
}

fn float<T: Float + Element>(lanes: &mut Lanes<'_>, out: Var, op: Op, args: &[Var]) -> bool {
    let a = args[0];
    match op {
        Op::Sqrt => lanes.map1(out, a, T::sqrt),
        Op::Floor => lanes.map1(out, a, T::floor),
        Op::Ceil => lanes.map1(out, a, T::ceil),
        Op::Trunc => lanes.map1(out, a, T::trunc),
        Op::Round => lanes.map1(out, a, T::round),
        Op::Fma => lanes.map3(out, [a, args[1], args[2]], T::fma),
        _ => return false,
    }
    true
}

/// Integers as they shift, which is not in the rows' terms.
trait Shift: Sized {
    fn shl(self, by: u32) -> Self;
    fn shr(self, by: u32) -> Self;
}

macro_rules! shifts {
    ($($t:ident)*) => { $(impl Shift for $t {
        fn shl(self, by: u32) -> $t { self.wrapping_shl(by) }
        fn shr(self, by: u32) -> $t { self.wrapping_shr(by) }
    })* };
}
shifts!(i32 u32 i64 u64);

fn integer<T>(lanes: &mut Lanes<'_>, out: Var, op: Op, args: &[Var]) -> bool
where
    T: Int + Element + Shift,
    T: BitAnd<Output = T> + BitOr<Output = T> + BitXor<Output = T> + Not<Output = T>,
{
    let [a, b] = two(args);
    match op {
        Op::And => lanes.map2(out, a, b, |a: T, b: T| a & b),
        Op::Or => lanes.map2(out, a, b, |a: T, b: T| a | b),
        Op::Xor => lanes.map2(out, a, b, |a: T, b: T| a ^ b),
        Op::Not => lanes.map1(out, a, |a: T| !a),
        Op::Shl => lanes.map2(out, a, b, T::shl),
        Op::Shr => lanes.map2(out, a, b, T::shr),
        Op::MulHi => lanes.map2(out, a, b, T::mul_hi),
        Op::CountOnes => lanes.map1(out, a, T::ones),
        Op::LeadingZeros => lanes.map1(out, a, T::leading),
        Op::TrailingZeros => lanes.map1(out, a, T::trailing),
        Op::ReverseBits => lanes.map1(out, a, T::reverse),
        _ => return number::<T>(lanes, out, op, args),
    }
    true
}

fn boolean(lanes: &mut Lanes<'_>, out: Var, op: Op, args: &[Var]) -> bool {
    let [a, b] = two(args);
    match op {
        Op::And => lanes.map2(out, a, b, |a: bool, b: bool| a & b),
        Op::Or => lanes.map2(out, a, b, |a: bool, b: bool| a | b),
        Op::Xor | Op::Ne => lanes.map2(out, a, b, |a: bool, b: bool| a ^ b),
        Op::Eq => lanes.map2(out, a, b, |a: bool, b: bool| a == b),
        Op::Not => lanes.map1(out, a, |a: bool| !a),
        _ => return false,
    }
    true
}

fn convert(lanes: &mut Lanes<'_>, out: Var, sig: Sig, a: Var) -> bool {
    use Scalar::*;
    match (sig.operand, sig.result) {
        (U32, F32) => lanes.map1(out, a, |x: u32| x as f32),
        (I32, F32) => lanes.map1(out, a, |x: i32| x as f32),
        (F32, U32) => lanes.map1(out, a, |x: f32| x as u32),
        (F32, I32) => lanes.map1(out, a, |x: f32| x as i32),
        (Bool, F32) => lanes.map1(out, a, |x: bool| x as u32 as f32),
        (U32 | I32, U32 | I32) | (Bool, U32 | I32) => lanes.copy(out, a),
        (U32 | I32, Bool) => lanes.map1(out, a, |x: u32| x != 0),
        _ => return false,
    }
    true
}

/// The operands of an operation of one or two.
fn two(args: &[Var]) -> [Var; 2] {
    [args[0], *args.get(1).unwrap_or(&args[0])]
}
