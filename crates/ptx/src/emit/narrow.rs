//! f16 and bf16.
//!
//! f16 has instructions of its own for sums, products and `fma`; quotients, roots and, before sm_80, minima go by way
//! of f32. bf16 is the upper half of an f32 and goes by way of it, but for `fma`. Rounding the f32 result of `+ - * /
//! sqrt` once more is correct: see `vyre_ir::lane`.

use super::Emitter;
use super::code::{Class, Operand};
use crate::capability::Form;
use vyre_ir::{Op, Scalar};

impl Emitter<'_> {
    /// An operation on f16.
    pub fn half(&mut self, op: Op, args: &[Operand]) -> Operand {
        let native = match op {
            Op::Add => "add.rn.f16",
            Op::Sub => "sub.rn.f16",
            Op::Mul => "mul.rn.f16",
            Op::Fma => "fma.rn.f16",
            Op::Min if self.has(Form::MinF16) => "min.f16",
            Op::Max if self.has(Form::MinF16) => "max.f16",
            Op::Floor => "cvt.rmi.f16.f16",
            Op::Ceil => "cvt.rpi.f16.f16",
            Op::Trunc => "cvt.rzi.f16.f16",
            Op::Round => "cvt.rni.f16.f16",
            Op::Neg | Op::Abs => return self.change_sign(op, Class::Half, args[0]),
            Op::Rem => return self.remainder(Scalar::F16, args),
            Op::Eq => return self.code.op(Class::Pred, "setp.eq.f16", args),
            Op::Ne => return self.code.op(Class::Pred, "setp.neu.f16", args),
            Op::Lt => return self.code.op(Class::Pred, "setp.lt.f16", args),
            Op::Le => return self.code.op(Class::Pred, "setp.le.f16", args),
            _ => {
                let args: super::Lanes =
                    args.iter().map(|&x| self.convert(Scalar::F16, Scalar::F32, x)).collect();
                let wide = self.float(op, Scalar::F32, &args, false);
                return self.convert(Scalar::F32, Scalar::F16, wide);
            }
        };
        self.code.op(Class::Half, native, args)
    }

    /// An operation on bf16.
    pub fn bf16(&mut self, op: Op, args: &[Operand]) -> Operand {
        match op {
            Op::Neg | Op::Abs => return self.change_sign(op, Class::Half, args[0]),
            Op::Rem => return self.remainder(Scalar::BF16, args),
            Op::Fma if self.has(Form::FmaBf16) => return self.code.op(Class::Half, "fma.rn.bf16", args),
            Op::Fma => return self.fma_bf16(args),
            _ => {}
        }
        let args: super::Lanes = args.iter().map(|&x| self.widen_bf16(x)).collect();
        let wide = self.float(op, Scalar::F32, &args, false);
        if matches!(op, Op::Eq | Op::Ne | Op::Lt | Op::Le) { wide } else { self.round_bf16(wide) }
    }

    /// `x - y * trunc(x / y)`, each step rounded.
    fn remainder(&mut self, s: Scalar, args: &[Operand]) -> Operand {
        let quotient = self.join(Op::Div, s, args[0], args[1]);
        let whole = match s {
            Scalar::F16 => self.half(Op::Trunc, &[quotient]),
            _ => self.bf16(Op::Trunc, &[quotient]),
        };
        let product = self.join(Op::Mul, s, args[1], whole);
        self.join(Op::Sub, s, args[0], product)
    }

    /// A bf16 as f32.
    pub fn widen_bf16(&mut self, x: Operand) -> Operand {
        if let Some(bits) = x.bits() {
            return Operand::Bits(Class::Float, bits << 16);
        }
        let zero = self.code.in_register(Operand::Bits(Class::Half, 0));
        let to = self.code.reg(Class::Float);
        self.code.line(format_args!("mov.b32 {to}, {{{zero}, {x}}}"));
        to.into()
    }

    /// An f32 rounded to bf16, to nearest even.
    pub fn round_bf16(&mut self, x: Operand) -> Operand {
        if self.has(Form::CvtBf16) {
            return self.code.op(Class::Half, "cvt.rn.bf16.f32", &[x]);
        }
        let word = Operand::word;
        let bits = self.bitcast(Scalar::F32, Scalar::U32, x);
        let last = self.code.op(Class::Word, "bfe.u32", &[bits, word(16), word(1)]);
        let up = self.code.op(Class::Word, "add.u32", &[last, word(0x7fff)]);
        let rounded = self.code.op(Class::Word, "add.u32", &[bits, up]);
        // Rounding could make an infinity of a NaN.
        let is_number = self.compare(Op::Eq, Scalar::F32, x, x);
        let bits = self.select(Scalar::U32, &[is_number, rounded, word(0x7fff_ffff)]);
        let high = self.code.op(Class::Word, "shr.u32", &[bits, word(16)]);
        self.code.op(Class::Half, "cvt.u16.u32", &[high])
    }

    /// `a * b + c` of bf16, rounded once: the product is exact in f64, the sum is rounded to odd there and in f32.
    fn fma_bf16(&mut self, args: &[Operand]) -> Operand {
        let wide: super::Lanes = args.iter().map(|&x| self.convert(Scalar::BF16, Scalar::F64, x)).collect();
        let product = self.code.op(Class::Double, "mul.rn.f64", &wide[..2]);
        let [near, low, high] = ["add.rz.f64", "add.rm.f64", "add.rp.f64"]
            .map(|add| self.code.op(Class::Double, add, &[product, wide[2]]));
        // The sum of opposite numbers is -0 rounded down, +0 otherwise, and not inexact.
        let sum = self.odd(Scalar::F64, near, low, high);
        self.convert(Scalar::F64, Scalar::BF16, sum)
    }
}
