//! Floating-point instructions as functions of bits: f16, bf16, f32 and f64, rounded as they say.
//!
//! Rounding to the nearest goes by the machine's own f32 and f64 where that is exact; everything else by [`soft`].

use crate::code::{Comparison, Flags, Rounding};
use crate::soft::{self, Number};
use crate::types::Format;

/// The value as an f64, exactly.
#[inline(always)]
pub(crate) fn value(bits: u64, format: Format) -> f64 {
    match format {
        Format::F64 => f64::from_bits(bits),
        Format::F32 | Format::Tf32 => f64::from(f32::from_bits(bits as u32)),
        Format::Bf16 => f64::from(f32::from_bits((bits as u32) << 16)),
        Format::F16 => half(bits),
    }
}

fn half(bits: u64) -> f64 {
    let sign = (bits & 0x8000) << 48;
    let magnitude = bits & 0x7fff;
    f64::from_bits(match magnitude {
        0..0x400 => sign | (magnitude as f64 * f64::from_bits(0x3e70_0000_0000_0000)).to_bits(),
        0x400..0x7c00 => sign | ((magnitude << 42) + (1008 << 52)),
        0x7c00 => sign | f64::INFINITY.to_bits(),
        _ => f64::NAN.to_bits(),
    })
}

/// The nearest bits to an f64.
pub(crate) fn nearest(value: f64, format: Format) -> u64 {
    match format {
        _ if value.is_nan() => format.nan(),
        Format::F64 => value.to_bits(),
        Format::F32 => u64::from((value as f32).to_bits()),
        _ if value.is_infinite() => format.infinity() | if value < 0.0 { format.sign() } else { 0 },
        _ => Number::of(Format::F64, value.to_bits()).round(format, Rounding::Nearest),
    }
}

/// A subnormal number as zero of its sign, where the flags say so.
#[inline(always)]
fn input(bits: u64, flags: Flags) -> u64 {
    if flags.flush && flags.format.is_subnormal(bits) { bits & flags.format.sign() } else { bits }
}

/// What an instruction does with its result.
#[inline(always)]
pub(crate) fn output(bits: u64, flags: Flags) -> u64 {
    let format = flags.format;
    let nan = format.is_nan(bits);
    if flags.saturate {
        return if nan || bits & format.sign() != 0 { 0 } else { bits.min(nearest(1.0, format)) };
    }
    if nan {
        return if format == Format::F64 { bits | 1 << 51 } else { format.nan() };
    }
    if flags.relu && bits & format.sign() != 0 {
        return 0;
    }
    input(bits, flags)
}

fn opposite(bits: u64, flags: Flags) -> u64 {
    bits ^ flags.format.sign()
}

/// The result where an input is a NaN: the canonical one, or of f64 the first one's payload.
fn propagated(inputs: &[u64], format: Format) -> Option<u64> {
    let first = *inputs.iter().find(|bits| format.is_nan(**bits))?;
    Some(if format == Format::F64 { first | 1 << 51 } else { format.nan() })
}

pub(crate) fn add(a: u64, b: u64, flags: Flags) -> u64 {
    let (a, b) = (input(a, flags), input(b, flags));
    if flags.rounding == Rounding::Nearest {
        let bits = match flags.format {
            Format::F32 => u64::from((f32::from_bits(a as u32) + f32::from_bits(b as u32)).to_bits()),
            Format::F64 => propagated(&[a, b], Format::F64)
                .unwrap_or_else(|| canonical(f64::from_bits(a) + f64::from_bits(b))),
            // A sum of two halves is exact in f64; of two bf16 it has more than twice the bits plus two.
            format => nearest(value(a, format) + value(b, format), format),
        };
        return output(bits, flags);
    }
    output(exact_sum(a, b, flags), flags)
}

fn canonical(value: f64) -> u64 {
    if value.is_nan() { Format::F64.nan() } else { value.to_bits() }
}

fn exact_sum(a: u64, b: u64, flags: Flags) -> u64 {
    let format = flags.format;
    if let Some(nan) = propagated(&[a, b], format) {
        return nan;
    }
    match (format.is_infinite(a), format.is_infinite(b)) {
        (true, true) if a != b => format.nan(),
        (true, _) => a,
        (_, true) => b,
        _ => soft::add(Number::of(format, a), Number::of(format, b), flags.rounding)
            .round(format, flags.rounding),
    }
}

pub(crate) fn subtract(a: u64, b: u64, flags: Flags) -> u64 {
    add(a, if flags.format.is_nan(b) { b } else { opposite(b, flags) }, flags)
}

pub(crate) fn multiply(a: u64, b: u64, flags: Flags) -> u64 {
    let (a, b) = (input(a, flags), input(b, flags));
    let format = flags.format;
    if flags.rounding == Rounding::Nearest {
        let bits = match format {
            Format::F32 => u64::from((f32::from_bits(a as u32) * f32::from_bits(b as u32)).to_bits()),
            Format::F64 => propagated(&[a, b], Format::F64)
                .unwrap_or_else(|| canonical(f64::from_bits(a) * f64::from_bits(b))),
            format => nearest(value(a, format) * value(b, format), format),
        };
        return output(bits, flags);
    }
    let sign = (a ^ b) & format.sign();
    let bits = if let Some(nan) = propagated(&[a, b], format) {
        nan
    } else if format.is_infinite(a) || format.is_infinite(b) {
        if format.is_zero(a) || format.is_zero(b) { format.nan() } else { sign | format.infinity() }
    } else {
        soft::multiply(Number::of(format, a), Number::of(format, b)).round(format, flags.rounding)
    };
    output(bits, flags)
}

pub(crate) fn fused(a: u64, b: u64, c: u64, flags: Flags) -> u64 {
    let (a, b, c) = (input(a, flags), input(b, flags), input(c, flags));
    let format = flags.format;
    if let Some(nan) = propagated(&[a, b, c], format) {
        return output(nan, flags);
    }
    if flags.rounding == Rounding::Nearest {
        if format == Format::F32 {
            let value = f32::from_bits(a as u32).mul_add(f32::from_bits(b as u32), f32::from_bits(c as u32));
            return output(u64::from(value.to_bits()), flags);
        }
        if format == Format::F64 {
            let value = f64::from_bits(a).mul_add(f64::from_bits(b), f64::from_bits(c));
            return output(canonical(value), flags);
        }
    }
    let sign = (a ^ b) & format.sign();
    let bits = if format.is_infinite(a) || format.is_infinite(b) {
        let product = sign | format.infinity();
        let invalid = format.is_zero(a) || format.is_zero(b) || format.is_infinite(c) && c != product;
        if invalid { format.nan() } else { product }
    } else if format.is_infinite(c) {
        c
    } else {
        let product = soft::multiply(Number::of(format, a), Number::of(format, b));
        soft::add(product, Number::of(format, c), flags.rounding).round(format, flags.rounding)
    };
    output(bits, flags)
}

pub(crate) fn divide(a: u64, b: u64, flags: Flags) -> u64 {
    let (a, b) = (input(a, flags), input(b, flags));
    let format = flags.format;
    if let Some(nan) = propagated(&[a, b], format) {
        return output(nan, flags);
    }
    let sign = (a ^ b) & format.sign();
    let both = |f: fn(u64, Format) -> bool| f(a, format) && f(b, format);
    let bits = if both(|x, f| f.is_infinite(x)) || both(|x, f| f.is_zero(x)) {
        format.nan()
    } else if format.is_infinite(a) || format.is_zero(b) {
        sign | format.infinity()
    } else if format.is_infinite(b) {
        sign
    } else if flags.rounding == Rounding::Nearest && format == Format::F32 {
        u64::from((f32::from_bits(a as u32) / f32::from_bits(b as u32)).to_bits())
    } else if flags.rounding == Rounding::Nearest && format == Format::F64 {
        (f64::from_bits(a) / f64::from_bits(b)).to_bits()
    } else {
        soft::divide(Number::of(format, a), Number::of(format, b)).round(format, flags.rounding)
    };
    output(bits, flags)
}

pub(crate) fn reciprocal(a: u64, flags: Flags) -> u64 {
    divide(nearest(1.0, flags.format), a, flags)
}

pub(crate) fn square_root(a: u64, flags: Flags) -> u64 {
    let a = input(a, flags);
    let format = flags.format;
    let bits = if let Some(nan) = propagated(&[a], format) {
        nan
    } else if format.is_zero(a) {
        a
    } else if a & format.sign() != 0 {
        format.nan()
    } else if format.is_infinite(a) {
        a
    } else {
        soft::square_root(Number::of(format, a)).round(format, flags.rounding)
    };
    output(bits, flags)
}

pub(crate) fn negate(a: u64, flags: Flags) -> u64 {
    output(opposite(input(a, flags), flags), flags)
}

pub(crate) fn absolute(a: u64, flags: Flags) -> u64 {
    output(input(a, flags) & !flags.format.sign(), flags)
}

pub(crate) fn minimum(a: u64, b: u64, flags: Flags) -> u64 {
    extreme(a, b, flags, true)
}

pub(crate) fn maximum(a: u64, b: u64, flags: Flags) -> u64 {
    extreme(a, b, flags, false)
}

pub(crate) fn minimum_of_three(a: u64, b: u64, c: u64, flags: Flags) -> u64 {
    minimum(minimum(a, b, flags), c, flags)
}

pub(crate) fn maximum_of_three(a: u64, b: u64, c: u64, flags: Flags) -> u64 {
    maximum(maximum(a, b, flags), c, flags)
}

fn extreme(a: u64, b: u64, flags: Flags, least: bool) -> u64 {
    let format = flags.format;
    let (mut a, mut b) = (input(a, flags), input(b, flags));
    let sign = (a ^ b) & format.sign();
    if flags.xor_sign {
        (a, b) = (a & !format.sign(), b & !format.sign());
    }
    let bits = match (format.is_nan(a), format.is_nan(b)) {
        (true, true) => format.nan(),
        (true, false) | (false, true) if flags.nan => format.nan(),
        (true, false) => b,
        (false, true) => a,
        // Of zeros the negative one is less.
        (false, false) if (order(a, format) < order(b, format)) == least => a,
        (false, false) => b,
    };
    let bits = if flags.xor_sign && !format.is_nan(bits) { bits | sign } else { bits };
    output(bits, flags)
}

/// A number that grows with the value.
fn order(bits: u64, format: Format) -> i64 {
    let magnitude = (bits & (format.sign() - 1)) as i64;
    if bits & format.sign() != 0 { -1 - magnitude } else { magnitude }
}

pub(crate) fn compare(a: u64, b: u64, flags: Flags) -> u64 {
    let (a, b) = (value(input(a, flags), flags.format), value(input(b, flags), flags.format));
    let nan = a.is_nan() || b.is_nan();
    if nan && !matches!(flags.comparison, Comparison::Numbers | Comparison::Nan) {
        return u64::from(flags.unordered);
    }
    u64::from(match flags.comparison {
        Comparison::Equal => a == b,
        Comparison::NotEqual => a != b,
        Comparison::Less => a < b,
        Comparison::LessEqual => a <= b,
        Comparison::Greater => a > b,
        Comparison::GreaterEqual => a >= b,
        Comparison::Numbers => !nan,
        Comparison::Nan => nan,
    })
}

/// The magnitude of `b` with the sign of `a`.
pub(crate) fn copy_sign(a: u64, b: u64, flags: Flags) -> u64 {
    a & flags.format.sign() | b & !flags.format.sign()
}

/// `testp`: modes are finite, infinite, number, notanumber, normal, subnormal.
pub(crate) fn test(a: u64, flags: Flags) -> u64 {
    let format = flags.format;
    let finite = !format.is_nan(a) && !format.is_infinite(a);
    u64::from(match flags.mode {
        0 => finite,
        1 => format.is_infinite(a),
        2 => !format.is_nan(a),
        3 => format.is_nan(a),
        4 => finite && !format.is_subnormal(a) && !format.is_zero(a),
        // Zeros count as subnormal: PTX ISA, testp.
        _ => format.is_subnormal(a) || format.is_zero(a),
    })
}

/// Functions that hardware approximates, here in f64 and rounded to the nearest: modes are rcp, rsqrt, sqrt, sin, cos,
/// lg2, ex2, tanh.
pub(crate) fn approximate(a: u64, flags: Flags) -> u64 {
    let x = value(input(a, flags), flags.format);
    let y = match flags.mode {
        0 => 1.0 / x,
        1 => 1.0 / x.sqrt(),
        2 => x.sqrt(),
        3 => x.sin(),
        4 => x.cos(),
        5 => x.log2(),
        6 => x.exp2(),
        _ => x.tanh(),
    };
    output(nearest(y, flags.format), flags)
}

pub(crate) fn approximate_divide(a: u64, b: u64, flags: Flags) -> u64 {
    let quotient = value(input(a, flags), flags.format) / value(input(b, flags), flags.format);
    output(nearest(quotient, flags.format), flags)
}

/// Does the same in both halves.
macro_rules! halves {
    ($($name:ident = $of:ident ($($input:ident),*);)*) => {$(
        pub(crate) fn $name($($input: u64,)* flags: Flags) -> u64 {
            $of($($input & 0xffff,)* flags) | $of($($input >> 16,)* flags) << 16
        }
    )*};
}

halves! {
    add_halves = add(a, b);
    subtract_halves = subtract(a, b);
    multiply_halves = multiply(a, b);
    fused_halves = fused(a, b, c);
    negate_halves = negate(a);
    absolute_halves = absolute(a);
    minimum_halves = minimum(a, b);
    maximum_halves = maximum(a, b);
    approximate_halves = approximate(a);
}
