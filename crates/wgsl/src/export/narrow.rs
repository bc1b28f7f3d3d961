//! Values of i8, u8 and bf16, which naga does not have: each is carried in a wider type.
//!
//! An operation on them is the operation on the carriers, whose result is then brought back into range: wrapped, or
//! rounded to nearest even. Rounding the f32 result of `+ - * / sqrt` once more is correct (see `vyre_ir::lane`);
//! a conversion to bf16 that f32 would have rounded already goes by way of a number rounded to odd (Boldo and
//! Melquiond, "Emulation of FMA and correctly rounded sums: proved algorithms using rounding to odd", 2008).
//!
//! Invariant: an i8 lies in -128 to 127, a u8 in 0 to 255, and a bf16 has zeros in the low half, unless it is NaN.

use super::code::{Code, Node, Val};
use super::types;
use naga::{Expression, MathFunction as Fun};
use vyre_ir::{Op, Scalar, Type};

/// The bits of a value in its carrier.
pub(super) fn carried_bits(scalar: Scalar, bits: u64) -> u64 {
    match scalar {
        Scalar::I8 => bits as i8 as u32 as u64,
        Scalar::BF16 => bits << 16,
        _ => bits,
    }
}

/// Whether the operation on carriers that hold values of the scalar gives such a value again.
fn stays_in_range(op: Op, scalar: Scalar) -> bool {
    match op {
        Op::Min | Op::Max => true,
        Op::And | Op::Or | Op::Xor | Op::Shr | Op::Rem => scalar.is_int(),
        Op::Not => scalar.is_signed(),
        // An integer near a number of 8 digits has 8 digits.
        Op::Neg | Op::Abs | Op::Floor | Op::Ceil | Op::Trunc | Op::Round => scalar.is_float(),
        _ => false,
    }
}

impl Code {
    /// The value as what carries it.
    pub fn carrier(&mut self, x: Val) -> Val {
        let ty = x.ty.with(types::carrier(x.ty.scalar));
        match x.node {
            Node::Const(bits) => Val::constant(ty, bits.map(|b| carried_bits(x.ty.scalar, b))),
            Node::Expr(_) => Val { ty, ..x },
        }
    }

    /// A carrier whose value is in the scalar's range, as a value of that.
    pub fn carried(&mut self, x: Val, scalar: Scalar) -> Val {
        let ty = x.ty.with(scalar);
        match x.node {
            Node::Const(bits) if scalar == Scalar::BF16 => Val::constant(ty, bits.map(|b| b >> 16)),
            Node::Const(bits) => Val::constant(ty, bits.map(|b| b & scalar.mask())),
            Node::Expr(expr) => Val::expr(ty, expr).at_most(x.max),
        }
    }

    /// A carrier brought back into the scalar's range.
    pub fn in_range(&mut self, x: Val, scalar: Scalar) -> Val {
        if scalar == Scalar::BF16 {
            return self.nearest_bf16(x);
        }
        let word = self.bitcast(x, Scalar::U32);
        self.value_in_word(word, scalar)
    }

    /// An operation on operands of a carried scalar; `None` where it is said as for other types.
    pub fn on_carriers(&mut self, op: Op, scalar: Scalar, args: &[Val]) -> Option<Val> {
        match op {
            Op::Select | Op::Compose | Op::Convert | Op::Bitcast | Op::MulHi => return None,
            Op::CountOnes | Op::LeadingZeros | Op::TrailingZeros | Op::ReverseBits => return None,
            Op::Rem if scalar.is_float() => return None,
            Op::Fma => return Some(self.fma_bf16([args[0], args[1], args[2]])),
            _ => {}
        }
        let carriers: smallvec::SmallVec<[Val; 2]> = args.iter().map(|x| self.carrier(*x)).collect();
        let result = self.op(op, &carriers);
        Some(match op {
            Op::Eq | Op::Ne | Op::Lt | Op::Le => result,
            _ if stays_in_range(op, scalar) => self.carried(result, scalar),
            _ => self.in_range(result, scalar),
        })
    }

    // ---- bits

    /// The value of 8 or 16 bits in the low part of a word, whatever is above them.
    pub fn value_in_word(&mut self, word: Val, scalar: Scalar) -> Val {
        let shift = |bits| Val::splat(word.ty, bits);
        match scalar {
            Scalar::U8 => {
                let low = self.op(Op::And, &[word, Val::splat(word.ty, 0xff)]);
                self.carried(low, scalar)
            }
            Scalar::I8 => {
                let high = self.op(Op::Shl, &[word, shift(24)]);
                let high = self.bitcast(high, Scalar::I32);
                let extended = self.op(Op::Shr, &[high, shift(24)]);
                self.carried(extended, scalar)
            }
            Scalar::BF16 => {
                let high = self.op(Op::Shl, &[word, shift(16)]);
                let wide = self.bitcast(high, Scalar::F32);
                self.carried(wide, scalar)
            }
            Scalar::F16 => self.lane_by_lane(word, scalar, Code::unpack_half),
            _ => {
                let bits = self.convert(word, Scalar::U16);
                self.bitcast(bits, scalar)
            }
        }
    }

    /// A word with the bits of a value of 8 or 16, and zeros above.
    pub fn word_of(&mut self, x: Val) -> Val {
        match x.ty.scalar {
            Scalar::U8 => self.carrier(x),
            Scalar::I8 => {
                let carrier = self.carrier(x);
                let bits = self.bitcast(carrier, Scalar::U32);
                self.op(Op::And, &[bits, Val::splat(bits.ty, 0xff)])
            }
            Scalar::BF16 => {
                let carrier = self.carrier(x);
                let bits = self.bitcast(carrier, Scalar::U32);
                self.op(Op::Shr, &[bits, Val::splat(bits.ty, 16)])
            }
            Scalar::F16 => self.lane_by_lane(x, Scalar::U32, Code::pack_half),
            _ => {
                let bits = self.bitcast(x, Scalar::U16);
                self.convert(bits, Scalar::U32)
            }
        }
    }

    fn lane_by_lane(&mut self, x: Val, to: Scalar, each: fn(&mut Code, Val) -> Val) -> Val {
        let lanes: Vec<Val> = (0..x.ty.lanes)
            .map(|lane| {
                let scalar = self.extract(x, lane);
                each(self, scalar)
            })
            .collect();
        self.compose(x.ty.with(to), &lanes)
    }

    fn unpack_half(&mut self, word: Val) -> Val {
        let (arg, fun) = (self.get(word), Fun::Unpack2x16float);
        let both = Expression::Math { fun, arg, arg1: None, arg2: None, arg3: None };
        let both = self.value(Type::new(Scalar::F32, 2), both);
        let low = self.extract(both, 0);
        self.convert(low, Scalar::F16)
    }

    fn pack_half(&mut self, half: Val) -> Val {
        let wide = self.convert(half, Scalar::F32);
        let pair = self.compose(Type::new(Scalar::F32, 2), &[wide, Val::splat(Scalar::F32, 0)]);
        let (arg, fun) = (self.get(pair), Fun::Pack2x16float);
        let packed = Expression::Math { fun, arg, arg1: None, arg2: None, arg3: None };
        self.value(Scalar::U32, packed).at_most(0xffff)
    }

    // ---- rounding

    /// An f32 rounded to bf16, to nearest even; of a NaN the upper half, made quiet.
    fn nearest_bf16(&mut self, x: Val) -> Val {
        let bits = self.bitcast(x, Scalar::U32);
        let splat = |n| Val::splat(bits.ty, n);
        let last = self.op(Op::Shr, &[bits, splat(16)]);
        let odd = self.op(Op::And, &[last, splat(1)]);
        let up = self.op(Op::Add, &[odd, splat(0x7fff)]);
        let number = self.op(Op::Add, &[bits, up]);
        let quiet = self.op(Op::Or, &[bits, splat(0x0040_0000)]);
        let is_nan = self.is_nan(x);
        let bits = self.op(Op::Select, &[is_nan, quiet, number]);
        let kept = self.op(Op::And, &[bits, splat(0xffff_0000)]);
        let wide = self.bitcast(kept, Scalar::F32);
        self.carried(wide, Scalar::BF16)
    }

    /// A number of another type as bf16, rounded once.
    pub fn bf16_of(&mut self, x: Val) -> Val {
        let from = x.ty.scalar;
        let wide = match from {
            Scalar::F64 => self.f64_to_odd(x),
            _ if from.is_int() && from.bits() >= 32 => self.int_to_odd(x),
            _ => self.convert(x, Scalar::F32),
        };
        self.nearest_bf16(wide)
    }

    /// An f64 as f32, rounded to odd: towards zero, and the last bit set if that left something out.
    fn f64_to_odd(&mut self, x: Val) -> Val {
        let near = self.convert(x, Scalar::F32);
        let back = self.convert(near, Scalar::F64);
        let bits = self.bitcast(near, Scalar::U32);
        let [size, wanted] = [back, x].map(|x| self.op(Op::Abs, &[x]));
        let beyond = self.op(Op::Lt, &[wanted, size]);
        let excess = self.convert(beyond, Scalar::U32);
        let odd = self.op(Op::Sub, &[bits, excess]);
        let odd = self.op(Op::Or, &[odd, Val::splat(bits.ty, 1)]);
        // A NaN is in neither order.
        let below = self.op(Op::Lt, &[size, wanted]);
        let inexact = self.op(Op::Or, &[beyond, below]);
        let bits = self.op(Op::Select, &[inexact, odd, bits]);
        self.bitcast(bits, Scalar::F32)
    }

    /// An integer of 32 or 64 bits as f32, rounded to odd at some bit below those of a bf16.
    fn int_to_odd(&mut self, x: Val) -> Val {
        let unsigned = types::bits_type(x.ty.scalar);
        let bits = self.bitcast(x, unsigned);
        if !x.ty.scalar.is_signed() {
            return self.unsigned_to_odd(bits);
        }
        let zero = Val::splat(x.ty, 0);
        let negative = self.op(Op::Lt, &[x, zero]);
        let size = self.op(Op::Abs, &[x]);
        let size = self.bitcast(size, unsigned);
        let number = self.unsigned_to_odd(size);
        let opposite = self.op(Op::Neg, &[number]);
        self.op(Op::Select, &[negative, opposite, number])
    }

    fn unsigned_to_odd(&mut self, x: Val) -> Val {
        let u32 = x.ty.with(Scalar::U32);
        let splat = |n| Val::splat(u32, n);
        if x.ty.scalar == Scalar::U64 {
            // The word below the leading zeros, whether there is more below that, and the exponent put right.
            let [_, high] = self.words(x);
            let zeros = self.op(Op::LeadingZeros, &[high]);
            let shifted = self.op(Op::Shl, &[x, zeros]);
            let [rest, word] = self.words(shifted);
            let more = self.op(Op::Ne, &[rest, splat(0)]);
            let more = self.convert(more, Scalar::U32);
            let word = self.op(Op::Or, &[word, more]);
            let number = self.unsigned_to_odd(word);
            let bits = self.bitcast(number, Scalar::U32);
            let factor = self.op(Op::Sub, &[splat(32), zeros]);
            let factor = self.op(Op::Shl, &[factor, splat(23)]);
            let bits = self.op(Op::Add, &[bits, factor]);
            return self.bitcast(bits, Scalar::F32);
        }
        // f32 holds 24 bits: of a larger number the low 8 are summed up in one.
        let low = self.op(Op::And, &[x, splat(0xff)]);
        let high = self.op(Op::Sub, &[x, low]);
        let more = self.op(Op::Ne, &[low, splat(0)]);
        let more = self.convert(more, Scalar::U32);
        let more = self.op(Op::Shl, &[more, splat(8)]);
        let odd = self.op(Op::Or, &[high, more]);
        let fits = self.op(Op::Lt, &[x, splat(1 << 24)]);
        let exact = self.op(Op::Select, &[fits, x, odd]);
        self.convert(exact, Scalar::F32)
    }
}
