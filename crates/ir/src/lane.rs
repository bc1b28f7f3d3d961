//! What the rows' semantics are written in: Rust's own arithmetic, made total.
//!
//! A lane's value travels as the low bits of a `u64`. Every function here is defined for every input: integers wrap,
//! `x / 0 = x`, `x % 0 = 0`, `MIN / -1 = MIN` (WGSL's rules), shifts take the amount modulo the width, conversions
//! from float saturate and take NaN to 0. f16 and bf16 compute in f32 and round once more, which is correctly
//! rounded for `+ - * / sqrt` because 24 >= 2 * 11 + 2 (Figueroa, "When is double rounding innocuous?", 1995).

use crate::types::Scalar;
use half::{bf16, f16};

/// A lane's type: its bits in a `u64` and back.
pub trait Lane: Copy {
    /// The value of these bits.
    fn of(bits: u64) -> Self;
    /// The bits, the unused high ones zero.
    fn bits(self) -> u64;
}

/// Numbers: the operations that both integers and floats have.
#[allow(missing_docs)]
pub trait Num: Lane + PartialOrd {
    fn add(self, b: Self) -> Self;
    fn sub(self, b: Self) -> Self;
    fn mul(self, b: Self) -> Self;
    fn div(self, b: Self) -> Self;
    fn rem(self, b: Self) -> Self;
    fn min(self, b: Self) -> Self;
    fn max(self, b: Self) -> Self;
    fn neg(self) -> Self;
    fn abs(self) -> Self;
}

/// Integers.
#[allow(missing_docs)]
pub trait Int: Num {
    fn ones(self) -> Self;
    fn leading(self) -> Self;
    fn trailing(self) -> Self;
    fn reverse(self) -> Self;
    fn mul_hi(self, b: Self) -> Self;
}

/// Floating-point numbers.
#[allow(missing_docs)]
pub trait Float: Num {
    fn sqrt(self) -> Self;
    fn floor(self) -> Self;
    fn ceil(self) -> Self;
    fn trunc(self) -> Self;
    fn round(self) -> Self;
    fn fma(self, b: Self, c: Self) -> Self;
}

impl Lane for bool {
    fn of(bits: u64) -> Self {
        bits & 1 == 1
    }
    fn bits(self) -> u64 {
        self as u64
    }
}

macro_rules! int_lane {
    ($($t:ident $unsigned:ident $wide:ident)*) => { $(
        impl Lane for $t {
            fn of(bits: u64) -> Self { bits as $t }
            fn bits(self) -> u64 { self as $unsigned as u64 }
        }
        impl Num for $t {
            fn add(self, b: Self) -> Self { self.wrapping_add(b) }
            fn sub(self, b: Self) -> Self { self.wrapping_sub(b) }
            fn mul(self, b: Self) -> Self { self.wrapping_mul(b) }
            fn div(self, b: Self) -> Self { if b == 0 { self } else { self.wrapping_div(b) } }
            fn rem(self, b: Self) -> Self { if b == 0 { 0 } else { self.wrapping_rem(b) } }
            fn min(self, b: Self) -> Self { Ord::min(self, b) }
            fn max(self, b: Self) -> Self { Ord::max(self, b) }
            fn neg(self) -> Self { self.wrapping_neg() }
            #[allow(unused_comparisons)]
            fn abs(self) -> Self { if self < 0 { self.wrapping_neg() } else { self } }
        }
        impl Int for $t {
            fn ones(self) -> Self { self.count_ones() as $t }
            fn leading(self) -> Self { self.leading_zeros() as $t }
            fn trailing(self) -> Self { self.trailing_zeros() as $t }
            fn reverse(self) -> Self { self.reverse_bits() }
            fn mul_hi(self, b: Self) -> Self { ((self as $wide * b as $wide) >> $t::BITS) as $t }
        }
    )* };
}
int_lane!(i8 u8 i16  i16 u16 i32  i32 u32 i64  i64 u64 i128
          u8 u8 u16  u16 u16 u32  u32 u32 u64  u64 u64 u128);

/// The smaller number; a NaN gives way to a number, and -0 is smaller than +0 (IEEE 754-2019 minimumNumber).
fn minimum<T: Num>(a: T, b: T, a_nan: bool, b_nan: bool, a_negative: bool) -> T {
    if a_nan {
        b
    } else if b_nan {
        a
    } else if a == b {
        if a_negative { a } else { b }
    } else if a < b {
        a
    } else {
        b
    }
}

macro_rules! native_float {
    ($($t:ident $bits:ident $sign:expr;)*) => { $(
        impl Lane for $t {
            fn of(bits: u64) -> Self { $t::from_bits(bits as $bits) }
            fn bits(self) -> u64 { self.to_bits() as u64 }
        }
        impl Num for $t {
            fn add(self, b: Self) -> Self { self + b }
            fn sub(self, b: Self) -> Self { self - b }
            fn mul(self, b: Self) -> Self { self * b }
            fn div(self, b: Self) -> Self { self / b }
            fn rem(self, b: Self) -> Self { self - b * (self / b).trunc() }
            fn min(self, b: Self) -> Self {
                minimum(self, b, self.is_nan(), b.is_nan(), self.is_sign_negative())
            }
            fn max(self, b: Self) -> Self { Num::neg(Num::min(Num::neg(self), Num::neg(b))) }
            fn neg(self) -> Self { $t::from_bits(self.to_bits() ^ $sign) }
            fn abs(self) -> Self { $t::from_bits(self.to_bits() & !$sign) }
        }
        impl Float for $t {
            fn sqrt(self) -> Self { $t::sqrt(self) }
            fn floor(self) -> Self { $t::floor(self) }
            fn ceil(self) -> Self { $t::ceil(self) }
            fn trunc(self) -> Self { $t::trunc(self) }
            fn round(self) -> Self { $t::round_ties_even(self) }
            fn fma(self, b: Self, c: Self) -> Self { self.mul_add(b, c) }
        }
    )* };
}
native_float!(f32 u32 (1 << 31); f64 u64 (1 << 63););

/// `a * b + c` rounded to odd: exact enough to be rounded once more to a format of at most 24 bits.
///
/// `a * b` must be exact in f64, which it is for factors of f16 and bf16. Source: Boldo and Melquiond, "Emulation
/// of FMA and correctly rounded sums: proved algorithms using rounding to odd", 2008.
fn fma_to_odd(a: f64, b: f64, c: f64) -> f64 {
    let product = a * b;
    let sum = product + c;
    if !sum.is_finite() {
        return sum;
    }
    // Knuth's TwoSum: the rounding error of `product + c`, exactly.
    let c_part = sum - product;
    let error = (product - (sum - c_part)) + (c - c_part);
    if error == 0.0 || sum.to_bits() & 1 == 1 {
        return sum;
    }
    if (error > 0.0) == (sum > 0.0) {
        f64::from_bits(sum.to_bits() + 1)
    } else {
        f64::from_bits(sum.to_bits() - 1)
    }
}

macro_rules! small_float {
    ($($t:ident)*) => { $(
        impl Lane for $t {
            fn of(bits: u64) -> Self { $t::from_bits(bits as u16) }
            fn bits(self) -> u64 { self.to_bits() as u64 }
        }
        impl Num for $t {
            fn add(self, b: Self) -> Self { $t::from_f32(self.to_f32() + b.to_f32()) }
            fn sub(self, b: Self) -> Self { $t::from_f32(self.to_f32() - b.to_f32()) }
            fn mul(self, b: Self) -> Self { $t::from_f32(self.to_f32() * b.to_f32()) }
            fn div(self, b: Self) -> Self { $t::from_f32(self.to_f32() / b.to_f32()) }
            fn rem(self, b: Self) -> Self {
                Num::sub(self, Num::mul(b, Float::trunc(Num::div(self, b))))
            }
            fn min(self, b: Self) -> Self {
                minimum(self, b, self.is_nan(), b.is_nan(), self.is_sign_negative())
            }
            fn max(self, b: Self) -> Self { Num::neg(Num::min(Num::neg(self), Num::neg(b))) }
            fn neg(self) -> Self { $t::from_bits(self.to_bits() ^ 0x8000) }
            fn abs(self) -> Self { $t::from_bits(self.to_bits() & 0x7fff) }
        }
        impl Float for $t {
            fn sqrt(self) -> Self { $t::from_f32(self.to_f32().sqrt()) }
            fn floor(self) -> Self { $t::from_f32(self.to_f32().floor()) }
            fn ceil(self) -> Self { $t::from_f32(self.to_f32().ceil()) }
            fn trunc(self) -> Self { $t::from_f32(self.to_f32().trunc()) }
            fn round(self) -> Self { $t::from_f32(self.to_f32().round_ties_even()) }
            fn fma(self, b: Self, c: Self) -> Self {
                $t::from_f32(narrow(fma_to_odd(self.to_f64(), b.to_f64(), c.to_f64())))
            }
        }
    )* };
}
small_float!(f16 bf16);

/// A number on its way from one type to another, without loss.
enum Number {
    Int(i128),
    Float(f64),
}

/// Converts a lane's value: truncates or extends integers by the sign of the source, rounds to nearest even towards
/// floats, saturates from float to integer with NaN to 0, takes every non-zero number to `true`.
pub fn convert(from: Scalar, to: Scalar, bits: u64) -> u64 {
    use Scalar::*;
    let number = match from {
        Bool => Number::Int((bits & 1) as i128),
        I8 => Number::Int(bits as i8 as i128),
        I16 => Number::Int(bits as i16 as i128),
        I32 => Number::Int(bits as i32 as i128),
        I64 => Number::Int(bits as i64 as i128),
        U8 | U16 | U32 | U64 => Number::Int(bits as i128),
        F16 => Number::Float(f16::of(bits).to_f64()),
        BF16 => Number::Float(bf16::of(bits).to_f64()),
        F32 => Number::Float(f32::of(bits) as f64),
        F64 => Number::Float(f64::of(bits)),
    };
    match (number, to) {
        (Number::Int(x), Bool) => (x != 0) as u64,
        (Number::Float(x), Bool) => (x != 0.0) as u64,
        (Number::Int(x), F32) => (x as f32).bits(),
        (Number::Int(x), F64) => (x as f64).bits(),
        (Number::Int(x), F16) => f16::from_f32(narrow(to_odd(x))).bits(),
        (Number::Int(x), BF16) => bf16::from_f32(narrow(to_odd(x))).bits(),
        (Number::Int(x), _) => x as u64 & to.mask(),
        (Number::Float(x), F16) => f16::from_f32(narrow(x)).bits(),
        (Number::Float(x), BF16) => bf16::from_f32(narrow(x)).bits(),
        (Number::Float(x), F32) => (x as f32).bits(),
        (Number::Float(x), F64) => x.bits(),
        (Number::Float(x), I8) => (x as i8).bits(),
        (Number::Float(x), I16) => (x as i16).bits(),
        (Number::Float(x), I32) => (x as i32).bits(),
        (Number::Float(x), I64) => (x as i64).bits(),
        (Number::Float(x), U8) => (x as u8).bits(),
        (Number::Float(x), U16) => (x as u16).bits(),
        (Number::Float(x), U32) => (x as u32).bits(),
        (Number::Float(x), U64) => (x as u64).bits(),
    }
}

/// An integer as f64 rounded to odd, so that rounding it once more to a narrow float is correct.
fn to_odd(x: i128) -> f64 {
    let magnitude = x.unsigned_abs();
    if magnitude < 1 << 53 {
        return x as f64;
    }
    let sticky = (magnitude & 0x7ff != 0) as u128;
    let odd = ((magnitude >> 11) | sticky) as f64 * 2048.0;
    if x < 0 { -odd } else { odd }
}

/// An f64 as f32 rounded to odd, so that rounding it once more to f16 or bf16 is correct. The `half` crate's own
/// conversion from f64 rounds twice or drops low bits, depending on the processor.
fn narrow(x: f64) -> f32 {
    let near = x as f32;
    if near as f64 == x || x.is_nan() {
        return near;
    }
    let towards_zero = near.to_bits() - ((near as f64).abs() > x.abs()) as u32;
    f32::from_bits(towards_zero | 1)
}

/// A row's semantics on lanes of each type in the list: the closure's parameters become values of the operand type.
macro_rules! lanes {
    ([$($s:ident $t:ty),*] $params:tt $body:expr) => {
        |sig, v| match sig.operand {
            $($crate::types::Scalar::$s => lane_body!($t, v, $params $body),)*
            #[allow(unreachable_patterns)]
            other => unreachable!("the verifier admits only the row's class, not {other}"),
        }
    };
}
macro_rules! lane_body {
    ($t:ty, $v:ident, ($($x:ident)*) $body:expr) => {{
        let mut v = $v.iter();
        $(let $x = <$t as $crate::lane::Lane>::of(*v.next().expect("the row's number of operands"));)*
        $crate::lane::Lane::bits($body)
    }};
}
macro_rules! num { (|$($x:ident),*| $b:expr) => {
    lanes!([I8 i8, I16 i16, I32 i32, I64 i64, U8 u8, U16 u16, U32 u32, U64 u64,
            F16 half::f16, BF16 half::bf16, F32 f32, F64 f64] ($($x)*) $b) } }
macro_rules! int { (|$($x:ident),*| $b:expr) => {
    lanes!([I8 i8, I16 i16, I32 i32, I64 i64, U8 u8, U16 u16, U32 u32, U64 u64] ($($x)*) $b) } }
macro_rules! float { (|$($x:ident),*| $b:expr) => {
    lanes!([F16 half::f16, BF16 half::bf16, F32 f32, F64 f64] ($($x)*) $b) } }
macro_rules! any { (|$($x:ident),*| $b:expr) => {
    lanes!([Bool bool, I8 i8, I16 i16, I32 i32, I64 i64, U8 u8, U16 u16, U32 u32, U64 u64,
            F16 half::f16, BF16 half::bf16, F32 f32, F64 f64] ($($x)*) $b) } }
macro_rules! bits { (|$($x:ident),*| $b:expr) => {
    lanes!([Bool bool, I8 i8, I16 i16, I32 i32, I64 i64, U8 u8, U16 u16, U32 u32, U64 u64] ($($x)*) $b) } }
pub(crate) use {any, bits, float, int, lane_body, lanes, num};
