//! Exact arithmetic on floating-point numbers of any format, rounded once in any direction: by integers.
//!
//! A finite number is a significand times a power of two. Operations keep what they drop as one sticky bit, which is all
//! that rounding needs to know.

use crate::code::Rounding;
use crate::types::Format;

impl Format {
    pub(crate) fn exponent_bits(self) -> u32 {
        match self {
            Format::F16 => 5,
            Format::Bf16 | Format::Tf32 | Format::F32 => 8,
            Format::F64 => 11,
        }
    }
    /// Bits of the significand that are stored. Those of tf32 lie in an f32.
    pub(crate) fn fraction_bits(self) -> u32 {
        match self {
            Format::F16 => 10,
            Format::Bf16 => 7,
            Format::Tf32 => 10,
            Format::F32 => 23,
            Format::F64 => 52,
        }
    }
    pub(crate) fn bits(self) -> u32 {
        1 + self.exponent_bits() + self.fraction_bits()
    }
    pub(crate) fn sign(self) -> u64 {
        1 << (self.bits() - 1)
    }
    pub(crate) fn infinity(self) -> u64 {
        ((1 << self.exponent_bits()) - 1) << self.fraction_bits()
    }
    pub(crate) fn largest(self) -> u64 {
        self.infinity() - 1
    }
    /// The NaN that results are.
    pub(crate) fn nan(self) -> u64 {
        match self {
            Format::F64 => 0x7ff8_0000_0000_0000,
            _ => self.sign() - 1,
        }
    }
    pub(crate) fn is_nan(self, bits: u64) -> bool {
        bits & (self.sign() - 1) > self.infinity()
    }
    pub(crate) fn is_infinite(self, bits: u64) -> bool {
        bits & (self.sign() - 1) == self.infinity()
    }
    pub(crate) fn is_zero(self, bits: u64) -> bool {
        bits & (self.sign() - 1) == 0
    }
    pub(crate) fn is_subnormal(self, bits: u64) -> bool {
        let magnitude = bits & (self.sign() - 1);
        magnitude != 0 && magnitude < 1 << self.fraction_bits()
    }
}

/// A number that is no NaN and not infinite: `significand * 2^exponent`.
#[derive(Copy, Clone, Debug)]
pub(crate) struct Number {
    pub(crate) negative: bool,
    pub(crate) significand: u128,
    pub(crate) exponent: i32,
    /// Whether a part below the significand's last bit was dropped.
    pub(crate) sticky: bool,
}

impl Number {
    /// Of finite bits.
    pub(crate) fn of(format: Format, bits: u64) -> Number {
        let fraction_bits = format.fraction_bits();
        let fraction = bits & ((1 << fraction_bits) - 1);
        let exponent = (bits >> fraction_bits) as u32 & ((1 << format.exponent_bits()) - 1);
        let bias = (1 << (format.exponent_bits() - 1)) - 1;
        let significand = if exponent == 0 { fraction } else { fraction | 1 << fraction_bits };
        Number {
            negative: bits & format.sign() != 0,
            significand: u128::from(significand),
            exponent: exponent.max(1) as i32 - bias - fraction_bits as i32,
            sticky: false,
        }
    }

    /// With the highest bit at `bit`, which is not below where it is.
    fn lifted(mut self, bit: u32) -> Number {
        let by = bit - self.significand.ilog2();
        self.significand <<= by;
        self.exponent -= by as i32;
        self
    }

    /// The nearest bits of a format in the direction.
    pub(crate) fn round(self, format: Format, rounding: Rounding) -> u64 {
        let sign = if self.negative { format.sign() } else { 0 };
        if self.significand == 0 {
            return sign;
        }
        let fraction_bits = format.fraction_bits() as i32;
        let bias = (1 << (format.exponent_bits() - 1)) - 1;
        let top = self.exponent + self.significand.ilog2() as i32;
        // The power of two of the result's last bit.
        let last = (top - fraction_bits).max(1 - bias - fraction_bits);
        let (mut kept, rest) = self.split(last);
        if rounds_up(kept & 1 == 1, rest, self.negative, rounding) {
            kept += 1;
        }
        // A carry out of the fraction goes into the exponent, also from the largest subnormal.
        let exponent = (last + fraction_bits + bias) as u64;
        let bits = if kept >> fraction_bits == 0 {
            kept as u64
        } else {
            ((exponent - 1) << fraction_bits) + kept as u64
        };
        if bits < format.infinity() {
            return sign | bits;
        }
        let to_infinity = match rounding {
            Rounding::Nearest | Rounding::Away => true,
            Rounding::Zero => false,
            Rounding::Down => self.negative,
            Rounding::Up => !self.negative,
        };
        sign | if to_infinity { format.infinity() } else { format.largest() }
    }

    /// The magnitude as a multiple of `2^last`, and what is left: 0 nothing, 1 below the half, 2 the half, 3 above.
    fn split(self, last: i32) -> (u128, u8) {
        let shift = last - self.exponent;
        if shift <= 0 {
            // A significand is never so large that its low bits are wanted further up, but for exact ones.
            return (self.significand << (-shift).min(127), u8::from(self.sticky));
        }
        if shift > 127 {
            return (0, u8::from(self.significand != 0 || self.sticky));
        }
        let kept = self.significand >> shift;
        let dropped = self.significand & ((1 << shift) - 1);
        let half = 1u128 << (shift - 1);
        let rest = match dropped.cmp(&half) {
            std::cmp::Ordering::Less => u8::from(dropped != 0 || self.sticky),
            std::cmp::Ordering::Equal => 2 + u8::from(self.sticky),
            std::cmp::Ordering::Greater => 3,
        };
        (kept, rest)
    }

    /// The nearest integer in the direction; infinities of i128 for what is too large.
    pub(crate) fn to_integer(self, rounding: Rounding) -> i128 {
        if self.significand == 0 {
            return 0;
        }
        if self.exponent + self.significand.ilog2() as i32 > 120 {
            return if self.negative { i128::MIN } else { i128::MAX };
        }
        let (mut kept, rest) = self.split(0);
        if rounds_up(kept & 1 == 1, rest, self.negative, rounding) {
            kept += 1;
        }
        if self.negative { -(kept as i128) } else { kept as i128 }
    }
}

fn rounds_up(odd: bool, rest: u8, negative: bool, rounding: Rounding) -> bool {
    match rounding {
        Rounding::Nearest => rest == 3 || rest == 2 && odd,
        Rounding::Away => rest >= 2,
        Rounding::Zero => false,
        Rounding::Down => rest != 0 && negative,
        Rounding::Up => rest != 0 && !negative,
    }
}

/// Where operands of a sum have their highest bit: two above it hold carries.
const TOP: u32 = 124;

/// The exact sum, but for the sticky bit. Sums that are zero have the sign that the rounding gives them.
pub(crate) fn add(a: Number, b: Number, rounding: Rounding) -> Number {
    if a.significand == 0 && b.significand == 0 {
        let negative = if a.negative == b.negative { a.negative } else { rounding == Rounding::Down };
        return Number { negative, ..a };
    }
    if a.significand == 0 {
        return b;
    }
    if b.significand == 0 {
        return a;
    }
    let (a, b) = (a.lifted(TOP), b.lifted(TOP));
    let (large, small) =
        if (a.exponent, a.significand) >= (b.exponent, b.significand) { (a, b) } else { (b, a) };
    let apart = (large.exponent - small.exponent) as u32;
    let (shifted, sticky) = if apart > 127 {
        (0, true)
    } else {
        (small.significand >> apart, small.significand & ((1u128 << apart) - 1) != 0)
    };
    let significand = if large.negative == small.negative {
        large.significand + shifted
    } else {
        large.significand - shifted - u128::from(sticky)
    };
    let negative = if significand == 0 { rounding == Rounding::Down } else { large.negative };
    Number { negative, significand, exponent: large.exponent, sticky }
}

pub(crate) fn multiply(a: Number, b: Number) -> Number {
    Number {
        negative: a.negative != b.negative,
        significand: a.significand * b.significand,
        exponent: a.exponent + b.exponent,
        sticky: false,
    }
}

/// Of a divisor that is not zero.
pub(crate) fn divide(a: Number, b: Number) -> Number {
    let negative = a.negative != b.negative;
    if a.significand == 0 {
        return Number { negative, ..a };
    }
    let a = a.lifted(126);
    let quotient = a.significand / b.significand;
    Number {
        negative,
        significand: quotient,
        exponent: a.exponent - b.exponent,
        sticky: quotient * b.significand != a.significand,
    }
}

/// Of a number that is not negative.
pub(crate) fn square_root(a: Number) -> Number {
    if a.significand == 0 {
        return a;
    }
    let mut a = a.lifted(125);
    if a.exponent % 2 != 0 {
        a.significand <<= 1;
        a.exponent -= 1;
    }
    let root = a.significand.isqrt();
    Number {
        negative: false,
        significand: root,
        exponent: a.exponent / 2,
        sticky: root * root != a.significand,
    }
}
