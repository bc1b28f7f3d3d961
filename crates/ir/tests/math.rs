//! The expanded mathematical functions: errors within the bounds of their rows, special cases, types.

use half::f16;
use vyre_ir::eval::evaluate;
use vyre_ir::math::measure::{FUNCTIONS, Function, Run, SPECIAL, pair, ulps};
use vyre_ir::{Builder, Op, Scalar, Sig, Type};

/// The value by the row's expansion, step by step.
fn expanded(op: Op, args: &[f32]) -> f32 {
    let args: Vec<u64> = args.iter().map(|x| x.to_bits() as u64).collect();
    let sig = Sig { operand: Scalar::F32, result: Scalar::F32 };
    f32::from_bits(evaluate(op, sig, &args).expect("the row has an expansion") as u32)
}

/// The value by the same function in Rust.
fn native(function: &Function, args: &[f32]) -> f32 {
    let mut out = [0.0];
    match function.run {
        Run::One(run, _) => run(&args[..1], &mut out),
        Run::Two(run, _) => run(&args[..1], &args[1..], &mut out),
    }
    out[0]
}

fn exact(function: &Function, args: &[f32]) -> f64 {
    match function.run {
        Run::One(_, exact) => exact(args[0] as f64),
        Run::Two(_, exact) => exact(args[0] as f64, args[1] as f64),
    }
}

/// About `count` arguments over all f32, and every special one.
fn arguments(function: &Function, count: u32) -> Vec<Vec<f32>> {
    match function.run {
        Run::One(..) => {
            // An odd step, so that the last bits vary too.
            let spread = (0..count).map(|i| f32::from_bits(i.wrapping_mul((u32::MAX / count) | 1)));
            // Where most arguments are in practice.
            let everyday = (0..count / 2).map(|i| (i as f32 / count as f32 - 0.25) * 40.0);
            spread.chain(everyday).chain(SPECIAL).map(|x| vec![x]).collect()
        }
        Run::Two(..) => {
            let special = SPECIAL.iter().flat_map(|&x| SPECIAL.iter().map(move |&y| (x, y)));
            let pairs = (0..count as u64).map(|i| pair(function.op, i));
            special.chain(pairs).map(|(x, y)| vec![x, y]).collect()
        }
    }
}

#[test]
fn errors_are_within_the_bounds_of_the_rows() {
    for function in FUNCTIONS {
        let name = function.op.name();
        let bound = function.op.info().ulp.expect("a function that rounds more than once has a bound") as f64;
        let mut worst = (0.0, vec![]);
        for args in arguments(function, 300_000) {
            let error = ulps(native(function, &args), exact(function, &args));
            assert!(error <= bound, "{name} of {args:?} is {} with {error} ulp", native(function, &args));
            if error > worst.0 {
                worst = (error, args);
            }
        }
        // A bound far above what happens says nothing.
        assert!(worst.0 > 0.6 * bound, "{name} has at most {worst:?}, far below {bound}");
    }
}

#[test]
fn every_row_with_an_expansion_is_measured() {
    let measured: Vec<Op> = FUNCTIONS.iter().map(|f| f.op).collect();
    let expanded: Vec<Op> = vyre_ir::OPS.iter().filter(|i| i.expand.is_some()).map(|i| i.op).collect();
    assert_eq!(measured, expanded);
}

#[test]
fn the_expansion_is_the_function() {
    for function in FUNCTIONS {
        for args in arguments(function, 2_000) {
            let (a, b) = (expanded(function.op, &args), native(function, &args));
            assert!(
                a.to_bits() == b.to_bits() || a.is_nan() && b.is_nan(),
                "{} of {args:?}: {a} expanded, {b} in Rust",
                function.op.name()
            );
        }
    }
}

#[test]
fn f16_goes_by_way_of_f32() {
    let sig = Sig { operand: Scalar::F16, result: Scalar::F16 };
    for function in FUNCTIONS {
        for bits in (0..0x1_0000u32).step_by(37) {
            let args = [f16::from_bits(bits as u16), f16::from_bits((bits as u16).wrapping_mul(40503))];
            let arity = if let Run::One(..) = function.run { 1 } else { 2 };
            let words = args.map(|x| x.to_bits() as u64);
            let got = evaluate(function.op, sig, &words[..arity]).expect("the row has an expansion");
            let (got, want) = (
                f16::from_bits(got as u16),
                f16::from_f32(native(function, &args.map(f16::to_f32)[..arity])),
            );
            assert!(
                got.to_bits() == want.to_bits() || got.is_nan() && want.is_nan(),
                "{} of {args:?}: {got}, not {want}",
                function.op.name()
            );
        }
    }
}

#[test]
fn vectors_expand_to_as_many_instructions_as_scalars() {
    for function in FUNCTIONS {
        let count = |ty: Type| {
            let mut b = Builder::new("", [1, 1, 1]);
            let region = b.open(&[ty; 2]);
            b.enter(region);
            let params = b.p.regions[region].params.clone();
            let result = function.op.info().expand.expect("each has one")(&mut b, &params);
            assert_eq!(b.ty(result), ty);
            assert!(b.p.values.values().all(|v| v.ty.lanes == ty.lanes));
            b.p.insts.len()
        };
        let scalar = count(Scalar::F32.into());
        for lanes in 2..=4 {
            assert_eq!(count(Type::new(Scalar::F32, lanes)), scalar, "{}", function.op.name());
        }
        count(Type::new(Scalar::F16, 3));
    }
}

const INF: f32 = f32::INFINITY;
const NAN: f32 = f32::NAN;
const PI: f32 = std::f32::consts::PI;
const TINY: f32 = 1e-45;

#[test]
fn special_cases_of_functions_of_one() {
    let cases: &[(Op, &[(f32, f32)])] = &[
        (Op::Sin, &[(0.0, 0.0), (-0.0, -0.0), (INF, NAN), (-INF, NAN), (NAN, NAN), (TINY, TINY)]),
        (Op::Sin, &[(f32::MAX, -0.521_876_5), (1e10, -0.48750603)]),
        (Op::Cos, &[(0.0, 1.0), (-0.0, 1.0), (INF, NAN), (-INF, NAN), (NAN, NAN), (TINY, 1.0)]),
        (Op::Cos, &[(f32::MAX, 0.853_021)]),
        (Op::Tan, &[(0.0, 0.0), (-0.0, -0.0), (INF, NAN), (-INF, NAN), (NAN, NAN), (-TINY, -TINY)]),
        (Op::Asin, &[(0.0, 0.0), (-0.0, -0.0), (1.0, PI / 2.0), (-1.0, -PI / 2.0), (1.0000001, NAN)]),
        (Op::Asin, &[(-1.0000001, NAN), (INF, NAN), (NAN, NAN), (TINY, TINY)]),
        (Op::Acos, &[(0.0, PI / 2.0), (-0.0, PI / 2.0), (1.0, 0.0), (-1.0, PI), (1.0000001, NAN)]),
        (Op::Acos, &[(-1.0000001, NAN), (-INF, NAN), (NAN, NAN)]),
        (Op::Atan, &[(0.0, 0.0), (-0.0, -0.0), (INF, PI / 2.0), (-INF, -PI / 2.0), (NAN, NAN)]),
        (Op::Sinh, &[(0.0, 0.0), (-0.0, -0.0), (INF, INF), (-INF, -INF), (NAN, NAN), (89.5, INF)]),
        (Op::Cosh, &[(0.0, 1.0), (-0.0, 1.0), (INF, INF), (-INF, INF), (NAN, NAN), (-89.5, INF)]),
        (Op::Tanh, &[(0.0, 0.0), (-0.0, -0.0), (INF, 1.0), (-INF, -1.0), (NAN, NAN), (f32::MAX, 1.0)]),
        (Op::Asinh, &[(0.0, 0.0), (-0.0, -0.0), (INF, INF), (-INF, -INF), (NAN, NAN), (TINY, TINY)]),
        (Op::Acosh, &[(1.0, 0.0), (0.99999994, NAN), (0.0, NAN), (-2.0, NAN), (-INF, NAN), (INF, INF)]),
        (Op::Acosh, &[(NAN, NAN), (f32::MIN, NAN)]),
        (Op::Atanh, &[(0.0, 0.0), (-0.0, -0.0), (1.0, INF), (-1.0, -INF), (1.0000001, NAN), (-2.0, NAN)]),
        (Op::Atanh, &[(INF, NAN), (NAN, NAN), (-TINY, -TINY)]),
        (Op::Exp, &[(0.0, 1.0), (-0.0, 1.0), (INF, INF), (-INF, 0.0), (NAN, NAN), (88.8, INF)]),
        (Op::Exp, &[(-104.0, 0.0), (f32::MIN, 0.0), (f32::MAX, INF), (-103.3, TINY)]),
        (Op::Exp2, &[(0.0, 1.0), (-0.0, 1.0), (INF, INF), (-INF, 0.0), (NAN, NAN), (128.0, INF)]),
        (Op::Exp2, &[(127.0, 1.7014118e38), (-126.0, f32::MIN_POSITIVE), (-149.0, TINY), (-150.0, 0.0)]),
        (Op::Exp2, &[(f32::MIN, 0.0), (f32::MAX, INF), (1.0, 2.0), (-3.0, 0.125)]),
        (Op::Log, &[(1.0, 0.0), (0.0, -INF), (-0.0, -INF), (-TINY, NAN), (-INF, NAN), (INF, INF)]),
        (Op::Log, &[(NAN, NAN), (TINY, -103.278_93), (f32::MAX, 88.722_84)]),
        (Op::Log2, &[(1.0, 0.0), (0.0, -INF), (-0.0, -INF), (-1.0, NAN), (-INF, NAN), (INF, INF)]),
        (Op::Log2, &[(NAN, NAN), (TINY, -149.0), (8.0, 3.0), (0.5, -1.0)]),
        (Op::InverseSqrt, &[(4.0, 0.5), (0.0, INF), (-0.0, -INF), (INF, 0.0), (-1.0, NAN), (NAN, NAN)]),
    ];
    for (op, cases) in cases {
        for &(x, want) in *cases {
            check(*op, &[x], want);
        }
    }
}

#[test]
fn special_cases_of_pow() {
    let cases = [
        // 1 whatever the other one is
        (NAN, 0.0, 1.0),
        (NAN, -0.0, 1.0),
        (INF, 0.0, 1.0),
        (0.0, 0.0, 1.0),
        (1.0, NAN, 1.0),
        (1.0, INF, 1.0),
        (-1.0, INF, 1.0),
        (-1.0, -INF, 1.0),
        // NaN
        (NAN, 1.0, NAN),
        (2.0, NAN, NAN),
        (-1.0, NAN, NAN),
        (-2.0, 0.5, NAN),
        (-TINY, -1.5, NAN),
        (f32::MIN, 1.5, NAN),
        // zero
        (0.0, 3.0, 0.0),
        (-0.0, 3.0, -0.0),
        (-0.0, 2.0, 0.0),
        (-0.0, 0.5, 0.0),
        (0.0, -3.0, INF),
        (-0.0, -3.0, -INF),
        (-0.0, -2.0, INF),
        (-0.0, -0.5, INF),
        (0.0, INF, 0.0),
        (-0.0, INF, 0.0),
        (0.0, -INF, INF),
        (0.0, TINY, 0.0),
        (-0.0, -16777216.0, INF),
        // infinity
        (INF, 3.0, INF),
        (INF, -3.0, 0.0),
        (INF, TINY, INF),
        (-INF, 3.0, -INF),
        (-INF, 2.0, INF),
        (-INF, 0.5, INF),
        (-INF, -3.0, -0.0),
        (-INF, -2.0, 0.0),
        (-INF, -0.5, 0.0),
        (2.0, INF, INF),
        (2.0, -INF, 0.0),
        (0.5, INF, 0.0),
        (0.5, -INF, INF),
        (-2.0, INF, INF),
        (-0.5, -INF, INF),
        (INF, INF, INF),
        (INF, -INF, 0.0),
        (-INF, INF, INF),
        (0.99999994, INF, 0.0),
        (0.99999994, f32::MAX, 0.0),
        (1.0000001, f32::MIN, 0.0),
        // negative ones to integers
        (-2.0, 3.0, -8.0),
        (-2.0, 4.0, 16.0),
        (-2.0, -1.0, -0.5),
        (-1.0, 16777215.0, -1.0),
        (-1.0, 16777216.0, 1.0),
        (-1.0, f32::MAX, 1.0),
        (f32::MIN, 3.0, -INF),
        (-TINY, 3.0, -0.0),
        // subnormal operands and results, overflow
        (2.0, -149.0, TINY),
        (2.0, -150.0, 0.0),
        (2.0, 127.0, 1.7014118e38),
        (2.0, 128.0, INF),
        (TINY, -1.0, INF),
        (TINY, 1.0, TINY),
        (10.0, 38.0, 1e38),
        (10.0, 39.0, INF),
    ];
    for (x, y, want) in cases {
        check(Op::Pow, &[x, y], want);
    }
}

#[test]
fn special_cases_of_atan2() {
    let quarter = PI / 4.0;
    let cases = [
        // (y, x)
        (0.0, 0.0, 0.0),
        (-0.0, 0.0, -0.0),
        (0.0, -0.0, PI),
        (-0.0, -0.0, -PI),
        (0.0, 1.0, 0.0),
        (-0.0, 1.0, -0.0),
        (0.0, -1.0, PI),
        (-0.0, -1.0, -PI),
        (1.0, 0.0, PI / 2.0),
        (1.0, -0.0, PI / 2.0),
        (-1.0, 0.0, -PI / 2.0),
        (-TINY, -0.0, -PI / 2.0),
        (1.0, INF, 0.0),
        (-1.0, INF, -0.0),
        (1.0, -INF, PI),
        (-1.0, -INF, -PI),
        (INF, 1.0, PI / 2.0),
        (-INF, -1.0, -PI / 2.0),
        (INF, INF, quarter),
        (-INF, INF, -quarter),
        (INF, -INF, 3.0 * quarter),
        (-INF, -INF, -3.0 * quarter),
        (1.0, 1.0, quarter),
        (TINY, TINY, quarter),
        (f32::MAX, -f32::MAX, 3.0 * quarter),
        (TINY, f32::MAX, 0.0),
        (NAN, 0.0, NAN),
        (0.0, NAN, NAN),
        (-0.0, NAN, NAN),
        (NAN, INF, NAN),
        (INF, NAN, NAN),
    ];
    for (y, x, want) in cases {
        check(Op::Atan2, &[y, x], want);
    }
}

/// Zeros must have the right sign, the rest be within the row's bound of `want`, which is the correctly rounded value.
fn check(op: Op, args: &[f32], want: f32) {
    let got = expanded(op, args);
    let exact_case = want == 0.0 || want.is_infinite() || want == 1.0 || want == TINY;
    let bound = if exact_case { 0.0 } else { op.info().ulp.expect("a bound") as f64 + 0.5 };
    let error = ulps(got, want as f64);
    assert!(error <= bound, "{} of {args:?} is {got}, not {want}", op.name());
}
