//! `fma` for devices that multiply and add with two roundings, as Vulkan allows.
//!
//! A product is exact in twice as many bits, and so the sum can be rounded to odd there, which makes the second rounding
//! harmless: f16 in f32, f32 in f64 where there is f64. The others are computed as a sum of parts (S. Boldo, G. Melquiond, "Emulation of a FMA and
//! correctly rounded sums: proved algorithms using rounding to odd", IEEE Transactions on Computers 57, 2008), with the
//! factors brought to between 1 and 2 first, so that no part is too large or too small. Where that is not needed or has
//! no meaning, the plain operations give the same: zeros, infinities, NaN, a summand next to which the product is
//! nothing; but for a summand that is not finite, which a finite product does not change, however large. Left as it is: a result below the smallest normal number is rounded twice, and subnormal operands are what
//! the device makes of them.

use super::code::{Code, Val};
use super::types;
use vyre_ir::{Op, Scalar, Type};

/// The layout of a float type.
struct Format {
    /// Bits of the fraction that are stored.
    fraction: u64,
    bias: u64,
    /// The largest exponent field, which infinities and NaN have.
    top: u64,
    /// The number that splits another into two halves (T. J. Dekker, 1971).
    splitter: f64,
    unsigned: Scalar,
    signed: Scalar,
}

fn format(scalar: Scalar) -> Format {
    match scalar {
        Scalar::F64 => Format {
            fraction: 52,
            bias: 1023,
            top: 2047,
            splitter: 134_217_729.0,
            unsigned: Scalar::U64,
            signed: Scalar::I64,
        },
        _ => Format {
            fraction: 23,
            bias: 127,
            top: 255,
            splitter: 4097.0,
            unsigned: Scalar::U32,
            signed: Scalar::I32,
        },
    }
}

impl Code {
    /// `a * b + c`, rounded once.
    pub fn rounded_once(&mut self, [a, b, c]: [Val; 3]) -> Val {
        let scalar = a.ty.scalar;
        let wider = match scalar {
            Scalar::F16 => Some(Scalar::F32),
            Scalar::F32 if self.has.f64 && self.has.i64 => Some(Scalar::F64),
            _ => None,
        };
        if let Some(wider) = wider {
            let [a, b, c] = [a, b, c].map(|x| self.convert(x, wider));
            let product = self.op(Op::Mul, &[a, b]);
            let sum = self.sum_to_odd(product, c);
            return self.convert(sum, scalar);
        }
        let format = format(a.ty.scalar);
        let plain = self.op(Op::Mul, &[a, b]);
        let plain = self.op(Op::Add, &[plain, c]);
        let [(a, ea), (b, eb), (scaled, ec)] = [a, b, c].map(|x| self.take_apart(x, &format));
        // How much larger than its scaled factors' the product is, and the summand than that.
        let int = |n: i64| Val::splat(ea.ty, n as u64 & format.signed.mask());
        let bias = int(format.bias as i64);
        let scale = self.op(Op::Add, &[ea, eb]);
        let scale = self.op(Op::Sub, &[scale, int(2 * format.bias as i64)]);
        let above = self.op(Op::Sub, &[ec, bias]);
        let above = self.op(Op::Sub, &[above, scale]);
        let too_large = self.op(Op::Lt, &[int(format.fraction as i64 + 6), above]);
        let unchanged = self.dominates(ec, [ea, eb], &format);
        let plain = self.op(Op::Select, &[unchanged, c, plain]);
        let special = [ea, eb, ec].map(|e| self.is_special(e, &format));
        let special = special.into_iter().fold(too_large, |all, one| self.op(Op::Or, &[all, one]));
        // A summand that is too small to matter but for a tie is small enough at this.
        let least = int(-2 * (format.fraction as i64 + 1) - 8);
        let above = self.op(Op::Max, &[above, least]);
        let most = int(format.fraction as i64 + 6);
        let above = self.op(Op::Min, &[above, most]);
        let c = self.power_times(scaled, above, &format);
        let (high, low) = self.exact_product(a, b, &format);
        let (upper, rest) = self.exact_sum(c, low);
        let (top, middle) = self.exact_sum(high, upper);
        let rest = self.sum_to_odd(middle, rest);
        let sum = self.op(Op::Add, &[top, rest]);
        // By two powers of two, since one may be out of range.
        let one = Val::splat(Type { scalar: Scalar::U32, ..scale.ty }, 1);
        let half = self.op(Op::Shr, &[scale, one]);
        let other = self.op(Op::Sub, &[scale, half]);
        let unit = Val::splat(a.ty, format.bias << format.fraction);
        let [half, other] = [half, other].map(|by| self.power_times(unit, by, &format));
        let result = self.op(Op::Mul, &[sum, half]);
        let result = self.op(Op::Mul, &[result, other]);
        self.op(Op::Select, &[special, plain, result])
    }

    /// A number with its exponent made that of 1, and the exponent field that it had.
    fn take_apart(&mut self, x: Val, format: &Format) -> (Val, Val) {
        let bits = self.bitcast(x, format.unsigned);
        let splat = |n| Val::splat(bits.ty, n);
        let width = Val::splat(Type { scalar: Scalar::U32, ..bits.ty }, format.fraction);
        let exponent = self.op(Op::Shr, &[bits, width]);
        let exponent = self.op(Op::And, &[exponent, splat(format.top)]);
        let kept =
            self.op(Op::And, &[bits, splat(!(format.top << format.fraction) & format.unsigned.mask())]);
        let scaled = self.op(Op::Or, &[kept, splat(format.bias << format.fraction)]);
        (self.bitcast(scaled, x.ty.scalar), self.bitcast(exponent, format.signed))
    }

    /// Whether an exponent field is that of zeros and subnormal numbers, or of infinities and NaN.
    fn is_special(&mut self, exponent: Val, format: &Format) -> Val {
        let splat = |n| Val::splat(exponent.ty, n);
        let zero = self.op(Op::Eq, &[exponent, splat(0)]);
        let top = self.op(Op::Eq, &[exponent, splat(format.top)]);
        self.op(Op::Or, &[zero, top])
    }

    /// Whether a summand is not finite, and the factors are, by their exponent fields.
    fn dominates(&mut self, summand: Val, factors: [Val; 2], format: &Format) -> Val {
        let top = Val::splat(summand.ty, format.top);
        let summand = self.op(Op::Eq, &[summand, top]);
        let finite = factors.map(|factor| self.op(Op::Lt, &[factor, top]));
        finite.into_iter().fold(summand, |all, one| self.op(Op::And, &[all, one]))
    }

    /// A number between 1 and 2 in size, times that power of two; in range.
    fn power_times(&mut self, x: Val, power: Val, format: &Format) -> Val {
        let bits = self.bitcast(x, format.signed);
        let width = Val::splat(Type { scalar: Scalar::U32, ..bits.ty }, format.fraction);
        let shifted = self.op(Op::Shl, &[power, width]);
        let bits = self.op(Op::Add, &[bits, shifted]);
        self.bitcast(bits, x.ty.scalar)
    }

    /// A product of numbers between 1 and 2 in size and what its rounding leaves out (T. J. Dekker, 1971).
    fn exact_product(&mut self, a: Val, b: Val, format: &Format) -> (Val, Val) {
        let product = self.op(Op::Mul, &[a, b]);
        let [(a_high, a_low), (b_high, b_low)] = [a, b].map(|x| self.halves(x, format));
        let highs = self.op(Op::Mul, &[a_high, b_high]);
        let error = self.op(Op::Sub, &[highs, product]);
        let error =
            [(a_high, b_low), (a_low, b_high), (a_low, b_low)].into_iter().fold(error, |error, (x, y)| {
                let part = self.op(Op::Mul, &[x, y]);
                self.op(Op::Add, &[error, part])
            });
        (product, error)
    }

    fn halves(&mut self, x: Val, format: &Format) -> (Val, Val) {
        let splitter = match x.ty.scalar {
            Scalar::F64 => format.splitter.to_bits(),
            _ => (format.splitter as f32).to_bits().into(),
        };
        let large = self.op(Op::Mul, &[x, Val::splat(x.ty, splitter)]);
        let rest = self.op(Op::Sub, &[large, x]);
        let high = self.op(Op::Sub, &[large, rest]);
        (high, self.op(Op::Sub, &[x, high]))
    }

    /// A sum and what its rounding leaves out (D. E. Knuth, 1969).
    fn exact_sum(&mut self, a: Val, b: Val) -> (Val, Val) {
        let sum = self.op(Op::Add, &[a, b]);
        let b_part = self.op(Op::Sub, &[sum, a]);
        let a_part = self.op(Op::Sub, &[sum, b_part]);
        let a_rest = self.op(Op::Sub, &[a, a_part]);
        let b_rest = self.op(Op::Sub, &[b, b_part]);
        (sum, self.op(Op::Add, &[a_rest, b_rest]))
    }

    /// A sum that, unless it is exact, is the neighbor whose last bit is set.
    fn sum_to_odd(&mut self, a: Val, b: Val) -> Val {
        let (sum, error) = self.exact_sum(a, b);
        let unsigned = types::bits_type(sum.ty.scalar);
        let [sum_bits, error_bits] = [sum, error].map(|x| self.bitcast(x, unsigned));
        let one = Val::splat(sum_bits.ty, 1);
        let up = self.op(Op::Add, &[sum_bits, one]);
        let down = self.op(Op::Sub, &[sum_bits, one]);
        let signs = self.op(Op::Xor, &[sum_bits, error_bits]);
        let top = Val::splat(Type { scalar: Scalar::U32, ..signs.ty }, unsigned.bits() as u64 - 1);
        let differ = self.op(Op::Shr, &[signs, top]);
        let differ = self.op(Op::Eq, &[differ, one]);
        let neighbor = self.op(Op::Select, &[differ, down, up]);
        let last = self.op(Op::And, &[sum_bits, one]);
        let even = self.op(Op::Eq, &[last, Val::splat(last.ty, 0)]);
        let zero = Val::splat(error.ty, 0);
        // False for NaN, which an infinite sum leaves.
        let [below, beyond] = [[error, zero], [zero, error]].map(|pair| self.op(Op::Lt, &pair));
        let inexact = self.op(Op::Or, &[below, beyond]);
        let moved = self.op(Op::And, &[even, inexact]);
        let bits = self.op(Op::Select, &[moved, neighbor, sum_bits]);
        self.bitcast(bits, sum.ty.scalar)
    }
}
