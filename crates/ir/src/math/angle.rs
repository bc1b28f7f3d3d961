//! Reduction of an angle to a quadrant and a remainder, for every finite f32.
//!
//! Up to 2^17 the multiple of pi/2 is subtracted in three parts (Cody and Waite). Beyond, the angle is multiplied by
//! the bits of 2/pi that matter for its exponent (Payne and Hanek, "Radian reduction for trigonometric functions",
//! 1983). Both are always computed and one is chosen: there is no branch.

use super::real::{Real, Truth, Word};
use std::f32::consts::{FRAC_2_PI, FRAC_PI_2};

/// Adding it to a float leaves the nearest integer in the last bits: floats from 2^23 to 2^24 are 1 apart.
const TO_INTEGER: f32 = 1.5 * 8388608.0;
/// pi/2 minus FRAC_PI_2, and what that leaves.
const FRAC_PI_2_LOW: [f32; 2] = [-4.371139e-8, -1.7151245e-15];
/// 10 zero bits and 214 bits of 2/pi.
const TWO_OVER_PI: [u32; 7] =
    [0x0028_be60, 0xdb93_9105, 0x4a7f_09d5, 0xf47d_4d37, 0x7036_d8a5, 0x664f_10e4, 0x107f_9458];
/// 2^-32, which takes 2^32 of a u32 to one quadrant when multiplied by pi/2.
const QUADRANT: f32 = 1.0 / 4294967296.0;

/// For finite a >= 0: (r, q) with a = q pi/2 + r, |r| <= pi/4 but for rounding, q in the last two bits of the word.
///
/// For infinity and NaN the result has no meaning.
#[inline(always)]
pub(super) fn reduce<R: Real>(a: R) -> (R, R::Word) {
    let (near, near_quadrant) = reduce_near(a);
    let (far, far_quadrant) = reduce_far(a);
    let is_near = a.less(a.of(131072.0));
    (is_near.select(near, far), is_near.select_word(near_quadrant, far_quadrant))
}

/// For a < 2^17.
#[inline(always)]
fn reduce_near<R: Real>(a: R) -> (R, R::Word) {
    let w = a.fma(a.of(FRAC_2_PI), a.of(TO_INTEGER)).word();
    // The bits are set already. Without this a compiler that reassociates would take n to be a 2/pi.
    let w = w | w.of(0x4b00_0000);
    let n = w.real() - a.of(TO_INTEGER);
    let r = n.fma(a.of(-FRAC_PI_2), a);
    let r = n.fma(a.of(-FRAC_PI_2_LOW[0]), r);
    let r = n.fma(a.of(-FRAC_PI_2_LOW[1]), r);
    (r, w)
}

/// For a >= 2^15.
///
/// a is an integer m of 24 bits times a power of two. That power times 2/pi, in units of 2^-30 quadrants and modulo
/// four quadrants, is a word and a fraction. The word times m is a wrapping integer product; the fraction, in two
/// parts of 24 bits, times m is a float product kept in two floats. The closest that an f32 comes to a multiple of
/// pi/2 is 2^-30 quadrants, of which this leaves an error of 2^-55.
#[inline(always)]
fn reduce_far<R: Real>(a: R) -> (R, R::Word) {
    let w = a.word();
    let k = |number: u32| w.of(number);
    let mantissa = w & k(0x7f_ffff);

    // Three words of 2/pi from the bit that the exponent says.
    let start = w.right(k(23)).minus(k(142));
    let below_64 = (start & k(64)).equals(k(0));
    let below_32 = (start & k(32)).equals(k(0));
    let by_64 = |i: usize| below_64.select_word(k(TWO_OVER_PI[i]), k(TWO_OVER_PI[i + 2]));
    let by_64 = [by_64(0), by_64(1), by_64(2), by_64(3), by_64(4)];
    let by_32 = |i: usize| below_32.select_word(by_64[i], by_64[i + 1]);
    let by_32 = [by_32(0), by_32(1), by_32(2), by_32(3)];
    let shift = start & k(31);
    let back = shift ^ k(31);
    let word = |i: usize| by_32[i].left(shift) | by_32[i + 1].right(k(1)).right(back);
    let (whole, high, low) = (word(0), word(1), word(2));

    // m times the fraction: `carry + part`.
    let high_part = (high & k(0xffff_ff00)).unsigned_to_real();
    let low_part = (high.left(k(24)) | low.right(k(8))).unsigned_to_real();
    let m_by_high = (mantissa | k(0x3b00_0000)).real(); // m 2^-32
    let m_by_low = (mantissa | k(0x2f00_0000)).real(); // m 2^-56
    let product = m_by_high * high_part;
    let rest = m_by_low.fma(low_part, m_by_high.fma(high_part, -product));
    let carry = product.to_signed();
    let part = (product - carry.signed_to_real()) + rest;

    // The angle in units of 2^-30 quadrants is `turn + part`; `top` is `turn` to the nearest 64, 24 bits.
    let turn = (mantissa | k(0x80_0000)).times(whole).plus(carry);
    let top = turn.plus(k(32)) & k(!63);
    let rest = turn.minus(top).signed_to_real() + part;
    let quadrant = top.plus(k(1 << 29)).right(k(30));
    let top = top.left(k(2)).signed_to_real();
    let r = top.fma(a.of(FRAC_PI_2_LOW[0] * QUADRANT), rest * a.of(FRAC_PI_2 * QUADRANT * 4.0));
    (top.fma(a.of(FRAC_PI_2 * QUADRANT), r), quadrant)
}
