//! The errors that the operations of `math` state, and what they give where functions have special cases.

mod measure;

use measure::{FUNCTIONS, Measured};
use vyre_ir::Scalar;
use vyre_ir::dialect::DialectRegistry;

/// One in so many operands is tried; `examples/bounds.rs` tries all.
const SPARSE: u64 = 4093;

#[test]
fn errors_are_within_the_stated_bounds() {
    let registry = DialectRegistry::try_global().unwrap();
    for exact in FUNCTIONS {
        let def = registry.find(exact.op).unwrap_or_else(|| panic!("`{}` is not registered", exact.op));
        let bound = match (def.ulp, &exact.bound) {
            (None, Some(bound)) => bound.ulps,
            (Some(ulp), Some(bound)) if bound.ulps == f64::from(ulp) => bound.ulps,
            (Some(_), Some(_)) => panic!("`{}` states two errors", exact.op),
            (Some(ulp), None) => ulp.into(),
            (None, None) => panic!("`{}` states no error", exact.op),
        };
        let worst = Measured::new(exact).sweep(SPARSE, 0, 1);
        assert!(worst.ulps <= bound, "`{}` states {bound}: {worst:?}", exact.op);
        assert_eq!(worst.wrong, 0, "`{}`: {worst:?}", exact.op);
        // A bound for several operands is derived: a sample does not come near the worst.
        assert!(
            exact.operands > 1 || worst.ulps > bound / 2.0,
            "`{}` is far better than {bound}: {worst:?}",
            exact.op
        );
    }
}

#[test]
fn every_function_is_measured() {
    for def in DialectRegistry::try_global().unwrap().iter() {
        let of_floats = def.signature.results.iter().any(|ty| ty.scalar == Scalar::F32);
        let measured = FUNCTIONS.iter().any(|exact| exact.op == def.id);
        assert_eq!(of_floats, measured, "`{}`", def.id);
    }
}

const INF: f32 = f32::INFINITY;
const NAN: f32 = f32::NAN;

/// Operands and results that must be met to the bit, any NaN being as good as another.
const SPECIAL: &[(&str, &[f32], f32)] = &[
    ("math.erf", &[0.0], 0.0),
    ("math.erf", &[-0.0], -0.0),
    ("math.erf", &[INF], 1.0),
    ("math.erf", &[-INF], -1.0),
    ("math.erf", &[NAN], NAN),
    ("math.erfc", &[0.0], 1.0),
    ("math.erfc", &[-0.0], 1.0),
    ("math.erfc", &[INF], 0.0),
    ("math.erfc", &[-INF], 2.0),
    ("math.erfc", &[10.06], 0.0),
    ("math.erfc", &[NAN], NAN),
    ("math.erfcx_abs", &[0.0], 1.0),
    ("math.erfcx_abs", &[INF], 0.0),
    ("math.erfcx_abs", &[-INF], 0.0),
    ("math.erfcx_abs", &[NAN], NAN),
    ("math.expm1", &[0.0], 0.0),
    ("math.expm1", &[-0.0], -0.0),
    ("math.expm1", &[INF], INF),
    ("math.expm1", &[-INF], -1.0),
    ("math.expm1", &[88.73], INF),
    ("math.expm1", &[1e-45], 1e-45),
    ("math.expm1", &[NAN], NAN),
    ("math.log1p", &[0.0], 0.0),
    ("math.log1p", &[-0.0], -0.0),
    ("math.log1p", &[-1.0], -INF),
    ("math.log1p", &[-1.0000001], NAN),
    ("math.log1p", &[INF], INF),
    ("math.log1p", &[-INF], NAN),
    ("math.log1p", &[1e-45], 1e-45),
    ("math.log1p", &[NAN], NAN),
    ("math.log_add_exp", &[INF, INF], INF),
    ("math.log_add_exp", &[-INF, -INF], -INF),
    ("math.log_add_exp", &[-INF, 3.0], 3.0),
    ("math.log_add_exp", &[-INF, INF], INF),
    ("math.log_add_exp", &[3e38, 3e38], 3e38),
    ("math.log_add_exp", &[NAN, 1.0], NAN),
    ("math.log_add_exp", &[1.0, NAN], NAN),
    ("math.sigmoid", &[0.0], 0.5),
    ("math.sigmoid", &[INF], 1.0),
    ("math.sigmoid", &[-INF], 0.0),
    ("math.sigmoid", &[-104.0], 0.0),
    ("math.sigmoid", &[NAN], NAN),
    ("math.silu", &[0.0], 0.0),
    ("math.silu", &[-0.0], -0.0),
    ("math.silu", &[INF], INF),
    ("math.silu", &[-INF], -0.0),
    ("math.silu", &[f32::MAX], f32::MAX),
    ("math.silu", &[f32::MIN], -0.0),
    ("math.silu", &[NAN], NAN),
    ("math.softplus", &[INF], INF),
    ("math.softplus", &[-INF], 0.0),
    ("math.softplus", &[200.0], 200.0),
    ("math.softplus", &[NAN], NAN),
    ("math.gelu", &[0.0], 0.0),
    ("math.gelu", &[-0.0], -0.0),
    ("math.gelu", &[INF], INF),
    ("math.gelu", &[-INF], -0.0),
    ("math.gelu", &[f32::MAX], f32::MAX),
    ("math.gelu", &[f32::MIN], -0.0),
    ("math.gelu", &[NAN], NAN),
    ("math.gelu_tanh", &[0.0], 0.0),
    ("math.gelu_tanh", &[-0.0], -0.0),
    ("math.gelu_tanh", &[INF], INF),
    ("math.gelu_tanh", &[-INF], -0.0),
    ("math.gelu_tanh", &[f32::MAX], f32::MAX),
    ("math.gelu_tanh", &[NAN], NAN),
    ("math.lerp", &[3.0, 7.0, 0.0], 3.0),
    ("math.lerp", &[3.0, 7.0, 1.0], 7.0),
    ("math.lerp", &[0.1, 1e10, 1.0], 1e10),
    ("math.lerp", &[NAN, 1.0, 0.5], NAN),
    ("math.lerp", &[1.0, NAN, 0.5], NAN),
    ("math.lerp", &[1.0, 1.0, NAN], NAN),
    ("math.smoothstep", &[1.0, 3.0, 2.0], 0.5),
    ("math.smoothstep", &[1.0, 3.0, 1.0], 0.0),
    ("math.smoothstep", &[1.0, 3.0, 3.0], 1.0),
    ("math.smoothstep", &[1.0, 3.0, -INF], 0.0),
    ("math.smoothstep", &[1.0, 3.0, INF], 1.0),
    ("math.smoothstep", &[2.0, 2.0, 2.0], 0.0),
    ("math.smoothstep", &[2.0, 2.0, 2.5], 1.0),
    ("math.smoothstep", &[2.0, 2.0, 1.5], 0.0),
    ("math.smoothstep", &[1.0, 3.0, NAN], NAN),
    ("math.sin_pi", &[0.0], 0.0),
    ("math.sin_pi", &[-0.0], -0.0),
    ("math.sin_pi", &[0.5], 1.0),
    ("math.sin_pi", &[1.5], -1.0),
    ("math.sin_pi", &[3.0], 0.0),
    ("math.sin_pi", &[-3.0], -0.0),
    ("math.sin_pi", &[3e38], 0.0),
    ("math.sin_pi", &[INF], NAN),
    ("math.sin_pi", &[NAN], NAN),
    ("math.cos_pi", &[0.0], 1.0),
    ("math.cos_pi", &[0.5], 0.0),
    ("math.cos_pi", &[-1.5], 0.0),
    ("math.cos_pi", &[1.0], -1.0),
    ("math.cos_pi", &[16777217.0], 1.0),
    ("math.cos_pi", &[16777215.0], -1.0),
    ("math.cos_pi", &[INF], NAN),
    ("math.cos_pi", &[NAN], NAN),
    ("math.sinc", &[0.0], 1.0),
    ("math.sinc", &[-0.0], 1.0),
    ("math.sinc", &[1e-45], 1.0),
    ("math.sinc", &[INF], 0.0),
    ("math.sinc", &[-INF], 0.0),
    ("math.sinc", &[NAN], NAN),
    ("math.cbrt", &[0.0], 0.0),
    ("math.cbrt", &[-0.0], -0.0),
    ("math.cbrt", &[27.0], 3.0),
    ("math.cbrt", &[-64.0], -4.0),
    ("math.cbrt", &[INF], INF),
    ("math.cbrt", &[-INF], -INF),
    ("math.cbrt", &[NAN], NAN),
    ("math.hypot", &[3.0, 4.0], 5.0),
    ("math.hypot", &[-3e38, 0.0], 3e38),
    ("math.hypot", &[3e38, 3e38], INF),
    ("math.hypot", &[-0.0, -0.0], 0.0),
    ("math.hypot", &[1e-45, 0.0], 1e-45),
    ("math.hypot", &[3e-45, 4e-45], 5e-45),
    ("math.hypot", &[INF, NAN], INF),
    ("math.hypot", &[NAN, -INF], INF),
    ("math.hypot", &[NAN, 1.0], NAN),
    ("math.hypot", &[1.0, NAN], NAN),
];

#[test]
fn special_cases() {
    for exact in FUNCTIONS {
        let cases: Vec<_> = SPECIAL.iter().filter(|case| case.0 == exact.op).collect();
        assert!(!cases.is_empty(), "`{}` has no special case", exact.op);
        let operands: Vec<Vec<f32>> =
            (0..exact.operands).map(|k| cases.iter().map(|(_, at, _)| at[k]).collect()).collect();
        for ((op, at, want), got) in cases.into_iter().zip(Measured::new(exact).run(&operands)) {
            let same = want.to_bits() == got.to_bits() || want.is_nan() && got.is_nan();
            assert!(same, "`{op}` of {at:?} is {got:?}, not {want:?}");
        }
    }
}
