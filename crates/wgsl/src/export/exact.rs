//! Float operations whose rows say more than the output languages do: which of two zeros is the smaller, that a NaN
//! gives way to a number, the sign of a zero that rounding to an integer gives, and that `fma` rounds once.
//!
//! They are said with comparisons and bits, for devices, whose results are compared with the interpreter's. Text has
//! the functions of the languages instead, since it is read. 16-bit floats take the way through 32 bits, which is exact.

use super::code::{Code, Node, Val};
use super::types;
use vyre_ir::{Op, Scalar};

impl Code {
    /// The operation by other means, if it is one of these on floats.
    pub fn exactly(&mut self, op: Op, args: &[Val]) -> Option<Val> {
        let scalar = args[0].ty.scalar;
        if !self.exact || !scalar.is_float() || types::is_carried(scalar) {
            return None; // what carries it comes here
        }
        match op {
            Op::Min | Op::Max | Op::Floor | Op::Ceil | Op::Trunc | Op::Round if scalar == Scalar::F16 => {
                let wide: Vec<Val> = args.iter().map(|v| self.convert(*v, Scalar::F32)).collect();
                let result = self.op(op, &wide);
                Some(self.convert(result, scalar))
            }
            Op::Fma if !self.fuses(scalar) => Some(self.rounded_once([args[0], args[1], args[2]])),
            Op::Min | Op::Max => Some(self.extremum(op, args[0], args[1])),
            Op::Floor | Op::Ceil | Op::Trunc | Op::Round => Some(self.rounded(op, args[0])),
            _ => None,
        }
    }

    /// Whether the device's `fma` is known to round once.
    fn fuses(&self, scalar: Scalar) -> bool {
        match scalar {
            Scalar::F32 => self.has.fused_f32,
            Scalar::F64 => self.has.fused_f64,
            _ => false,
        }
    }

    /// The smaller or larger, compared as integers, since devices may take subnormal numbers for zeros. Next to a
    /// constant that is a normal number this does not matter.
    fn extremum(&mut self, op: Op, a: Val, b: Val) -> Val {
        let (a, b) = if a.bits().is_some() { (b, a) } else { (a, b) };
        let scalar = b.ty.scalar;
        let smallest = types::smallest_normal(scalar);
        let is_normal = |bits: u64| bits & (scalar.mask() >> 1) >= smallest;
        let of = |pair: [Val; 2]| if op == Op::Min { pair } else { [pair[1], pair[0]] };
        if let Node::Const(bits) = b.node
            && bits[..b.ty.lanes as usize].iter().all(|lane| is_normal(*lane))
        {
            let first = self.op(Op::Lt, &of([a, b]));
            let other_is_nan = self.is_nan(b);
            let first = self.op(Op::Or, &[first, other_is_nan]);
            return self.op(Op::Select, &[first, a, b]);
        }
        let order = if op == Op::Min { Op::SubgroupMin } else { Op::SubgroupMax };
        let [x, y] = [a, b].map(|v| self.ordered(order, v));
        let first = self.op(Op::Lt, &of([x, y]));
        self.op(Op::Select, &[first, a, b])
    }

    /// A number rounded to an integer, with the sign that it had.
    fn rounded(&mut self, op: Op, x: Val) -> Val {
        let result = self.spelled(op, x.ty, &[x]);
        let unsigned = types::bits_type(x.ty.scalar);
        let [result, x_bits] = [result, x].map(|v| self.bitcast(v, unsigned));
        let sign = Val::splat(x_bits.ty, unsigned.mask() ^ unsigned.mask() >> 1);
        let sign = self.op(Op::And, &[x_bits, sign]);
        let bits = self.op(Op::Or, &[result, sign]);
        self.bitcast(bits, x.ty.scalar)
    }

    /// Integers in the order of these floats: -0 before +0, and NaN where it never is the smallest, or the largest.
    pub fn ordered(&mut self, op: Op, x: Val) -> Val {
        let bits = self.bitcast(x, types::bits_type(x.ty.scalar));
        let mask = self.sign_mask(bits);
        let key = self.op(Op::Xor, &[bits, mask]);
        let last = Val::splat(key.ty, if op == Op::SubgroupMin { u64::MAX } else { 0 });
        let is_nan = self.is_nan(x);
        self.op(Op::Select, &[is_nan, last, key])
    }

    /// The floats of such integers.
    pub fn unordered(&mut self, key: Val, scalar: Scalar) -> Val {
        let flipped = self.op(Op::Not, &[key]);
        let mask = self.sign_mask(flipped);
        let bits = self.op(Op::Xor, &[key, mask]);
        self.bitcast(bits, scalar)
    }

    /// All bits where the highest is set, else the highest only.
    fn sign_mask(&mut self, bits: Val) -> Val {
        let (unsigned, width) = (bits.ty.scalar, bits.ty.scalar.bits());
        let signed = self.bitcast(bits, if width == 64 { Scalar::I64 } else { Scalar::I32 });
        let sign = self.op(Op::Shr, &[signed, Val::splat(bits.ty.with(Scalar::U32), width as u64 - 1)]);
        let sign = self.bitcast(sign, unsigned);
        self.op(Op::Or, &[sign, Val::splat(bits.ty, unsigned.mask() ^ unsigned.mask() >> 1)])
    }
}
