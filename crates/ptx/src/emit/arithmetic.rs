//! Operations on scalars: which way each goes, and those of f32, f64 and bool.
//!
//! `min` and `max` of PTX are those of the rows: a NaN gives way to a number, and -0 is below +0. `neg` and `abs` of
//! floats change bits where somebody sees those of NaNs; elsewhere they are instructions that others take in.

use super::Emitter;
use super::code::{Class, Operand};
use smallvec::SmallVec;
use vyre_ir::{Op, Scalar, Sig};

impl Emitter<'_> {
    /// An operation on scalars; `seen` if the bits of a NaN that it gives are seen.
    pub fn compute(&mut self, op: Op, sig: Sig, args: &[Operand], seen: bool) -> Operand {
        let s = sig.operand;
        if let Some(known) = evaluate(op, sig, args) {
            return known;
        }
        match op {
            Op::Select => self.select(s, args),
            Op::Convert => self.convert(s, sig.result, args[0]),
            Op::Bitcast => self.bitcast(s, sig.result, args[0]),
            _ => match s {
                Scalar::Bool => self.truth(op, args),
                Scalar::F32 | Scalar::F64 => self.float(op, s, args, seen),
                Scalar::F16 => self.half(op, args),
                Scalar::BF16 => self.bf16(op, args),
                _ => self.integer(op, s, args),
            },
        }
    }

    /// An operation on two operands of a type that gives the same type.
    pub fn join(&mut self, op: Op, s: Scalar, a: Operand, b: Operand) -> Operand {
        self.compute(op, Sig { operand: s, result: s }, &[a, b], true)
    }

    /// A comparison.
    pub fn compare(&mut self, op: Op, s: Scalar, a: Operand, b: Operand) -> Operand {
        self.compute(op, Sig { operand: s, result: Scalar::Bool }, &[a, b], true)
    }

    fn truth(&mut self, op: Op, args: &[Operand]) -> Operand {
        match op {
            Op::And => self.code.op(Class::Pred, "and.pred", args),
            Op::Or => self.code.op(Class::Pred, "or.pred", args),
            Op::Xor | Op::Ne => self.code.op(Class::Pred, "xor.pred", args),
            Op::Not => self.code.op(Class::Pred, "not.pred", args),
            Op::Eq => {
                let differ = self.code.op(Class::Pred, "xor.pred", args);
                self.code.op(Class::Pred, "not.pred", &[differ])
            }
            _ => unreachable!("{op:?} takes no bool"),
        }
    }

    /// One of two operands.
    pub fn select(&mut self, s: Scalar, args: &[Operand]) -> Operand {
        let &[condition, x, y] = args else { unreachable!("select takes three operands") };
        if let Some(bits) = condition.bits() {
            return if bits & 1 == 1 { x } else { y };
        }
        match Class::of(s) {
            Class::Pred => self.select_bool(condition, x, y),
            class => {
                let name = match class {
                    Class::Half => "selp.b16",
                    Class::Word => "selp.b32",
                    Class::Long => "selp.b64",
                    Class::Float => "selp.f32",
                    _ => "selp.f64",
                };
                self.code.op(class, name, &[x, y, condition])
            }
        }
    }

    fn select_bool(&mut self, condition: Operand, x: Operand, y: Operand) -> Operand {
        let other = |e: &mut Self| e.code.op(Class::Pred, "not.pred", &[condition]);
        match (x.bits(), y.bits()) {
            (Some(1), Some(0)) => condition,
            (Some(0), Some(1)) => other(self),
            (Some(1), _) => self.code.op(Class::Pred, "or.pred", &[condition, y]),
            (_, Some(0)) => self.code.op(Class::Pred, "and.pred", &[condition, x]),
            (Some(0), _) => {
                let other = other(self);
                self.code.op(Class::Pred, "and.pred", &[other, y])
            }
            (_, Some(1)) => {
                let other = other(self);
                self.code.op(Class::Pred, "or.pred", &[other, x])
            }
            _ => {
                let other = other(self);
                let first = self.code.op(Class::Pred, "and.pred", &[condition, x]);
                let second = self.code.op(Class::Pred, "and.pred", &[other, y]);
                self.code.op(Class::Pred, "or.pred", &[first, second])
            }
        }
    }

    /// An operation on f32 or f64.
    pub fn float(&mut self, op: Op, s: Scalar, args: &[Operand], seen: bool) -> Operand {
        let class = Class::of(s);
        let wide = s == Scalar::F64;
        let name = |narrow, broad| if wide { broad } else { narrow };
        let simple = match op {
            Op::Add => name("add.rn.f32", "add.rn.f64"),
            Op::Sub => name("sub.rn.f32", "sub.rn.f64"),
            Op::Mul => name("mul.rn.f32", "mul.rn.f64"),
            // Rounded as the quotient, in fewer instructions.
            Op::Div
                if args[0].bits() == Some(if wide { 1.0f64.to_bits() } else { 1.0f32.to_bits().into() }) =>
            {
                return self.code.op(class, name("rcp.rn.f32", "rcp.rn.f64"), &args[1..]);
            }
            Op::Div => name("div.rn.f32", "div.rn.f64"),
            Op::Fma => name("fma.rn.f32", "fma.rn.f64"),
            Op::Sqrt => name("sqrt.rn.f32", "sqrt.rn.f64"),
            Op::Min => name("min.f32", "min.f64"),
            Op::Max => name("max.f32", "max.f64"),
            Op::Floor => name("cvt.rmi.f32.f32", "cvt.rmi.f64.f64"),
            Op::Ceil => name("cvt.rpi.f32.f32", "cvt.rpi.f64.f64"),
            Op::Trunc => name("cvt.rzi.f32.f32", "cvt.rzi.f64.f64"),
            Op::Round => name("cvt.rni.f32.f32", "cvt.rni.f64.f64"),
            Op::Neg if !seen => name("neg.f32", "neg.f64"),
            Op::Abs if !seen => name("abs.f32", "abs.f64"),
            Op::Neg | Op::Abs => return self.change_sign(op, class, args[0]),
            Op::Rem => {
                let quotient = self.code.op(class, name("div.rn.f32", "div.rn.f64"), args);
                let whole = self.code.op(class, name("cvt.rzi.f32.f32", "cvt.rzi.f64.f64"), &[quotient]);
                let product = self.code.op(class, name("mul.rn.f32", "mul.rn.f64"), &[args[1], whole]);
                return self.code.op(class, name("sub.rn.f32", "sub.rn.f64"), &[args[0], product]);
            }
            Op::Eq => name("setp.eq.f32", "setp.eq.f64"),
            Op::Ne => name("setp.neu.f32", "setp.neu.f64"),
            Op::Lt => name("setp.lt.f32", "setp.lt.f64"),
            Op::Le => name("setp.le.f32", "setp.le.f64"),
            _ => unreachable!("{op:?} takes no float"),
        };
        let to = if matches!(op, Op::Eq | Op::Ne | Op::Lt | Op::Le) { Class::Pred } else { class };
        self.code.op(to, simple, args)
    }

    /// `neg` or `abs` of a float by its bits.
    pub fn change_sign(&mut self, op: Op, class: Class, x: Operand) -> Operand {
        let (sign, width) = match class {
            Class::Half => (1 << 15, "b16"),
            Class::Float => (1 << 31, "b32"),
            _ => (1u64 << 63, "b64"),
        };
        let (name, mask) = if op == Op::Neg { ("xor", sign) } else { ("and", sign - 1) };
        let to = self.code.reg(class);
        let x = self.code.in_register(x);
        self.code.line(format_args!("{name}.{width} {to}, {x}, {mask:#x}"));
        to.into()
    }
}

/// What an operation on numbers gives, by its row.
fn evaluate(op: Op, sig: Sig, args: &[Operand]) -> Option<Operand> {
    let eval = op.info().eval?;
    let bits: Option<SmallVec<[u64; 3]>> = args.iter().map(|arg| arg.bits()).collect();
    Some(Operand::constant(sig.result, eval(sig, &bits?) & sig.result.mask()))
}
