//! The functions' errors, measured against the f64 functions of the standard library.
//!
//! The op table's bounds come from here: over every argument for functions of one, over hundreds of millions of
//! pairs, the most of them where it is hard, for functions of two. `examples/ulp.rs` prints them.

use super::{exp, hyperbolic, inverse_trig, log, power, trig};
use crate::op::Op;

/// A function of the op table on the host, in slices so that the loop is compiled for SIMD.
pub struct Function {
    /// Its row.
    pub op: Op,
    /// How it runs, and what it should give.
    pub run: Run,
}

/// A function by its number of operands.
pub enum Run {
    /// One operand.
    One(fn(&[f32], &mut [f32]), fn(f64) -> f64),
    /// Two operands.
    Two(fn(&[f32], &[f32], &mut [f32]), fn(f64, f64) -> f64),
}

macro_rules! one {
    ($op:ident, $function:path, $exact:expr) => {
        Function {
            op: Op::$op,
            run: Run::One(|x, out| x.iter().zip(out).for_each(|(&x, out)| *out = $function(x)), $exact),
        }
    };
}
macro_rules! two {
    ($op:ident, $function:path, $exact:expr) => {
        Function {
            op: Op::$op,
            run: Run::Two(
                |x, y, out| x.iter().zip(y).zip(out).for_each(|((&x, &y), out)| *out = $function(x, y)),
                $exact,
            ),
        }
    };
}

/// Every function of this module.
pub const FUNCTIONS: &[Function] = &[
    one!(Sin, trig::sin, f64::sin),
    one!(Cos, trig::cos, f64::cos),
    one!(Tan, trig::tan, f64::tan),
    one!(Asin, inverse_trig::asin, f64::asin),
    one!(Acos, inverse_trig::acos, f64::acos),
    one!(Atan, inverse_trig::atan, f64::atan),
    two!(Atan2, inverse_trig::atan2, f64::atan2),
    one!(Sinh, hyperbolic::sinh, f64::sinh),
    one!(Cosh, hyperbolic::cosh, f64::cosh),
    one!(Tanh, hyperbolic::tanh, f64::tanh),
    one!(Asinh, hyperbolic::asinh, f64::asinh),
    one!(Acosh, hyperbolic::acosh, f64::acosh),
    one!(Atanh, hyperbolic::atanh, f64::atanh),
    one!(Exp, exp::exp, f64::exp),
    one!(Exp2, exp::exp2, f64::exp2),
    one!(Log, log::log, f64::ln),
    one!(Log2, log::log2, f64::log2),
    two!(Pow, power::pow, f64::powf),
    one!(InverseSqrt, power::inverse_sqrt, |x| 1.0 / x.sqrt()),
];

/// The distance of `got` from the true result in units in the last place of f32 there; of subnormals where it is one.
///
/// Infinity counts as 2^128. A NaN on one side only, or the other sign at zero, is infinitely wrong.
pub fn ulps(got: f32, exact: f64) -> f64 {
    if got.is_nan() || exact.is_nan() {
        return if got.is_nan() && exact.is_nan() { 0.0 } else { f64::INFINITY };
    }
    if (got == 0.0 || exact == 0.0) && got.is_sign_negative() != exact.is_sign_negative() {
        return f64::INFINITY;
    }
    const TOP: f64 = (f32::MAX as f64) + (1u128 << 104) as f64;
    let exponent = ((exact.to_bits() >> 52 & 0x7ff) as i64 - 1023).clamp(-126, 127);
    let per_ulp = f64::from_bits(((1023 + 23 - exponent) as u64) << 52);
    ((got as f64).clamp(-TOP, TOP) - exact.clamp(-TOP, TOP)).abs() * per_ulp
}

/// The largest error met, and where.
#[derive(Clone, Copy, Debug, Default)]
pub struct Worst {
    /// In units in the last place.
    pub ulps: f64,
    /// The operands; the second is 0 for functions of one.
    pub at: (f32, f32),
    /// How many results were infinitely wrong, see [`ulps`]. They do not count otherwise.
    pub wrong: u64,
}

impl Worst {
    fn note(&mut self, ulps: f64, at: (f32, f32)) {
        if ulps == f64::INFINITY {
            self.wrong += 1;
        } else if ulps > self.ulps {
            (self.ulps, self.at) = (ulps, at);
        }
    }
    fn merge(self, other: Worst) -> Worst {
        let larger = if other.ulps > self.ulps { other } else { self };
        Worst { wrong: self.wrong + other.wrong, ..larger }
    }
}

/// Points evaluated in one go.
const CHUNK: usize = 4096;

/// The error of a function over 1/`sparse` of all f32, or of 400 million pairs, on all cores.
pub fn sweep(function: &Function, sparse: u32) -> Worst {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        let parts: Vec<_> = (0..threads)
            .map(|part| scope.spawn(move || sweep_part(function, sparse, part, threads)))
            .collect();
        parts
            .into_iter()
            .map(|part| part.join().expect("no function panics"))
            .fold(Worst::default(), Worst::merge)
    })
}

fn sweep_part(function: &Function, sparse: u32, part: usize, parts: usize) -> Worst {
    let mut worst = Worst::default();
    let (mut x, mut y, mut out) = ([0.0; CHUNK], [0.0; CHUNK], [0.0; CHUNK]);
    let points: u64 = if let Run::One(..) = function.run { 1 << 32 } else { 400_000_000 };
    let chunks = points.div_ceil(CHUNK as u64);
    for chunk in (0..chunks).step_by(sparse as usize).skip(part).step_by(parts) {
        let first = chunk * CHUNK as u64;
        match function.run {
            Run::One(run, exact) => {
                x.iter_mut().zip(first..).for_each(|(x, i)| *x = f32::from_bits(i as u32));
                run(&x, &mut out);
                for (&x, &got) in x.iter().zip(&out) {
                    worst.note(ulps(got, exact(x as f64)), (x, 0.0));
                }
            }
            Run::Two(run, exact) => {
                for (i, (x, y)) in x.iter_mut().zip(&mut y).enumerate() {
                    (*x, *y) = pair(function.op, first + i as u64);
                }
                run(&x, &y, &mut out);
                for ((&x, &y), &got) in x.iter().zip(&y).zip(&out) {
                    worst.note(ulps(got, exact(x as f64, y as f64)), (x, y));
                }
            }
        }
    }
    worst
}

/// Arguments at which functions have special cases.
pub const SPECIAL: [f32; 32] = [
    0.0,
    -0.0,
    1.0,
    -1.0,
    2.0,
    -2.0,
    3.0,
    -3.0,
    0.5,
    -0.5,
    1.5,
    -1.5,
    f32::INFINITY,
    f32::NEG_INFINITY,
    f32::NAN,
    f32::MIN_POSITIVE,
    -f32::MIN_POSITIVE,
    1e-45,
    -1e-45,
    f32::MAX,
    f32::MIN,
    16777215.0,
    -16777215.0,
    16777216.0,
    33554432.0,
    -16777218.0,
    0.99999994,
    1.0000001,
    -0.99999994,
    1e10,
    -1e10,
    8388607.5,
];

/// The `i`-th pair of operands to try: special ones, any ones, and ones where the function is hard.
pub fn pair(op: Op, i: u64) -> (f32, f32) {
    let random = splitmix(i);
    let (a, b) = (random as u32, (random >> 32) as u32);
    let special = |bits: u32| SPECIAL[bits as usize % SPECIAL.len()];
    let any = f32::from_bits;
    let unit = |bits: u32| bits as f32 / 4294967296.0;
    match (i % 8, op) {
        (0, _) => (any(a), any(b)),
        (1, _) => (special(a), any(b)),
        (2, _) if a % 8 == 0 => (special(a >> 8), special(b)),
        (2, _) => (any(a), special(b)),
        // Results anywhere from underflow to overflow, for any x and for x near 1.
        (3, Op::Pow) => to_a_result(any(a & 0x7fff_ffff), unit(b) * 310.0 - 155.0),
        (4, Op::Pow) => {
            let off = (a as i32) >> (8 + (a & 15));
            to_a_result(any(1.0f32.to_bits().wrapping_add_signed(off)), unit(b) * 310.0 - 155.0)
        }
        // The largest and smallest normal results of the x whose logarithm is least accurate.
        (5, Op::Pow) => {
            to_a_result(1.175 + 0.016 * unit(a), (110.0 + 18.0 * unit(b)).copysign(a as i32 as f32))
        }
        (6, Op::Pow) => {
            to_a_result(0.8409 + 0.35 * unit(a), (110.0 + 18.0 * unit(b)).copysign(b as i32 as f32))
        }
        (_, Op::Pow) if a % 8 == 0 => (unit(a) * 20.0 - 10.0, (b % 64) as f32 - 32.0),
        (_, Op::Pow) => (unit(a) * 20.0, unit(b) * 40.0 - 20.0),
        (3 | 4, _) => (any(a), any(a.wrapping_add_signed(b as i32 >> 6) ^ (b << 31))),
        _ => (unit(a) * 2.0 - 1.0, unit(b) * 2.0 - 1.0),
    }
}

/// x, and a y with x^y near 2^exponent.
fn to_a_result(x: f32, exponent: f32) -> (f32, f32) {
    (x, (exponent as f64 / (x as f64).log2()) as f32)
}

/// Random bits for a counter (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014).
fn splitmix(i: u64) -> u64 {
    let z = i.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
