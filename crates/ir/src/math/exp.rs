//! Exponentials: `2^n` with an even integer `n` times a polynomial on what is left.
//!
//! An even `n` makes `2^n` the square of a float that is itself in range, so that results from the smallest
//! subnormal to the largest number, and infinity, come from two multiplications and no special case.

use super::polynomial;
use super::real::{Real, Truth, Word};
use std::f32::consts::LOG2_E;

/// Adding it to a float leaves an even integer in the last bits: floats from 2^24 to 2^25 are 2 apart.
pub(super) const TO_EVEN: f32 = 1.5 * 16777216.0;
/// 2^r for r from -1 to 1; relative error 2^-25.
pub(super) const EXP2: [f32; 8] =
    [1.0, 0.69314736, 0.24022661, 0.055502787, 0.009617021, 0.0013357108, 0.00015635027, 1.4125247e-5];
/// e^r for r from -log 2 to log 2; relative error 2^-25.
const EXP: [f32; 8] =
    [1.0, 1.0, 0.5000006, 0.16666661, 0.041659556, 0.0083332155, 0.0014130487, 0.00020019153];
/// log 2 in two parts; the first has 15 bits, so that its product with an exponent is exact.
const LN_2: [f32; 2] = [22713.0 / 32768.0, 1.4286068e-6];

/// For `x + TO_EVEN`, x within 300 of 0: the even integer n nearest to x, and 2^(n / 2).
#[inline(always)]
pub(super) fn split_even<R: Real>(sum: R) -> (R, R) {
    let w = sum.word();
    // The bits are set already. Without this a compiler that reassociates would take n to be x.
    let w = w | w.of(0x4b80_0000);
    let n = w.real() - sum.of(TO_EVEN);
    let root = w.left(w.of(23)).plus(w.of(1.0f32.to_bits())).real();
    (n, root)
}

/// 2 to the power of x.
///
/// All x: 0 below -150, infinity from 128 on, `exp2(n)` exact for integers n, NaN for NaN. Error at most 1.16 ulp.
#[inline(always)]
pub fn exp2<R: Real>(x: R) -> R {
    // Not `max`, which would lose NaN. Above, NaN and infinity reach the polynomial, so `min` is enough.
    let x = x.less(x.of(-151.0)).select(x.of(-151.0), x);
    let (n, root) = split_even(x.min(x.of(129.0)) + x.of(TO_EVEN));
    polynomial(x - n, EXP2) * root * root
}

/// e to the power of x.
///
/// All x: 0 below -103.98, infinity above 88.73, `exp(0) = 1`, NaN for NaN. Error at most 1.48 ulp.
/// Argument reduction after Cody and Waite, "Software Manual for the Elementary Functions", 1980.
#[inline(always)]
pub fn exp<R: Real>(x: R) -> R {
    let x = x.less(x.of(-104.0)).select(x.of(-104.0), x);
    let (fraction, root) = exp_parts(x);
    fraction * root * root
}

/// e^x / 2 for x >= 0, which is finite wherever `sinh` and `cosh` are.
#[inline(always)]
pub(super) fn half_exp<R: Real>(x: R) -> R {
    let (fraction, root) = exp_parts(x);
    fraction * root * (root * x.of(0.5))
}

/// (p, s) with e^x = p s^2, for x >= -104.
#[inline(always)]
fn exp_parts<R: Real>(x: R) -> (R, R) {
    let (n, root) = split_even(x.min(x.of(92.0)).fma(x.of(LOG2_E), x.of(TO_EVEN)));
    let r = n.fma(x.of(-LN_2[0]), x);
    let r = n.fma(x.of(-LN_2[1]), r);
    (polynomial(r, EXP), root)
}
