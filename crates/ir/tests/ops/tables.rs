//! Edges written by hand: what is easily got wrong, with the rule that decides.

use crate::run;
use std::collections::BTreeSet;
use vyre_ir::{OPS, Op, Scalar};

fn f(x: f32) -> u64 {
    x.to_bits() as u64
}

fn d(x: f64) -> u64 {
    x.to_bits()
}

/// Each number of the table in f32 and in f64. A NaN is expected as any NaN.
fn check(op: Op, args: &[f32], want: f32) {
    let single: Vec<u64> = args.iter().map(|&x| f(x)).collect();
    let double: Vec<u64> = args.iter().map(|&x| d(x as f64)).collect();
    let got = f32::from_bits(run(op, Scalar::F32, Scalar::F32, &single) as u32);
    let wide = f64::from_bits(run(op, Scalar::F64, Scalar::F64, &double));
    let same = if want.is_nan() {
        got.is_nan() && wide.is_nan()
    } else {
        f(got) == f(want) && d(wide) == d(want as f64)
    };
    assert!(same, "{op:?} {args:?}: {got} and {wide}, not {want}");
}

const INF: f32 = f32::INFINITY;
const NAN: f32 = f32::NAN;

#[test]
fn smaller_and_larger() {
    // IEEE 754-2019 minimumNumber and maximumNumber.
    for (a, b, min, max) in [
        (1.0, 2.0, 1.0, 2.0),
        (-0.0, 0.0, -0.0, 0.0),
        (0.0, -0.0, -0.0, 0.0),
        (-0.0, -0.0, -0.0, -0.0),
        (NAN, 1.0, 1.0, 1.0),
        (1.0, NAN, 1.0, 1.0),
        (NAN, NAN, NAN, NAN),
        (-INF, NAN, -INF, -INF),
        (INF, -INF, -INF, INF),
    ] {
        check(Op::Min, &[a, b], min);
        check(Op::Max, &[a, b], max);
    }
}

#[test]
fn arithmetic() {
    check(Op::Div, &[1.0, 0.0], INF);
    check(Op::Div, &[-1.0, 0.0], -INF);
    check(Op::Div, &[0.0, 0.0], NAN);
    check(Op::Add, &[INF, -INF], NAN);
    check(Op::Mul, &[INF, 0.0], NAN);
    check(Op::Sub, &[1.0, 1.0], 0.0);
    check(Op::Add, &[-0.0, -0.0], -0.0);
    check(Op::Mul, &[-0.0, 3.0], -0.0);
    // The sign of the dividend, halves as `x - y * trunc(x / y)` gives them.
    check(Op::Rem, &[5.5, 2.0], 1.5);
    check(Op::Rem, &[-5.5, 2.0], -1.5);
    check(Op::Rem, &[5.5, -2.0], 1.5);
    check(Op::Rem, &[1.0, 0.0], NAN);
    check(Op::Rem, &[INF, 2.0], NAN);
    check(Op::Rem, &[1.0, INF], NAN);
    check(Op::Sqrt, &[-0.0], -0.0);
    check(Op::Sqrt, &[-1.0], NAN);
    check(Op::Sqrt, &[INF], INF);
    check(Op::Sqrt, &[2.25], 1.5);
    check(Op::Neg, &[0.0], -0.0);
    check(Op::Abs, &[-INF], INF);
    for (x, floor, ceil, trunc, round) in [
        (0.5, 0.0, 1.0, 0.0, 0.0),
        (-0.5, -1.0, -0.0, -0.0, -0.0),
        (1.5, 1.0, 2.0, 1.0, 2.0),
        (2.5, 2.0, 3.0, 2.0, 2.0),
        (-2.5, -3.0, -2.0, -2.0, -2.0),
        (8388609.0, 8388609.0, 8388609.0, 8388609.0, 8388609.0),
        (-0.0, -0.0, -0.0, -0.0, -0.0),
        (INF, INF, INF, INF, INF),
        (NAN, NAN, NAN, NAN, NAN),
    ] {
        check(Op::Floor, &[x], floor);
        check(Op::Ceil, &[x], ceil);
        check(Op::Trunc, &[x], trunc);
        check(Op::Round, &[x], round);
    }
}

/// One rounding: with a second one each of these would differ.
#[test]
fn fused() {
    let e = f32::EPSILON;
    assert_eq!(run(Op::Fma, Scalar::F32, Scalar::F32, &[f(1.0 + e), f(1.0 - e), f(-1.0)]), f(-e * e));
    assert_eq!(
        run(Op::Fma, Scalar::F32, Scalar::F32, &[f(1.0 + e), f(1.0 + e), f(-1.0 - 2.0 * e)]),
        f(e * e)
    );
    let e = f64::EPSILON;
    assert_eq!(run(Op::Fma, Scalar::F64, Scalar::F64, &[d(1.0 + e), d(1.0 - e), d(-1.0)]), d(-e * e));
    check(Op::Fma, &[INF, 0.0, 1.0], NAN);
    check(Op::Fma, &[1e30, 1e30, -INF], -INF);
    // f16: 2049 + 2^-24 is above the middle between 2048 and 2050; in f32 it would be the middle.
    let h = |x: f32| run(Op::Convert, Scalar::F32, Scalar::F16, &[f(x)]);
    let tiny = h(2f32.powi(-12));
    assert_eq!(run(Op::Fma, Scalar::F16, Scalar::F16, &[tiny, tiny, h(2048.0)]), h(2048.0));
    let args = [h(683.0), h(3.0), h(2f32.powi(-24))];
    assert_eq!(run(Op::Fma, Scalar::F16, Scalar::F16, &args), h(2050.0));
    assert_eq!(run(Op::Fma, Scalar::F16, Scalar::F16, &[args[0], args[1], h(0.0)]), h(2048.0));
}

#[test]
fn subnormals_are_kept() {
    let tiny = f32::from_bits(1);
    assert_eq!(run(Op::Add, Scalar::F32, Scalar::F32, &[f(tiny), f(tiny)]), 2);
    assert_eq!(run(Op::Mul, Scalar::F32, Scalar::F32, &[f(f32::MIN_POSITIVE), f(0.5)]), 0x40_0000);
    assert_eq!(
        run(Op::Div, Scalar::F32, Scalar::F32, &[f(tiny), f(2.0)]),
        0,
        "half of the smallest is a tie"
    );
    assert_eq!(run(Op::Convert, Scalar::F32, Scalar::F64, &[f(tiny)]), d(2f64.powi(-149)));
    assert_eq!(run(Op::Convert, Scalar::F64, Scalar::F32, &[d(2f64.powi(-149))]), 1);
}

#[test]
fn conversions() {
    let from_f32 = |x: f32, to: Scalar| run(Op::Convert, Scalar::F32, to, &[f(x)]);
    for (x, i32_, u32_) in [
        (2.9, 2, 2),
        (-2.9, -2, 0),
        (3e9, i32::MAX, 3_000_000_000),
        (1e20, i32::MAX, u32::MAX),
        (-1e20, i32::MIN, 0),
        (INF, i32::MAX, u32::MAX),
        (-INF, i32::MIN, 0),
        (NAN, 0, 0),
        (-0.9, 0, 0),
    ] {
        assert_eq!(from_f32(x, Scalar::I32), i32_ as u32 as u64, "{x}");
        assert_eq!(from_f32(x, Scalar::U32), u32_ as u64, "{x}");
    }
    assert_eq!(from_f32(300.0, Scalar::U8), 255);
    assert_eq!(from_f32(-300.0, Scalar::I8), 0x80);
    assert_eq!(from_f32(1e20, Scalar::I64), i64::MAX as u64);
    assert_eq!(from_f32(1e20, Scalar::U64), u64::MAX);
    assert_eq!(run(Op::Convert, Scalar::F64, Scalar::F32, &[d(1e39)]), f(INF));
    // To bool: whether it is zero. From bool: 0 or 1.
    for (x, want) in [(0.0, 0), (-0.0, 0), (0.1, 1), (-1.0, 1), (INF, 1), (f32::from_bits(1), 1)] {
        assert_eq!(from_f32(x, Scalar::Bool), want, "{x}");
    }
    assert_eq!(run(Op::Convert, Scalar::I32, Scalar::Bool, &[0x100]), 1);
    assert_eq!(run(Op::Convert, Scalar::U64, Scalar::Bool, &[1 << 63]), 1);
    assert_eq!(run(Op::Convert, Scalar::Bool, Scalar::F32, &[1]), f(1.0));
    assert_eq!(run(Op::Convert, Scalar::Bool, Scalar::I8, &[1]), 1);
    // Integers to f32: nearest, halves to even, once.
    let to_f32 = |from: Scalar, bits: u64| run(Op::Convert, from, Scalar::F32, &[bits]);
    assert_eq!(to_f32(Scalar::U32, 16_777_217), f(16_777_216.0));
    assert_eq!(to_f32(Scalar::U32, 16_777_219), f(16_777_220.0));
    assert_eq!(to_f32(Scalar::I32, -16_777_217i32 as u32 as u64), f(-16_777_216.0));
    assert_eq!(to_f32(Scalar::U32, u32::MAX as u64), f(4_294_967_296.0));
    assert_eq!(to_f32(Scalar::U64, u64::MAX), f(18_446_744_073_709_551_616.0));
    // 2^54 + 2^30 is a tie in f32; one more is above it, which rounding to f64 first would lose.
    let tie = (1u64 << 54) + (1 << 30);
    assert_eq!(to_f32(Scalar::U64, tie), f(2f32.powi(54)));
    assert_eq!(to_f32(Scalar::U64, tie + 1), f(2f32.powi(54) + 2f32.powi(31)));
    assert_eq!(run(Op::Convert, Scalar::U64, Scalar::F64, &[(1 << 53) + 1]), d(2f64.powi(53)));
    // A wider signed integer from a narrower one keeps the sign, an unsigned one does not.
    assert_eq!(run(Op::Convert, Scalar::I8, Scalar::U32, &[0x80]), 0xffff_ff80);
    assert_eq!(run(Op::Convert, Scalar::U8, Scalar::I32, &[0x80]), 0x80);
}

#[test]
fn division() {
    let min = i32::MIN as u32 as u64;
    let i32_ = |op: Op, a: u64, b: u64| run(op, Scalar::I32, Scalar::I32, &[a, b]);
    let minus = |x: i32| (-x) as u32 as u64;
    assert_eq!(i32_(Op::Div, 7, 0), 7);
    assert_eq!(i32_(Op::Rem, 7, 0), 0);
    assert_eq!(i32_(Op::Div, min, minus(1)), min);
    assert_eq!(i32_(Op::Rem, min, minus(1)), 0);
    assert_eq!(i32_(Op::Div, minus(7), 2), minus(3));
    assert_eq!(i32_(Op::Rem, minus(7), 2), minus(1));
    assert_eq!(i32_(Op::Rem, 7, minus(2)), 1);
    let bool_ = |op: Op, a: u64, b: u64| run(op, Scalar::Bool, Scalar::Bool, &[a, b]);
    assert_eq!((bool_(Op::And, 1, 1), bool_(Op::And, 1, 0)), (1, 0));
    assert_eq!((bool_(Op::Or, 0, 0), bool_(Op::Or, 1, 0)), (0, 1));
    assert_eq!((bool_(Op::Xor, 1, 1), bool_(Op::Xor, 1, 0)), (0, 1));
    assert_eq!(run(Op::Not, Scalar::Bool, Scalar::Bool, &[1]), 0);
    assert_eq!(run(Op::Not, Scalar::Bool, Scalar::Bool, &[0]), 1);
}

#[test]
fn choice_and_bits() {
    assert_eq!(run(Op::Select, Scalar::F32, Scalar::F32, &[1, f(NAN), 5]), f(NAN));
    assert_eq!(run(Op::Select, Scalar::F32, Scalar::F32, &[0, f(NAN), 5]), 5);
    assert_eq!(run(Op::Bitcast, Scalar::F32, Scalar::U32, &[f(-0.0)]), 0x8000_0000);
    assert_eq!(
        run(Op::Bitcast, Scalar::U32, Scalar::F32, &[0x7f80_0001]),
        0x7f80_0001,
        "a NaN keeps its bits"
    );
    for (op, want) in [(Op::Eq, 0), (Op::Ne, 1), (Op::Lt, 0), (Op::Le, 0)] {
        assert_eq!(run(op, Scalar::F32, Scalar::Bool, &[f(NAN), f(NAN)]), want);
        assert_eq!(run(op, Scalar::F64, Scalar::Bool, &[d(f64::NAN), d(1.0)]), want);
    }
    assert_eq!(run(Op::Eq, Scalar::F32, Scalar::Bool, &[f(0.0), f(-0.0)]), 1);
    assert_eq!(run(Op::Eq, Scalar::Bool, Scalar::Bool, &[1, 1]), 1);
    assert_eq!(run(Op::Ne, Scalar::Bool, Scalar::Bool, &[1, 0]), 1);
    assert_eq!(run(Op::Shl, Scalar::U32, Scalar::U32, &[1, 33]), 2, "the amount is modulo the width");
    assert_eq!(run(Op::Shr, Scalar::I8, Scalar::I8, &[0x80, 7]), 0xff);
    assert_eq!(run(Op::MulHi, Scalar::U32, Scalar::U32, &[0xffff_ffff, 0xffff_ffff]), 0xffff_fffe);
}

/// A row with semantics that no test here names would go untested.
#[test]
fn every_row_is_named() {
    let tests = [include_str!("tables.rs"), include_str!("integers.rs"), include_str!("floats.rs")].concat();
    let untested: BTreeSet<String> = OPS
        .iter()
        .filter(|info| info.eval.is_some())
        .map(|info| format!("Op::{:?}", info.op))
        .filter(|name| !tests.contains(name.as_str()))
        .collect();
    assert_eq!(untested, BTreeSet::new());
}
