//! `fma` of bf16 in integers.
//!
//! Neither f32 nor the `fma` of the output languages can stand in: a product of two bf16 may leave the range of f32
//! where the sum is back in it, f32 would round the sum a first time, and the languages let `fma` round twice. An f64
//! would do, but many devices have none.
//!
//! The addends are aligned in words whose leading digit is bit 28; what the smaller one loses below sets its last bit
//! (Hauser's "jamming", Berkeley SoftFloat). That leaves 13 bits and more below the last digit of the result, so
//! that rounding the sum gives what rounding the exact one does.

use super::code::{Code, Val};
use vyre_ir::{Op, Scalar};

/// A finite number.
#[derive(Copy, Clone)]
struct Parts {
    /// 0x8000 if it is negative.
    sign: Val,
    /// The exponent as in the encoding, 1 for subnormal numbers; as i32.
    exponent: Val,
    /// As an integer: the number is this times 2^(exponent - 134).
    digits: Val,
}

/// The exponent of zero: less than any other, so that the other addend decides.
const OF_ZERO: i32 = -1000;

impl Code {
    /// `x * y + z`, rounded once.
    pub fn fma_bf16(&mut self, operands: [Val; 3]) -> Val {
        let u32 = operands[0].ty.with(Scalar::U32);
        let int = operands[0].ty.with(Scalar::I32);
        let word = |n| Val::splat(u32, n);
        let [x, y, z] = operands.map(|v| self.parts(v));

        let exponent = self.op(Op::Add, &[x.exponent, y.exponent]);
        let product = Parts {
            sign: self.op(Op::Xor, &[x.sign, y.sign]),
            exponent: self.op(Op::Sub, &[exponent, Val::splat(int, 134)]),
            digits: self.op(Op::Mul, &[x.digits, y.digits]),
        };
        let [product, addend] = [product, z].map(|v| self.leading_at_28(v));
        let top = self.op(Op::Max, &[product.exponent, addend.exponent]);
        let [a, b] = [product, addend].map(|v| {
            let distance = self.op(Op::Sub, &[top, v.exponent]);
            let digits = self.jam(v.digits, distance);
            let digits = self.bitcast(digits, Scalar::I32);
            let opposite = self.op(Op::Neg, &[digits]);
            let negative = self.op(Op::Ne, &[v.sign, word(0)]);
            self.op(Op::Select, &[negative, opposite, digits])
        });
        let sum = self.op(Op::Add, &[a, b]);
        let negative = self.op(Op::Lt, &[sum, Val::splat(int, 0)]);
        let digits = self.op(Op::Abs, &[sum]);
        let digits = self.bitcast(digits, Scalar::U32);

        // The leading digit to bit 30; for a subnormal number as much lower as its exponent is too small.
        let zeros = self.op(Op::LeadingZeros, &[digits]);
        let normal = self.op(Op::Shl, &[digits, zeros]);
        let normal = self.op(Op::Shr, &[normal, word(1)]);
        let moved = self.bitcast(zeros, Scalar::I32);
        let exponent = self.op(Op::Add, &[top, Val::splat(int, 3)]);
        let exponent = self.op(Op::Sub, &[exponent, moved]);
        let missing = self.op(Op::Sub, &[Val::splat(int, 1), exponent]);
        let missing = self.op(Op::Max, &[missing, Val::splat(int, 0)]);
        let aligned = self.jam(normal, missing);

        let last = self.op(Op::Shr, &[aligned, word(23)]);
        let odd = self.op(Op::And, &[last, word(1)]);
        let up = self.op(Op::Add, &[odd, word(0x3f_ffff)]);
        let rounded = self.op(Op::Add, &[aligned, up]);
        let rounded = self.op(Op::Shr, &[rounded, word(23)]);
        // The leading digit counts one in the exponent.
        let exponent = self.op(Op::Max, &[exponent, Val::splat(int, 1)]);
        let exponent = self.bitcast(exponent, Scalar::U32);
        let exponent = self.op(Op::Sub, &[exponent, word(1)]);
        let exponent = self.op(Op::Shl, &[exponent, word(7)]);
        let size = self.op(Op::Add, &[exponent, rounded]);
        let size = self.op(Op::Min, &[size, word(0x7f80)]);

        let is_zero = self.op(Op::Eq, &[digits, word(0)]);
        let size = self.op(Op::Select, &[is_zero, word(0), size]);
        let sign_of_zero = self.op(Op::And, &[product.sign, addend.sign]);
        let sign = self.op(Op::Select, &[negative, word(0x8000), word(0)]);
        let sign = self.op(Op::Select, &[is_zero, sign_of_zero, sign]);
        let bits = self.op(Op::Or, &[sign, size]);
        let finite = self.value_in_word(bits, Scalar::BF16);
        self.unless_special(operands, [x, y, z], finite)
    }

    /// With an infinity or NaN among the operands the result is one too, and no rounding takes part.
    fn unless_special(&mut self, operands: [Val; 3], parts: [Parts; 3], finite: Val) -> Val {
        let [x, y, z] = operands.map(|v| self.carrier(v));
        let [x_is, y_is, z_is] =
            parts.map(|v| self.op(Op::Eq, &[v.exponent, Val::splat(v.exponent.ty, 0xff)]));
        let in_product = self.op(Op::Or, &[x_is, y_is]);
        let product = self.op(Op::Mul, &[x, y]);
        let sum = self.op(Op::Add, &[product, z]);
        let special = self.op(Op::Select, &[in_product, sum, z]);
        let special = self.carried(special, Scalar::BF16);
        let any = self.op(Op::Or, &[in_product, z_is]);
        self.op(Op::Select, &[any, special, finite])
    }

    fn parts(&mut self, x: Val) -> Parts {
        let bits = self.word_of(x);
        let word = |n| Val::splat(bits.ty, n);
        let exponent = self.op(Op::Shr, &[bits, word(7)]);
        let exponent = self.op(Op::And, &[exponent, word(0xff)]);
        let fraction = self.op(Op::And, &[bits, word(0x7f)]);
        let subnormal = self.op(Op::Eq, &[exponent, word(0)]);
        let leading = self.op(Op::Select, &[subnormal, word(0), word(0x80)]);
        let exponent = self.op(Op::Max, &[exponent, word(1)]);
        Parts {
            sign: self.op(Op::And, &[bits, word(0x8000)]),
            exponent: self.bitcast(exponent, Scalar::I32),
            digits: self.op(Op::Or, &[fraction, leading]),
        }
    }

    /// The digits moved up until the leading one is bit 28, and the exponent that an encoding with that one would have.
    fn leading_at_28(&mut self, x: Parts) -> Parts {
        let zeros = self.op(Op::LeadingZeros, &[x.digits]);
        let digits = self.op(Op::Shl, &[x.digits, zeros]);
        let digits = self.op(Op::Shr, &[digits, Val::splat(digits.ty, 3)]);
        let zeros = self.bitcast(zeros, Scalar::I32);
        let int = |n: i32| Val::splat(zeros.ty, n as u32 as u64);
        let exponent = self.op(Op::Add, &[x.exponent, int(24)]);
        let exponent = self.op(Op::Sub, &[exponent, zeros]);
        let is_zero = self.op(Op::Eq, &[x.digits, Val::splat(x.digits.ty, 0)]);
        let exponent = self.op(Op::Select, &[is_zero, int(OF_ZERO), exponent]);
        Parts { digits, exponent, ..x }
    }

    /// Shifted right by a distance that is not negative; the last bit is set if any bit was lost.
    fn jam(&mut self, x: Val, distance: Val) -> Val {
        let amount = self.op(Op::Min, &[distance, Val::splat(distance.ty, 31)]);
        let amount = self.bitcast(amount, Scalar::U32).at_most(31);
        let shifted = self.op(Op::Shr, &[x, amount]);
        let back = self.op(Op::Shl, &[shifted, amount]);
        let lost = self.op(Op::Ne, &[back, x]);
        let lost = self.convert(lost, Scalar::U32);
        self.op(Op::Or, &[shifted, lost])
    }
}
