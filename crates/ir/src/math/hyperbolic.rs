//! Hyperbolic functions from the exponential, their inverses from the logarithm of 1 + u.

use super::exp::half_exp;
use super::log::{BIAS, log1p};
use super::real::{Real, Truth, Word};
use super::{INFINITY, NAN, odd_polynomial, with_sign};

/// sinh x = x + x^3 P(x^2) for x up to 1; relative error 2^-31.6.
const SINH: [f32; 4] = [0.16666667, 0.0083333105, 0.00019842896, 2.7822132e-6];
/// tanh x = x + x^3 P(x^2) for x up to 0.6; relative error 2^-28.4.
const TANH: [f32; 5] = [-0.333333, 0.13331936, -0.053784717, 0.020798627, -0.005897972];
/// From here on asinh x and acosh x are log 2x to more than f32's precision.
const FAR: f32 = 67108864.0;

/// Hyperbolic sine.
///
/// All x; `sinh(-0) = -0`, infinite above 89.416. Error at most 2.39 ulp.
#[inline(always)]
pub fn sinh<R: Real>(x: R) -> R {
    let a = x.abs();
    let near = odd_polynomial(a, a * a, SINH);
    let half = half_exp(a);
    let far = half - a.of(0.25) / half;
    with_sign(a.less(a.of(1.0)).select(near, far), x)
}

/// Hyperbolic cosine.
///
/// All x; `cosh(0) = 1`, infinite above 89.416. Error at most 1.68 ulp.
#[inline(always)]
pub fn cosh<R: Real>(x: R) -> R {
    let half = half_exp(x.abs());
    half + x.of(0.25) / half
}

/// Hyperbolic tangent.
///
/// All x; `tanh(-0) = -0`, 1 from 9.02 on. Error at most 1.48 ulp.
#[inline(always)]
pub fn tanh<R: Real>(x: R) -> R {
    let a = x.abs();
    let near = odd_polynomial(a, a * a, TANH);
    let one = a.of(1.0);
    let far = one - one / (half_exp(a + a) + a.of(0.5));
    with_sign(a.less(a.of(0.6)).select(near, far), x)
}

/// Inverse hyperbolic sine: log(1 + u), u = x + x^2 / (1 + sqrt(x^2 + 1)).
///
/// All x; `asinh(-0) = -0`, infinite for infinities. Error at most 1.86 ulp.
#[inline(always)]
pub fn asinh<R: Real>(x: R) -> R {
    let a = x.abs();
    let one = a.of(1.0);
    let u = a + a * a / (one + a.fma(a, one).sqrt());
    with_sign(log_2x_or_1p(a, u), x)
}

/// Inverse hyperbolic cosine: log(1 + u), u = t + sqrt(t^2 + 2 t), t = x - 1.
///
/// NaN below 1; `acosh(1) = 0`, `acosh(inf) = inf`. Error at most 2.03 ulp.
#[inline(always)]
pub fn acosh<R: Real>(x: R) -> R {
    let one = x.of(1.0);
    let t = x - one;
    let u = t + t.fma(t, t + t).sqrt();
    let value = log_2x_or_1p(x, u).word();
    x.less(one).select_word(value.of(NAN), value).real()
}

/// Inverse hyperbolic tangent: log(1 + u) / 2, u = 2 x / (1 - x).
///
/// NaN outside -1 to 1; `atanh(-0) = -0`, infinite at -1 and 1. Error at most 2.14 ulp.
#[inline(always)]
pub fn atanh<R: Real>(x: R) -> R {
    let a = x.abs();
    let one = a.of(1.0);
    let value = (log1p((a + a) / (one - a), a.of(BIAS)) * a.of(0.5)).word();
    let value = a.equals(one).select_word(value.of(INFINITY), value);
    with_sign(one.less(a).select_word(value.of(NAN), value).real(), x)
}

/// log(1 + u), or log 2x where that is the same and u may have overflowed; x itself if infinite or NaN.
#[inline(always)]
fn log_2x_or_1p<R: Real>(x: R, u: R) -> R {
    let far = x.of(FAR).less(x);
    // log 2x = log(x / 4) + 3 log 2; a quarter keeps the exponent in the range of `log1p`.
    let value = log1p(far.select(x * x.of(0.25), u), far.select(x.of(BIAS - 3.0), x.of(BIAS)));
    x.at_most(x.of(f32::MAX)).select(value, x)
}
