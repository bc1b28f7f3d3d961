//! Sine, cosine and tangent: reduction to a quadrant, then polynomials on -pi/4 to pi/4.

use super::angle::reduce;
use super::real::{Real, Truth, Word};
use super::{INFINITY, NAN, SIGN, odd_polynomial, polynomial};

/// sin r = r + r^3 P(r^2); relative error 2^-27.9.
const SIN: [f32; 3] = [-0.16666655, 0.008332189, -0.00019518285];
/// cos r = P(r^2); relative error 2^-33.
const COS: [f32; 5] = [1.0, -0.5, 0.041666646, -0.001388731, 2.4432327e-5];
/// tan r = r + r^3 P(r^2); relative error 2^-25.7.
const TAN: [f32; 6] = [0.33333156, 0.13338836, 0.0534082, 0.024441395, 0.0031014653, 0.009396545];

/// Sine of an angle in radians.
///
/// All finite x; `sin(-0) = -0`, NaN for infinities. Error at most 1.54 ulp.
#[inline(always)]
pub fn sin<R: Real>(x: R) -> R {
    let a = x.abs();
    let (r, quadrant) = reduce(a);
    let (sin, cos) = sin_cos(r);
    let value = is_odd::<R>(quadrant).select(cos, sin);
    finish(a, value, quadrant.left(quadrant.of(30)) ^ x.word())
}

/// Cosine of an angle in radians.
///
/// All finite x; `cos(0) = 1`, NaN for infinities. Error at most 1.54 ulp.
#[inline(always)]
pub fn cos<R: Real>(x: R) -> R {
    let a = x.abs();
    let (r, quadrant) = reduce(a);
    let (sin, cos) = sin_cos(r);
    let value = is_odd::<R>(quadrant).select(sin, cos);
    // Negative in quadrants 1 and 2.
    finish(a, value, quadrant.plus(quadrant.of(1)).left(quadrant.of(30)))
}

/// Tangent of an angle in radians.
///
/// All finite x, none of which has an infinite tangent; `tan(-0) = -0`, NaN for infinities. Error at most 3.15 ulp.
#[inline(always)]
pub fn tan<R: Real>(x: R) -> R {
    let a = x.abs();
    let (r, quadrant) = reduce(a);
    let tan = odd_polynomial(r, r * r, TAN);
    let value = is_odd::<R>(quadrant).select(x.of(-1.0) / tan, tan);
    finish(a, value, x.word())
}

/// Sine and cosine of |r| <= pi/4.
#[inline(always)]
fn sin_cos<R: Real>(r: R) -> (R, R) {
    let z = r * r;
    (odd_polynomial(r, z, SIN), polynomial(z, COS))
}

#[inline(always)]
fn is_odd<R: Real>(quadrant: R::Word) -> R::Truth {
    (quadrant & quadrant.of(1)).equals(quadrant.of(1))
}

/// `value` negated where the top bit of `sign` is set; NaN where the angle a >= 0 is not finite.
#[inline(always)]
fn finish<R: Real>(a: R, value: R, sign: R::Word) -> R {
    let value = value.word() ^ (sign & sign.of(SIGN));
    a.word().less(sign.of(INFINITY)).select_word(value, sign.of(NAN)).real()
}
