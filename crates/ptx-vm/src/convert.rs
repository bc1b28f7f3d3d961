//! `cvt`: between all types, with all roundings.

use crate::code::Rounding;
use crate::float;
use crate::integer::signed;
use crate::soft::Number;
use crate::types::{Format, Type};

/// A conversion.
#[derive(Copy, Clone, Debug)]
pub(crate) struct Conversion {
    pub(crate) from: Type,
    pub(crate) to: Type,
    pub(crate) rounding: Rounding,
    /// Whether a floating-point result is an integer.
    pub(crate) integral: bool,
    pub(crate) flush: bool,
    pub(crate) saturate: bool,
    pub(crate) finite: bool,
    pub(crate) relu: bool,
}

impl Conversion {
    /// The value as bits of its new type.
    pub(crate) fn apply(self, value: u64) -> u64 {
        let value = value & self.from.mask();
        match (self.from.format(), self.to.format()) {
            (None, None) => self.between_integers(value),
            (None, Some(to)) => self.integer_to_float(value, to),
            (Some(from), None) => self.float_to_integer(value, from),
            (Some(from), Some(to)) => self.between_floats(value, from, to),
        }
    }

    fn wide(self, value: u64) -> i128 {
        if self.from.signed() { i128::from(signed(value, self.from.bits() as u8)) } else { i128::from(value) }
    }

    fn between_integers(self, value: u64) -> u64 {
        let wide = self.wide(value);
        if self.saturate { clamp(wide, self.to) } else { wide as u64 & self.to.mask() }
    }

    fn integer_to_float(self, value: u64, to: Format) -> u64 {
        let wide = self.wide(value);
        let number =
            Number { negative: wide < 0, significand: wide.unsigned_abs(), exponent: 0, sticky: false };
        self.finish(number.round(to, self.rounding), to)
    }

    /// A NaN becomes 0, unless a side has 64 bits: then the highest bit alone.
    fn float_to_integer(self, value: u64, from: Format) -> u64 {
        let value = if self.flush && from.is_subnormal(value) { value & from.sign() } else { value };
        if from.is_nan(value) {
            let long = from == Format::F64 || self.to.bits() == 64;
            return if long { 1 << (self.to.bits() - 1) } else { 0 };
        }
        let wide = if from.is_infinite(value) {
            if value & from.sign() != 0 { i128::MIN } else { i128::MAX }
        } else {
            Number::of(from, value).to_integer(self.rounding)
        };
        clamp(wide, self.to)
    }

    fn between_floats(self, value: u64, from: Format, to: Format) -> u64 {
        let value = if self.flush && from == Format::F32 && from.is_subnormal(value) {
            value & from.sign()
        } else {
            value
        };
        if from.is_nan(value) {
            if from == Format::F64 && to == Format::F64 {
                return self.finish(value, to);
            }
            return self.finish(to.nan(), to);
        }
        let sign = value & from.sign() != 0;
        if from.is_infinite(value) {
            return self.finish(to.infinity() | if sign { to.sign() } else { 0 }, to);
        }
        let number = Number::of(from, value);
        if !self.integral {
            return self.finish(number.round(to, self.rounding), to);
        }
        // What is that large is an integer already.
        let whole = number.to_integer(self.rounding);
        let number = if whole == i128::MAX || whole == i128::MIN {
            number
        } else {
            Number { negative: sign, significand: whole.unsigned_abs(), exponent: 0, sticky: false }
        };
        self.finish(number.round(to, Rounding::Nearest), to)
    }

    fn finish(self, bits: u64, to: Format) -> u64 {
        let stored = |bits: u64| if to == Format::Tf32 { bits << 13 } else { bits };
        if self.saturate {
            return stored(if to.is_nan(bits) || bits & to.sign() != 0 {
                0
            } else {
                bits.min(float::nearest(1.0, to))
            });
        }
        if to.is_nan(bits) {
            return if to == Format::Tf32 {
                Format::F32.nan()
            } else if to == Format::F64 {
                bits | 1 << 51
            } else {
                to.nan()
            };
        }
        if self.relu && bits & to.sign() != 0 {
            return 0;
        }
        if self.finite && to.is_infinite(bits) {
            return stored(bits - 1);
        }
        if self.flush && to == Format::F32 && to.is_subnormal(bits) {
            return bits & to.sign();
        }
        stored(bits)
    }
}

/// The nearest value that an integer type has.
pub(crate) fn clamp(value: i128, to: Type) -> u64 {
    let bits = to.bits();
    let (low, high) = if to.signed() {
        (-(1i128 << (bits - 1)), (1i128 << (bits - 1)) - 1)
    } else {
        (0, (1i128 << bits) - 1)
    };
    value.clamp(low, high) as u64 & to.mask()
}
