//! The basic operations that the functions are written in: what every target computes correctly rounded.

use std::ops::{Add, BitAnd, BitOr, BitXor, Div, Mul, Neg, Not, Sub};

/// An f32.
pub trait Real:
    Copy + Neg<Output = Self> + Add<Output = Self> + Sub<Output = Self> + Mul<Output = Self> + Div<Output = Self>
{
    /// Its bits.
    type Word: Word<Real = Self, Truth = Self::Truth>;
    /// A comparison's result.
    type Truth: Truth<Real = Self, Word = Self::Word>;
    /// A constant.
    fn of(self, number: f32) -> Self;
    /// `self * b + c` rounded once.
    fn fma(self, b: Self, c: Self) -> Self;
    /// Square root.
    fn sqrt(self) -> Self;
    /// Magnitude.
    fn abs(self) -> Self;
    /// Integer part, towards zero.
    fn trunc(self) -> Self;
    /// The smaller; a NaN gives way to a number.
    fn min(self, b: Self) -> Self;
    /// The larger; a NaN gives way to a number.
    fn max(self, b: Self) -> Self;
    /// `self < b`
    fn less(self, b: Self) -> Self::Truth;
    /// `self <= b`
    fn at_most(self, b: Self) -> Self::Truth;
    /// `self == b`
    fn equals(self, b: Self) -> Self::Truth;
    /// The bits.
    fn word(self) -> Self::Word;
    /// Integer part as the bits of an i32; saturates, NaN gives 0.
    fn to_signed(self) -> Self::Word;
}

/// A u32; arithmetic wraps, shifts take the amount modulo 32.
pub trait Word: Copy + BitAnd<Output = Self> + BitOr<Output = Self> + BitXor<Output = Self> {
    /// The float of these bits.
    type Real;
    /// A comparison's result.
    type Truth;
    /// A constant.
    fn of(self, number: u32) -> Self;
    /// Sum.
    fn plus(self, b: Self) -> Self;
    /// Difference.
    fn minus(self, b: Self) -> Self;
    /// Product.
    fn times(self, b: Self) -> Self;
    /// Shifted left.
    fn left(self, n: Self) -> Self;
    /// Shifted right, zeros from the left.
    fn right(self, n: Self) -> Self;
    /// `self < b` without signs.
    fn less(self, b: Self) -> Self::Truth;
    /// `self == b`
    fn equals(self, b: Self) -> Self::Truth;
    /// The float of these bits.
    fn real(self) -> Self::Real;
    /// The number as a float.
    fn unsigned_to_real(self) -> Self::Real;
    /// The number that these bits are as an i32, as a float.
    fn signed_to_real(self) -> Self::Real;
}

/// A bool.
pub trait Truth: Copy + BitAnd<Output = Self> + BitOr<Output = Self> + Not<Output = Self> {
    /// What [`Truth::select`] chooses from.
    type Real;
    /// What [`Truth::select_word`] chooses from.
    type Word;
    /// The first if true, else the second.
    fn select(self, yes: Self::Real, no: Self::Real) -> Self::Real;
    /// The first if true, else the second.
    fn select_word(self, yes: Self::Word, no: Self::Word) -> Self::Word;
}

impl Real for f32 {
    type Word = u32;
    type Truth = bool;
    #[inline(always)]
    fn of(self, number: f32) -> f32 {
        number
    }
    #[inline(always)]
    fn fma(self, b: f32, c: f32) -> f32 {
        self.mul_add(b, c)
    }
    #[inline(always)]
    fn sqrt(self) -> f32 {
        self.sqrt()
    }
    #[inline(always)]
    fn abs(self) -> f32 {
        self.abs()
    }
    #[inline(always)]
    fn trunc(self) -> f32 {
        self.trunc()
    }
    #[inline(always)]
    fn min(self, b: f32) -> f32 {
        self.min(b)
    }
    #[inline(always)]
    fn max(self, b: f32) -> f32 {
        self.max(b)
    }
    #[inline(always)]
    fn less(self, b: f32) -> bool {
        self < b
    }
    #[inline(always)]
    fn at_most(self, b: f32) -> bool {
        self <= b
    }
    #[inline(always)]
    fn equals(self, b: f32) -> bool {
        self == b
    }
    #[inline(always)]
    fn word(self) -> u32 {
        self.to_bits()
    }
    #[inline(always)]
    fn to_signed(self) -> u32 {
        self as i32 as u32
    }
}

impl Word for u32 {
    type Real = f32;
    type Truth = bool;
    #[inline(always)]
    fn of(self, number: u32) -> u32 {
        number
    }
    #[inline(always)]
    fn plus(self, b: u32) -> u32 {
        self.wrapping_add(b)
    }
    #[inline(always)]
    fn minus(self, b: u32) -> u32 {
        self.wrapping_sub(b)
    }
    #[inline(always)]
    fn times(self, b: u32) -> u32 {
        self.wrapping_mul(b)
    }
    #[inline(always)]
    fn left(self, n: u32) -> u32 {
        self.wrapping_shl(n)
    }
    #[inline(always)]
    fn right(self, n: u32) -> u32 {
        self.wrapping_shr(n)
    }
    #[inline(always)]
    fn less(self, b: u32) -> bool {
        self < b
    }
    #[inline(always)]
    fn equals(self, b: u32) -> bool {
        self == b
    }
    #[inline(always)]
    fn real(self) -> f32 {
        f32::from_bits(self)
    }
    #[inline(always)]
    fn unsigned_to_real(self) -> f32 {
        self as f32
    }
    #[inline(always)]
    fn signed_to_real(self) -> f32 {
        self as i32 as f32
    }
}

impl Truth for bool {
    type Real = f32;
    type Word = u32;
    #[inline(always)]
    fn select(self, yes: f32, no: f32) -> f32 {
        if self { yes } else { no }
    }
    #[inline(always)]
    fn select_word(self, yes: u32, no: u32) -> u32 {
        if self { yes } else { no }
    }
}
