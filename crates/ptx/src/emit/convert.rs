//! Conversions.
//!
//! `cvt` to an integer saturates. A NaN becomes 0, but not where either side has 64 bits: that is put right. To 8 and
//! 16 bits it is a conversion to 32 whose result is brought into range. A conversion to bf16 that f32 would have rounded
//! already goes by way of a number rounded to odd (Boldo and Melquiond, "Emulation of FMA and correctly rounded sums:
//! proved algorithms using rounding to odd", 2008).

use super::Emitter;
use super::code::{Class, Operand};
use vyre_ir::{Op, Scalar};

/// The type as `cvt` says it, of what registers hold.
fn name(s: Scalar) -> &'static str {
    match s {
        Scalar::I8 | Scalar::I16 | Scalar::I32 => "s32",
        Scalar::U8 | Scalar::U16 | Scalar::U32 => "u32",
        Scalar::I64 => "s64",
        Scalar::U64 => "u64",
        Scalar::F16 => "f16",
        Scalar::BF16 => "bf16",
        Scalar::F32 => "f32",
        Scalar::F64 => "f64",
        Scalar::Bool => "pred",
    }
}

impl Emitter<'_> {
    /// The number in another type.
    pub fn convert(&mut self, from: Scalar, to: Scalar, x: Operand) -> Operand {
        match (from, to) {
            _ if from == to => x,
            (Scalar::Bool, _) => {
                let [one, zero] = [1.0, 0.0].map(|n| constant(to, n));
                self.select(to, &[x, one, zero])
            }
            (Scalar::BF16, _) => {
                let wide = self.widen_bf16(x);
                self.convert(Scalar::F32, to, wide)
            }
            (_, Scalar::Bool) => {
                let zero = constant(from, 0.0);
                self.compare(Op::Ne, from, x, zero)
            }
            (_, Scalar::BF16) => {
                let wide = self.f32_for_bf16(from, x);
                self.round_bf16(wide)
            }
            _ if from.is_int() && to.is_int() => self.int_to_int(from, to, x),
            _ if from.is_int() => self.cvt(".rn", from, to, x),
            _ if to.is_int() => self.float_to_int(from, to, x),
            _ if to.bits() > from.bits() => self.cvt("", from, to, x),
            _ => self.cvt(".rn", from, to, x),
        }
    }

    /// A `cvt` with that rounding.
    fn cvt(&mut self, rounding: &str, from: Scalar, to: Scalar, x: Operand) -> Operand {
        let instruction = format!("cvt{rounding}.{}.{}", name(to), name(from));
        self.code.op(Class::of(to), &instruction, &[x])
    }

    fn int_to_int(&mut self, from: Scalar, to: Scalar, x: Operand) -> Operand {
        match (Class::of(from), Class::of(to)) {
            (Class::Long, Class::Long) => x,
            (Class::Long, _) => {
                let low = self.code.op(Class::Word, "cvt.u32.u64", &[x]);
                self.wrap(to, low)
            }
            (_, Class::Long) if from.is_signed() => self.code.op(Class::Long, "cvt.s64.s32", &[x]),
            (_, Class::Long) => self.code.op(Class::Long, "cvt.u64.u32", &[x]),
            // What has fewer bits without a sign, or with one where there is one, is as it should be.
            _ if from.bits() < to.bits() && (to.is_signed() || !from.is_signed()) => x,
            _ => self.wrap(to, x),
        }
    }

    fn float_to_int(&mut self, from: Scalar, to: Scalar, x: Operand) -> Operand {
        let wide = match to {
            Scalar::I8 | Scalar::I16 => Scalar::I32,
            Scalar::U8 | Scalar::U16 => Scalar::U32,
            _ => to,
        };
        let mut number = self.cvt(".rzi", from, wide, x);
        if from == Scalar::F64 || wide.bits() == 64 {
            let is_number = self.compare(Op::Eq, from, x, x);
            number = self.select(wide, &[is_number, number, constant(wide, 0.0)]);
        }
        if to == wide {
            return number;
        }
        let sign = to.is_signed() as u32;
        let largest = to.mask() >> sign;
        number = self.integer(Op::Min, wide, &[number, Operand::word(largest as u32)]);
        if to.is_signed() {
            number = self.integer(Op::Max, wide, &[number, Operand::word(!largest as u32)]);
        }
        number
    }

    /// A number as an f32 that rounds to the same bf16.
    fn f32_for_bf16(&mut self, from: Scalar, x: Operand) -> Operand {
        if from != Scalar::F64 && (from.is_float() || from.bits() < 32) {
            return self.convert(from, Scalar::F32, x);
        }
        let [near, low, high] = [".rz", ".rm", ".rp"].map(|r| self.cvt(r, from, Scalar::F32, x));
        self.odd(Scalar::F32, near, low, high)
    }

    /// A number rounded to odd, of what it is rounded towards zero, down and up.
    pub fn odd(&mut self, s: Scalar, near: Operand, low: Operand, high: Operand) -> Operand {
        let class = Class::of(s);
        let inexact = self.compare(Op::Lt, s, low, high);
        let to = self.code.reg(class);
        let (near, width) = (self.code.in_register(near), if s == Scalar::F64 { "b64" } else { "b32" });
        self.code.line(format_args!("or.{width} {to}, {near}, 1"));
        self.select(s, &[inexact, to.into(), near.into()])
    }

    /// The same bits as another type.
    pub fn bitcast(&mut self, from: Scalar, to: Scalar, x: Operand) -> Operand {
        if let Some(bits) = x.bits() {
            return Operand::constant(to, bits & from.mask());
        }
        match (Class::of(from), Class::of(to)) {
            (Class::Half, Class::Half) => x,
            (Class::Half, _) => {
                let wide = if to.is_signed() { "cvt.s32.s16" } else { "cvt.u32.u16" };
                self.code.op(Class::Word, wide, &[x])
            }
            (_, Class::Half) => self.code.op(Class::Half, "cvt.u16.u32", &[x]),
            (a, b) if a == b => self.wrap(to, x),
            (_, class) => {
                let name = if from.bits() == 64 { "mov.b64" } else { "mov.b32" };
                self.code.op(class, name, &[x])
            }
        }
    }
}

/// A small number of a type.
pub fn constant(s: Scalar, number: f64) -> Operand {
    Operand::constant(s, vyre_ir::program::number_bits(s, number))
}
