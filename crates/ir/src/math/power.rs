//! Powers: `pow` by way of a logarithm in two floats, and the inverse square root.

use super::exp::{EXP2, TO_EVEN, split_even};
use super::log::split;
use super::real::{Real, Truth, Word};
use super::{INFINITY, NAN, SIGN, polynomial};

/// 2^(-1/4), 2^(1/4): mantissas between are taken relative to 1, those above, to 2^(3/4), relative to UPPER.
const LOWEST: u32 = 0x3f57_44fd;
const MIDDLE: f32 = 1.1892071;
/// About the root of 2. Its few bits leave `m - UPPER` exact.
const UPPER: f32 = 1.4140625;
/// log2 of UPPER; the first part has few enough bits that its sum with an exponent is exact.
const LOG2_UPPER: [f32; 2] = [16379.0 / 32768.0, -1.5250262e-6];
/// 2 / log 2.
const TWO_LOG2_E: [f32; 2] = [2.88539, 3.851926e-8];
/// log2((1 + s) / (1 - s)) = TWO_LOG2_E s + s^3 P(s^2) for |s| < 0.087; relative error 2^-37.
const LOG2: [f32; 3] = [0.9617967, 0.5770647, 0.41623];
/// An exponent beyond this gives 0 or infinity.
const OUT_OF_RANGE: f32 = 200.0;

/// x to the power of y.
///
/// All x and y, with the special cases of IEEE 754 and C: `pow(x, 0) = pow(1, y) = 1` also for NaN; a negative x has
/// a power for integers y, negative for odd ones, else NaN; zeros and infinities likewise keep their sign for odd y;
/// `pow(-1, inf) = 1`. Error at most 1.82 ulp in 4 billion pairs chosen to
/// be hard; the row allows 2.
///
/// The logarithm, 2 atanh s with s = (m - c) / (m + c), is kept in two floats after Dekker, "A floating-point technique
/// for extending the available precision", 1971: the result's error is its error times up to 150.
#[inline(always)]
pub fn pow<R: Real>(x: R, y: R) -> R {
    let zero = x.of(0.0);
    let one = x.of(1.0);
    let a = x.abs();
    let (high, low) = log2_in_two(a);
    let w = a.word();
    let high = a.equals(zero).select_word(w.of(SIGN | INFINITY), high.word());
    let high = w.equals(w.of(INFINITY)).select_word(w, high).real();

    // An infinite y would make a NaN of the logarithm 0 of 1 and of -1; any y as large as this decides the rest.
    let y_bounded = y.max(x.of(-1.0e12)).min(x.of(1.0e12));
    let exponent = y_bounded * high;
    let exponent_low = y_bounded.fma(low, y_bounded.fma(high, -exponent));
    let clamped = exponent.max(x.of(-OUT_OF_RANGE)).min(x.of(OUT_OF_RANGE));
    let exponent_low = clamped.equals(exponent).select(exponent_low, zero);
    let (n, root) = split_even(clamped + x.of(TO_EVEN));
    let magnitude = polynomial((clamped - n) + exponent_low, EXP2) * root * root;

    let half = y * x.of(0.5);
    let whole = y.trunc().equals(y);
    let odd = whole & !half.trunc().equals(half);
    let sign = odd.select_word(x.word() & w.of(SIGN), w.of(0));
    let value = magnitude.word() | sign;
    let no_power = x.less(zero) & x.of(f32::MIN).at_most(x) & !whole;
    let undefined = no_power | !(x.equals(x) & y.equals(y));
    let value = undefined.select_word(w.of(NAN), value);
    (x.equals(one) | y.equals(zero)).select_word(w.of(1.0f32.to_bits()), value).real()
}

/// log2 of finite a > 0 as a sum of two floats, the first of them the rounded sum; relative error 2^-31.
#[inline(always)]
fn log2_in_two<R: Real>(a: R) -> (R, R) {
    let one = a.of(1.0);
    let zero = a.of(0.0);
    let (m, e) = split(a, LOWEST);
    let upper = a.of(MIDDLE).less(m);
    let center = upper.select(a.of(UPPER), one);
    let e = e + upper.select(a.of(LOG2_UPPER[0]), zero);
    let e_low = upper.select(a.of(LOG2_UPPER[1]), zero);

    // s + s_low = (m - center) / (m + center)
    let difference = m - center;
    let sum = m + center;
    let sum_low = m - (sum - center);
    let reciprocal = one / sum;
    let s = difference * reciprocal;
    let rest = (-s).fma(sum_low, (-s).fma(sum, difference));
    let s_low = rest * reciprocal;

    // p + p_low = 2 log2(e) atanh(s + s_low)
    let z = s * s;
    let p = s * a.of(TWO_LOG2_E[0]);
    let p_low = s.fma(a.of(TWO_LOG2_E[0]), -p);
    let p_low = s.fma(a.of(TWO_LOG2_E[1]), p_low);
    // The derivative of atanh is 1 + s^2 + ...; without s^2 the error of `pow` is 2.8 ulp.
    let slope = z.fma(a.of(TWO_LOG2_E[0]), a.of(TWO_LOG2_E[0]));
    let p_low = s_low.fma(slope, p_low);
    let p_low = (s * z).fma(polynomial(z, LOG2), p_low);

    let high = e + p;
    let low = (p - (high - e)) + (p_low + e_low);
    let total = high + low;
    (total, low - (total - high))
}

/// 1 / sqrt(x).
///
/// Infinity with the sign of x at 0 and -0, NaN below, 0 at infinity. Error at most 1.5 ulp: that of rounding twice.
#[inline(always)]
pub fn inverse_sqrt<R: Real>(x: R) -> R {
    x.of(1.0) / x.sqrt()
}
