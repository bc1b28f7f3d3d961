//! Operations on integers.
//!
//! Those of 8 and 16 bits are computed in 32, and what may have left their range is extended again by their sign.
//! Division of PTX is not defined for 0, nor for the smallest number by -1: the divisor is made 1 there, which gives
//! what the row wants.

use super::Emitter;
use super::code::{Class, Operand};
use vyre_ir::{Op, Scalar, Value};

/// An instruction by the type that it works on: signed and unsigned, of 32 and 64 bits.
macro_rules! by_type {
    ($ty:ident, $name:literal) => {
        match $ty {
            Scalar::I64 => concat!($name, ".s64"),
            Scalar::U64 => concat!($name, ".u64"),
            s if s.is_signed() => concat!($name, ".s32"),
            _ => concat!($name, ".u32"),
        }
    };
}

/// An instruction by width.
macro_rules! by_width {
    ($class:ident, $name:literal) => {
        if $class == Class::Long { concat!($name, ".b64") } else { concat!($name, ".b32") }
    };
}

impl Emitter<'_> {
    pub fn integer(&mut self, op: Op, s: Scalar, args: &[Operand]) -> Operand {
        let class = Class::of(s);
        let narrow = s.bits() < 32;
        let name = match op {
            Op::Add => by_type!(s, "add"),
            Op::Sub => by_type!(s, "sub"),
            Op::Mul => by_type!(s, "mul.lo"),
            Op::MulHi if narrow => return self.mul_hi_narrow(s, args),
            Op::MulHi => by_type!(s, "mul.hi"),
            Op::Div | Op::Rem => return self.divide(op, s, args),
            Op::Min => by_type!(s, "min"),
            Op::Max => by_type!(s, "max"),
            Op::Neg if class == Class::Long => "neg.s64",
            Op::Neg => "neg.s32",
            Op::Abs => by_type!(s, "abs"),
            Op::And => by_width!(class, "and"),
            Op::Or => by_width!(class, "or"),
            Op::Xor => by_width!(class, "xor"),
            Op::Not => by_width!(class, "not"),
            Op::Shl | Op::Shr => return self.shift(op, s, args),
            Op::CountOnes | Op::LeadingZeros | Op::TrailingZeros => return self.count_bits(op, s, args[0]),
            Op::ReverseBits => {
                let reversed = self.code.op(class, by_width!(class, "brev"), args);
                if !narrow {
                    return reversed;
                }
                let distance = Operand::word(32 - s.bits());
                return self.code.op(class, by_type!(s, "shr"), &[reversed, distance]);
            }
            Op::Eq => by_type!(s, "setp.eq"),
            Op::Ne => by_type!(s, "setp.ne"),
            Op::Lt => by_type!(s, "setp.lt"),
            Op::Le => by_type!(s, "setp.le"),
            _ => unreachable!("{op:?} takes no integer"),
        };
        if matches!(op, Op::Eq | Op::Ne | Op::Lt | Op::Le) {
            return self.code.op(Class::Pred, name, args);
        }
        let result = self.code.op(class, name, args);
        match op {
            Op::Min | Op::Max | Op::And | Op::Or | Op::Xor => result,
            Op::Not if s.is_signed() => result,
            _ => self.wrap(s, result),
        }
    }

    /// The low bits of a word as an integer of 8 or 16 bits; of other types the operand itself.
    pub fn wrap(&mut self, s: Scalar, x: Operand) -> Operand {
        if let Some(bits) = x.bits() {
            return Operand::constant(s, bits & s.mask());
        }
        match s {
            Scalar::I8 => self.code.op(Class::Word, "cvt.s32.s8", &[x]),
            Scalar::I16 => self.code.op(Class::Word, "cvt.s32.s16", &[x]),
            Scalar::U8 => self.code.op(Class::Word, "and.b32", &[x, Operand::word(0xff)]),
            Scalar::U16 => self.code.op(Class::Word, "and.b32", &[x, Operand::word(0xffff)]),
            _ => x,
        }
    }

    /// A word with the bits of an integer of 8 or 16 bits, and zeros above.
    pub fn low_bits(&mut self, s: Scalar, x: Operand) -> Operand {
        match s {
            Scalar::I8 => self.wrap(Scalar::U8, x),
            Scalar::I16 => self.wrap(Scalar::U16, x),
            _ => x,
        }
    }

    fn mul_hi_narrow(&mut self, s: Scalar, args: &[Operand]) -> Operand {
        let product = self.code.op(Class::Word, by_type!(s, "mul.lo"), args);
        self.code.op(Class::Word, by_type!(s, "shr"), &[product, Operand::word(s.bits())])
    }

    fn divide(&mut self, op: Op, s: Scalar, args: &[Operand]) -> Operand {
        let class = Class::of(s);
        let (x, y) = (args[0], args[1]);
        let one = Operand::constant(s, 1);
        let smallest = Operand::constant(s, 1 << (s.bits() - 1));
        let minus_one = Operand::constant(s, s.mask());
        let safe = match y.bits() {
            Some(bits) if bits & s.mask() == 0 => one,
            Some(bits) if s.is_signed() && bits & s.mask() == s.mask() => {
                return match op {
                    Op::Div => self.integer(Op::Neg, s, &[x]),
                    _ => Operand::constant(s, 0),
                };
            }
            Some(_) => y,
            None => {
                let zero = Operand::constant(s, 0);
                let mut wrong = self.code.op(Class::Pred, by_type!(s, "setp.eq"), &[y, zero]);
                // In 32 bits nothing happens to the narrow types' smallest numbers but that they leave the range.
                if s.is_signed() && s.bits() >= 32 {
                    let smallest = self.code.op(Class::Pred, by_type!(s, "setp.eq"), &[x, smallest]);
                    let minus = self.code.op(Class::Pred, by_type!(s, "setp.eq"), &[y, minus_one]);
                    let overflows = self.code.op(Class::Pred, "and.pred", &[smallest, minus]);
                    wrong = self.code.op(Class::Pred, "or.pred", &[wrong, overflows]);
                }
                self.select(s, &[wrong, one, y])
            }
        };
        if safe == one {
            return if op == Op::Div { x } else { Operand::constant(s, 0) };
        }
        let name = if op == Op::Div { by_type!(s, "div") } else { by_type!(s, "rem") };
        let result = self.code.op(class, name, &[x, safe]);
        if op == Op::Div && s.is_signed() { self.wrap(s, result) } else { result }
    }

    /// Shifts take the amount modulo the width.
    fn shift(&mut self, op: Op, s: Scalar, args: &[Operand]) -> Operand {
        let class = Class::of(s);
        let width = s.bits();
        let (x, amount) = (args[0], args[1]);
        let name = match (op, s) {
            (Op::Shl, _) => by_width!(class, "shl"),
            _ => by_type!(s, "shr"),
        };
        let amount = match amount.bits() {
            Some(n) => Operand::word(n as u32 % width),
            // The funnel shift takes its amount modulo 32 by itself.
            None if s == Scalar::U32 || s == Scalar::I32 && op == Op::Shl => {
                let zero = Operand::word(0);
                return match op {
                    Op::Shl => self.code.op(class, "shf.l.wrap.b32", &[zero, x, amount]),
                    _ => self.code.op(class, "shf.r.wrap.b32", &[x, zero, amount]),
                };
            }
            None => self.code.op(Class::Word, "and.b32", &[amount, Operand::word(width - 1)]),
        };
        let result = self.code.op(class, name, &[x, amount]);
        if op == Op::Shl { self.wrap(s, result) } else { result }
    }

    fn count_bits(&mut self, op: Op, s: Scalar, x: Operand) -> Operand {
        let class = Class::of(s);
        let width = s.bits();
        let narrow = width < 32;
        let mut x = self.low_bits(s, x);
        let name = match op {
            Op::CountOnes => by_width!(class, "popc"),
            Op::LeadingZeros => by_width!(class, "clz"),
            _ => {
                if narrow {
                    x = self.code.op(class, "or.b32", &[x, Operand::word(1 << width)]);
                }
                x = self.code.op(class, by_width!(class, "brev"), &[x]);
                by_width!(class, "clz")
            }
        };
        let count = self.code.op(Class::Word, name, &[x]);
        match op {
            Op::LeadingZeros if narrow => self.code.op(class, "sub.u32", &[count, Operand::word(32 - width)]),
            _ if class == Class::Long => self.code.op(class, "cvt.u64.u32", &[count]),
            _ => count,
        }
    }

    /// Whether a u32 or i32 value is known to be below a number.
    pub fn is_below(&self, value: Value, limit: u64) -> bool {
        (self.known.ranges.largest(value) as u64) < limit
    }
}
