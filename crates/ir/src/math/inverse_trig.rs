//! Inverse sine, cosine and tangent: polynomials near 0, and the identities that lead there.

use super::real::{Real, Truth, Word};
use super::{SIGN, odd_polynomial, with_sign};
use std::f32::consts::{FRAC_PI_2, PI};

/// asin u = u + u^3 P(u^2) for u up to 1/2; relative error 2^-27.6.
const ASIN: [f32; 5] = [0.16666752, 0.074953094, 0.04546915, 0.024184795, 0.04215824];
/// atan t = t + t^3 P(t^2) for t up to 1; relative error 2^-28.5.
const ATAN: [f32; 9] = [
    -0.333333,
    0.1999853,
    -0.14264016,
    0.10950881,
    -0.08399313,
    0.05788161,
    -0.03109733,
    0.010868952,
    -0.0017829031,
];

/// Inverse sine, from -pi/2 to pi/2.
///
/// NaN outside -1 to 1; `asin(-0) = -0`. Error at most 2.36 ulp.
#[inline(always)]
pub fn asin<R: Real>(x: R) -> R {
    let (near_1, part) = asin_part(x.abs());
    with_sign(near_1.select(part.fma(x.of(-2.0), x.of(FRAC_PI_2)), part), x)
}

/// Inverse cosine, from 0 to pi.
///
/// NaN outside -1 to 1; `acos(1) = 0`. Error at most 1.27 ulp.
#[inline(always)]
pub fn acos<R: Real>(x: R) -> R {
    let (near_1, part) = asin_part(x.abs());
    let negative = x.less(x.of(0.0));
    let factor = near_1.select(x.of(2.0), x.of(-1.0));
    let base = near_1.select(negative.select(x.of(PI), x.of(0.0)), x.of(FRAC_PI_2));
    negative.select(-factor, factor).fma(part, base)
}

/// Whether a > 1/2, and there asin(sqrt((1 - a) / 2)) = (pi/2 - asin a) / 2, elsewhere asin a. NaN for a > 1.
#[inline(always)]
fn asin_part<R: Real>(a: R) -> (R::Truth, R) {
    let near_1 = a.of(0.5).less(a);
    let rest = (a.of(1.0) - a) * a.of(0.5);
    let z = near_1.select(rest, a * a);
    let u = near_1.select(rest.sqrt(), a);
    (near_1, odd_polynomial(u, z, ASIN))
}

/// Inverse tangent, from -pi/2 to pi/2.
///
/// All x; `atan(-0) = -0`, `atan(inf) = pi/2`. Error at most 1.81 ulp.
#[inline(always)]
pub fn atan<R: Real>(x: R) -> R {
    let a = x.abs();
    let steep = a.of(1.0).less(a);
    let r = atan_to_1(steep.select(a.of(1.0) / a, a));
    with_sign(steep.select(a.of(FRAC_PI_2) - r, r), x)
}

/// Angle of the point (x, y), from -pi to pi, with the sign of y.
///
/// All x and y, with the special cases of IEEE 754: signed zeros choose the side of the cut (`atan2(0, -0) = pi`),
/// infinities the diagonal (`atan2(inf, -inf) = 3 pi/4`), NaN if either is. Error at most
/// 1.86 ulp in 400 million pairs; the row allows 2.
#[inline(always)]
pub fn atan2<R: Real>(y: R, x: R) -> R {
    let (ax, ay) = (x.abs(), y.abs());
    let steep = ax.less(ay);
    let low = steep.select(ax, ay);
    let high = steep.select(ay, ax);
    // Equal ones may be both 0 or both infinite.
    let diagonal = low.equals(x.of(0.0)).select(low, x.of(1.0));
    let r = atan_to_1(low.equals(high).select(diagonal, low / high));
    let r = steep.select(x.of(FRAC_PI_2) - r, r);
    let w = x.word();
    let right = (w & w.of(SIGN)).equals(w.of(0));
    with_sign(right.select(r, x.of(PI) - r), y)
}

/// Inverse tangent of t from 0 to 1.
#[inline(always)]
fn atan_to_1<R: Real>(t: R) -> R {
    odd_polynomial(t, t * t, ATAN)
}
