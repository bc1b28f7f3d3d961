//! Logarithms: the exponent plus a polynomial around 1.

use super::real::{Real, Truth, Word};
use super::{INFINITY, NAN, SIGN, polynomial};
use std::f32::consts::{LN_2, LOG2_E};

/// 2/3: mantissas from here to 4/3 are at most 1/3 from 1 either way.
const TWO_THIRDS: u32 = 0x3f2a_aaab;
/// log(1 + f) = f + f^2 P(f) for |f| <= 1/3; relative error 2^-27.6.
const LOG: [f32; 9] =
    [-0.5, 0.33333197, -0.2499992, 0.20011432, -0.16674462, 0.1398975, -0.12272898, 0.1405985, -0.124932095];
/// log2(1 + f) = LOG2_E f + f^2 P(f) for |f| <= 1/3; relative error 2^-25.
const LOG2: [f32; 9] = [
    -0.7213475,
    0.48089796,
    -0.3606911,
    0.28863892,
    -0.23967871,
    0.20254295,
    -0.18967938,
    0.20060161,
    -0.12481496,
];
/// What is to be subtracted from a biased exponent in the last bits of 2^23 to get the exponent.
pub(super) const BIAS: f32 = 8388608.0 + 127.0;

/// (m, e) with x = m 2^e and m from `low` to twice that, for finite x > 0. `low` is the bits of a number.
#[inline(always)]
pub(super) fn split<R: Real>(x: R, low: u32) -> (R, R) {
    let subnormal = x.less(x.of(f32::MIN_POSITIVE));
    let bias = subnormal.select(x.of(BIAS + 23.0), x.of(BIAS));
    let w = subnormal.select(x * x.of(8388608.0), x).word();
    let v = w.plus(w.of(1.0f32.to_bits() - low));
    let m = (v & w.of(0x7f_ffff)).plus(w.of(low)).real();
    (m, exponent(v, bias))
}

/// The exponent of a word as a float. Cheaper than a conversion, which many GPUs do at a quarter of the rate.
#[inline(always)]
fn exponent<R: Real>(w: R::Word, bias: R) -> R {
    (w.right(w.of(23)) | w.of(0x4b00_0000)).real() - bias
}

/// Natural logarithm.
///
/// `log(0) = log(-0) = -inf`, NaN below, `log(inf) = inf`, `log(1) = 0`. Error at most 0.95 ulp.
#[inline(always)]
pub fn log<R: Real>(x: R) -> R {
    let (m, e) = split(x, TWO_THIRDS);
    with_special_cases(x, e.fma(x.of(LN_2), log_near_1(m - x.of(1.0))))
}

/// Logarithm to base 2.
///
/// `log2(0) = log2(-0) = -inf`, NaN below, `log2(inf) = inf`, exact for powers of 2. Error at most 1.47 ulp.
#[inline(always)]
pub fn log2<R: Real>(x: R) -> R {
    let (m, e) = split(x, TWO_THIRDS);
    let f = m - x.of(1.0);
    with_special_cases(x, e + f.fma(x.of(LOG2_E), f * f * polynomial(f, LOG2)))
}

/// log(1 + u) + (BIAS - bias) log 2, for u >= 0 below 2^126; as accurate for u near 0.
///
/// The exponent is that of 1 + u rounded, but the mantissa is `u s + (s - 1)` with s = 2^-e, which loses nothing.
#[inline(always)]
pub(super) fn log1p<R: Real>(u: R, bias: R) -> R {
    let w = (u + u.of(1.0)).word();
    let v = w.plus(w.of(1.0f32.to_bits() - TWO_THIRDS));
    let scale = w.of(254 << 23).minus(v & w.of(0x1ff << 23)).real();
    let f = u.fma(scale, scale - u.of(1.0));
    exponent(v, bias).fma(u.of(LN_2), log_near_1(f))
}

/// log(1 + f) for |f| <= 1/3.
#[inline(always)]
fn log_near_1<R: Real>(f: R) -> R {
    (f * f).fma(polynomial(f, LOG), f)
}

/// A logarithm of x, given one that is right for finite x > 0.
#[inline(always)]
fn with_special_cases<R: Real>(x: R, log: R) -> R {
    let (w, log) = (x.word(), log.word());
    // As words, negative numbers and NaN are above infinity.
    let log = w.of(INFINITY).less(w).select_word(w.of(NAN), log);
    let log = w.equals(w.of(INFINITY)).select_word(w, log);
    x.equals(x.of(0.0)).select_word(w.of(SIGN | INFINITY), log).real()
}
