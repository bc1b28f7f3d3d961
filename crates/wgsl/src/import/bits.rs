//! Built-in functions on bits.

use super::lower::Lower;
use super::value::Leaves;
use naga::MathFunction as M;
use vyre_ir::*;

impl Lower<'_> {
    /// A function on bits that is not an operation of its own.
    pub fn bits_function(&mut self, fun: M, v: &[Value]) -> Option<Value> {
        Some(match fun {
            M::FirstTrailingBit => {
                let zeros = self.code.op(Op::TrailingZeros, &[v[0]]);
                self.unless_zero(v[0], zeros)
            }
            M::FirstLeadingBit => self.first_leading_bit(v[0]),
            M::ExtractBits => self.extract_bits(v[0], v[1], v[2]),
            M::InsertBits => self.insert_bits(v[0], v[1], v[2], v[3]),
            M::Dot4I8Packed => self.dot_packed(v[0], v[1], Scalar::I32),
            M::Dot4U8Packed => self.dot_packed(v[0], v[1], Scalar::U32),
            _ => return None,
        })
    }

    /// All ones where `x` is zero.
    fn unless_zero(&mut self, x: Value, result: Value) -> Value {
        let ty = self.code.ty(x);
        let (zero, ones) = (self.code.bits(ty, 0), self.code.bits(ty, u64::MAX));
        let none = self.code.op(Op::Eq, &[x, zero]);
        self.code.op(Op::Select, &[none, ones, result])
    }

    fn first_leading_bit(&mut self, value: Value) -> Value {
        let ty = self.code.ty(value);
        let mut x = value;
        if ty.scalar.is_signed() {
            // The highest bit that differs from the sign.
            let shift = self.code.u32_like(value, ty.scalar.bits() - 1);
            let sign = self.code.op(Op::Shr, &[value, shift]);
            x = self.code.op(Op::Xor, &[value, sign]);
        }
        let zeros = self.code.op(Op::LeadingZeros, &[x]);
        let top = self.code.bits(ty, ty.scalar.bits() as u64 - 1);
        let place = self.code.op(Op::Sub, &[top, zeros]);
        self.unless_zero(x, place)
    }

    /// Offset and count of a bit field, cut to the width.
    fn field(&mut self, offset: Value, count: Value, width: u32) -> (Value, Value) {
        let width = self.code.u32(width);
        let offset = self.code.op(Op::Min, &[offset, width]);
        let room = self.code.op(Op::Sub, &[width, offset]);
        (offset, self.code.op(Op::Min, &[count, room]))
    }

    fn extract_bits(&mut self, value: Value, offset: Value, count: Value) -> Value {
        let ty = self.code.ty(value);
        let (offset, count) = self.field(offset, count, ty.scalar.bits());
        let width = self.code.u32(ty.scalar.bits());
        let right = self.code.op(Op::Sub, &[width, count]);
        let left = self.code.op(Op::Sub, &[right, offset]);
        let none = self.code.u32(0);
        let empty = self.code.op(Op::Eq, &[count, none]);
        let (left, right) = (self.code.splat_like(left, value), self.code.splat_like(right, value));
        let raised = self.code.op(Op::Shl, &[value, left]);
        let field = self.code.op(Op::Shr, &[raised, right]);
        // A shift by the whole width does nothing.
        let zero = self.code.bits(ty, 0);
        self.code.select(empty, zero, field)
    }

    fn insert_bits(&mut self, value: Value, new: Value, offset: Value, count: Value) -> Value {
        let ty = self.code.ty(value);
        let width = ty.scalar.bits();
        let (offset, count) = self.field(offset, count, width);
        let unsigned = match width {
            8 => Scalar::U8,
            16 => Scalar::U16,
            64 => Scalar::U64,
            _ => Scalar::U32,
        };
        let (all, none) = (self.code.bits(unsigned, u64::MAX), self.code.bits(unsigned, 0));
        let full = self.code.u32(width);
        let right = self.code.op(Op::Sub, &[full, count]);
        let ones = self.code.op(Op::Shr, &[all, right]);
        let raised = self.code.op(Op::Shl, &[ones, offset]);
        let zero = self.code.u32(0);
        let empty = self.code.op(Op::Eq, &[count, zero]);
        let mask = self.code.op(Op::Select, &[empty, none, raised]);
        let mask = self.code.bitcast(mask, ty.scalar);
        let (mask, offset) = (self.code.splat_like(mask, value), self.code.splat_like(offset, value));
        let others = self.code.op(Op::Not, &[mask]);
        let kept = self.code.op(Op::And, &[value, others]);
        let placed = self.code.op(Op::Shl, &[new, offset]);
        let placed = self.code.op(Op::And, &[placed, mask]);
        self.code.op(Op::Or, &[kept, placed])
    }

    /// The four bytes of a u32 as i32 or u32, lowest first.
    pub fn bytes(&mut self, packed: Value, scalar: Scalar) -> Value {
        let word = self.code.bitcast(packed, scalar);
        let words = self.code.splat(word, 4);
        let u32x4 = Type::new(Scalar::U32, 4);
        // Each byte goes to the top and comes down with its sign.
        let up = self.code.b.lanes(u32x4, [24, 16, 8, 0]);
        let down = self.code.bits(u32x4, 24);
        let raised = self.code.op(Op::Shl, &[words, up]);
        self.code.op(Op::Shr, &[raised, down])
    }

    fn dot_packed(&mut self, a: Value, b: Value, scalar: Scalar) -> Value {
        let (a, b) = (self.bytes(a, scalar), self.bytes(b, scalar));
        self.dot(a, b)
    }

    /// The low `bits` of each lane beside each other, the first lane lowest; the lanes are u32.
    pub fn packed(&mut self, lanes: Value, bits: u32) -> Value {
        let lanes: Leaves = self.code.scalars(lanes);
        let mask = self.code.u32((1 << bits) - 1);
        let mut word = None;
        for (i, &lane) in lanes.iter().enumerate() {
            let last = i + 1 == lanes.len();
            let part = if last { lane } else { self.code.op(Op::And, &[lane, mask]) };
            let shift = self.code.u32(bits * i as u32);
            word = Some(match word {
                None => part,
                Some(word) => {
                    let part = self.code.op(Op::Shl, &[part, shift]);
                    self.code.op(Op::Or, &[word, part])
                }
            });
        }
        word.expect("vectors have lanes")
    }
}
