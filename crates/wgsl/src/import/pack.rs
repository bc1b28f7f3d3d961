//! Packing functions, by the WGSL specification, sections "Data Packing" and "Data Unpacking Built-in Functions".

use super::lower::Lower;
use super::value::Leaves;
use naga::MathFunction as M;
use vyre_ir::*;

impl Lower<'_> {
    /// A function that packs numbers into a u32 or takes them out.
    pub fn packing(&mut self, fun: M, v: &[Value]) -> Option<Value> {
        let v = v[0];
        Some(match fun {
            M::Pack4x8snorm => self.pack_norm(v, 8, true),
            M::Pack4x8unorm => self.pack_norm(v, 8, false),
            M::Pack2x16snorm => self.pack_norm(v, 16, true),
            M::Pack2x16unorm => self.pack_norm(v, 16, false),
            M::Pack2x16float => {
                let halves = self.code.convert(v, Scalar::F16);
                let bits = self.code.bitcast(halves, Scalar::U16);
                let words = self.code.convert(bits, Scalar::U32);
                self.packed(words, 16)
            }
            M::Pack4xI8 => {
                let words = self.code.bitcast(v, Scalar::U32);
                self.packed(words, 8)
            }
            M::Pack4xU8 => self.packed(v, 8),
            M::Pack4xI8Clamp => {
                let clamped = self.clamp_to(v, -128.0, 127.0);
                let words = self.code.bitcast(clamped, Scalar::U32);
                self.packed(words, 8)
            }
            M::Pack4xU8Clamp => {
                let clamped = self.clamp_to(v, 0.0, 255.0);
                self.packed(clamped, 8)
            }
            M::Unpack4x8snorm => {
                let numbers = self.bytes(v, Scalar::I32);
                self.unpack_norm(numbers, 127.0)
            }
            M::Unpack4x8unorm => {
                let numbers = self.bytes(v, Scalar::U32);
                self.unpack_norm(numbers, 255.0)
            }
            M::Unpack2x16snorm => {
                let numbers = self.halves(v, Scalar::I32);
                self.unpack_norm(numbers, 32767.0)
            }
            M::Unpack2x16unorm => {
                let numbers = self.halves(v, Scalar::U32);
                self.unpack_norm(numbers, 65535.0)
            }
            M::Unpack2x16float => {
                let words = self.halves(v, Scalar::U32);
                let bits = self.code.convert(words, Scalar::U16);
                let halves = self.code.bitcast(bits, Scalar::F16);
                self.code.convert(halves, Scalar::F32)
            }
            M::Unpack4xI8 => self.bytes(v, Scalar::I32),
            M::Unpack4xU8 => self.bytes(v, Scalar::U32),
            _ => return None,
        })
    }

    fn clamp_to(&mut self, value: Value, low: f64, high: f64) -> Value {
        let ty = self.code.ty(value);
        let (low, high) = (self.code.number(ty, low), self.code.number(ty, high));
        self.clamp(value, low, high)
    }

    /// `floor(0.5 + scale * clamp(x))` of each lane, in `bits` each.
    fn pack_norm(&mut self, value: Value, bits: u32, signed: bool) -> Value {
        let ty = self.code.ty(value);
        let clamped = self.clamp_to(value, if signed { -1.0 } else { 0.0 }, 1.0);
        let scale = ((1u32 << (bits - signed as u32)) - 1) as f64;
        let (scale, half) = (self.code.number(ty, scale), self.code.number(ty, 0.5));
        let scaled = self.code.op(Op::Mul, &[clamped, scale]);
        let raised = self.code.op(Op::Add, &[half, scaled]);
        let floor = self.code.op(Op::Floor, &[raised]);
        let numbers = self.code.convert(floor, if signed { Scalar::I32 } else { Scalar::U32 });
        let words = self.code.bitcast(numbers, Scalar::U32);
        self.packed(words, bits)
    }

    /// Numbers divided by the largest one; the smallest negative one has no counterpart and becomes -1.
    fn unpack_norm(&mut self, numbers: Value, largest: f64) -> Value {
        let signed = self.code.ty(numbers).scalar.is_signed();
        let floats = self.code.convert(numbers, Scalar::F32);
        let ty = self.code.ty(floats);
        let scale = self.code.number(ty, largest);
        let quotient = self.code.op(Op::Div, &[floats, scale]);
        if !signed {
            return quotient;
        }
        let least = self.code.number(ty, -1.0);
        self.code.op(Op::Max, &[quotient, least])
    }

    /// The two halves of a u32 as i32 or u32, the lower first.
    fn halves(&mut self, packed: Value, scalar: Scalar) -> Value {
        let word = self.code.bitcast(packed, scalar);
        let sixteen = self.code.u32(16);
        let raised = self.code.op(Op::Shl, &[word, sixteen]);
        let lanes: Leaves =
            [raised, word].into_iter().map(|v| self.code.op(Op::Shr, &[v, sixteen])).collect();
        self.code.compose(&lanes)
    }
}
