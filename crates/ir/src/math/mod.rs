//! Mathematical functions as expansions into basic operations.
//!
//! The expansion is the definition: every backend computes it with correctly rounded basic operations, so all agree
//! bit for bit. Straight-line code only, without tables, f64 or 64-bit integers, which most GPUs lack.
//!
//! A function is written once over [`Real`] and used twice: with values of a [`Builder`] it is the row's expansion
//! (`emit.rs`); with `f32` it runs at native speed, which makes it possible to measure its error over all 2^32
//! arguments (`cargo run --release -p vyre-ir --example ulp`). The bounds in the op table are those measurements.
//! f16 goes by way of f32, which makes its results the correctly rounded ones but for rare near-halves.
//!
//! Conventions. Polynomials are minimax approximations (Remez), their coefficients rounded to f32 one by one from
//! the lowest, the others fitted again each time; "error" next to one is that of the whole function from the
//! polynomial alone. Infinities and NaN enter as words and are turned into floats after a selection, because some
//! targets refuse such constants (WGSL). No expression relies on a compiler leaving `(x + M) - M` alone.

pub mod angle;
mod emit;
pub mod exp;
pub mod hyperbolic;
pub mod inverse_trig;
pub mod log;
pub mod measure;
pub mod power;
pub mod real;
pub mod trig;

use crate::build::Builder;
use crate::program::Value;
use real::{Real, Word};

/// The bits of infinity.
const INFINITY: u32 = 0x7f80_0000;
/// The bits of the NaN that the functions give.
const NAN: u32 = 0x7fc0_0000;
/// The sign bit.
const SIGN: u32 = 0x8000_0000;

macro_rules! expansions {
    ($($name:ident: $path:path, $($x:ident),+;)*) => { $(
        #[doc = concat!("The expansion of `", stringify!($name), "`.")]
        pub(crate) fn $name(b: &mut Builder, args: &[Value]) -> Value {
            emit::expand(b, args, |[$($x),+]| $path($($x),+))
        }
    )* };
}
expansions! {
    sin: trig::sin, x;
    cos: trig::cos, x;
    tan: trig::tan, x;
    asin: inverse_trig::asin, x;
    acos: inverse_trig::acos, x;
    atan: inverse_trig::atan, x;
    atan2: inverse_trig::atan2, y, x;
    sinh: hyperbolic::sinh, x;
    cosh: hyperbolic::cosh, x;
    tanh: hyperbolic::tanh, x;
    asinh: hyperbolic::asinh, x;
    acosh: hyperbolic::acosh, x;
    atanh: hyperbolic::atanh, x;
    exp: exp::exp, x;
    exp2: exp::exp2, x;
    log: log::log, x;
    log2: log::log2, x;
    pow: power::pow, x, y;
    inverse_sqrt: power::inverse_sqrt, x;
}

/// `c[0] + c[1] x + c[2] x^2 + ...` by Horner's rule.
#[inline(always)]
fn polynomial<R: Real, const N: usize>(x: R, c: [f32; N]) -> R {
    let mut sum = x.of(c[N - 1]);
    for i in (0..N - 1).rev() {
        sum = sum.fma(x, x.of(c[i]));
    }
    sum
}

/// `u + u^3 P(u^2)`: the shape of an odd function near 0, exact for small `u`. `z` is `u^2`.
#[inline(always)]
fn odd_polynomial<R: Real, const N: usize>(u: R, z: R, c: [f32; N]) -> R {
    (u * z).fma(polynomial(z, c), u)
}

/// `magnitude`, which is not negative, with the sign of `x`.
#[inline(always)]
fn with_sign<R: Real>(magnitude: R, x: R) -> R {
    let w = x.word();
    (magnitude.word() | (w & w.of(SIGN))).real()
}
