//! Built-in numeric functions, by the definitions of the WGSL specification, section "Numeric Built-in Functions".

use super::lower::{Lower, Outcome};
use super::types::Ty;
use super::value::{Leaves, Rvalue};
use crate::codes;
use naga::MathFunction as M;
use vyre_ir::types::MATH;
use vyre_ir::*;

/// The operation that a function is.
fn operation(fun: M) -> Option<Op> {
    Some(match fun {
        M::Min => Op::Min,
        M::Max => Op::Max,
        M::Cos => Op::Cos,
        M::Cosh => Op::Cosh,
        M::Sin => Op::Sin,
        M::Sinh => Op::Sinh,
        M::Tan => Op::Tan,
        M::Tanh => Op::Tanh,
        M::Acos => Op::Acos,
        M::Asin => Op::Asin,
        M::Atan => Op::Atan,
        M::Atan2 => Op::Atan2,
        M::Asinh => Op::Asinh,
        M::Acosh => Op::Acosh,
        M::Atanh => Op::Atanh,
        M::Ceil => Op::Ceil,
        M::Floor => Op::Floor,
        M::Round => Op::Round,
        M::Trunc => Op::Trunc,
        M::Exp => Op::Exp,
        M::Exp2 => Op::Exp2,
        M::Log => Op::Log,
        M::Log2 => Op::Log2,
        M::Pow => Op::Pow,
        M::Fma => Op::Fma,
        M::Sqrt => Op::Sqrt,
        M::CountTrailingZeros => Op::TrailingZeros,
        M::CountLeadingZeros => Op::LeadingZeros,
        M::CountOneBits => Op::CountOnes,
        M::ReverseBits => Op::ReverseBits,
        _ => return None,
    })
}

impl Lower<'_> {
    /// A call of a built-in function whose result has type `ty`.
    pub fn math(&mut self, fun: M, arguments: &[Rvalue], ty: Ty) -> Outcome<Rvalue> {
        let leaves: Leaves = match fun {
            M::Transpose => {
                let columns = self.leaves(&arguments[0])?;
                self.transpose(&columns)
            }
            M::Determinant => [self.determinant(&arguments[0])?].into_iter().collect(),
            M::Inverse => self.inverse(&arguments[0])?,
            _ => {
                let mut v = Leaves::new();
                for argument in arguments {
                    v.push(self.leaves(argument)?[0]);
                }
                match fun {
                    M::Outer => self.outer(v[0], v[1])?,
                    M::Modf => self.modf(v[0]),
                    M::Frexp => self.frexp(v[0])?,
                    _ => [self.function(fun, &v)?].into_iter().collect(),
                }
            }
        };
        Ok(self.of_leaves(ty, leaves))
    }

    /// A function of scalars and vectors that gives one.
    fn function(&mut self, fun: M, v: &[Value]) -> Outcome<Value> {
        let ty = self.code.ty(v[0]);
        if let Some(op) = operation(fun) {
            let expanded = op.info().rule == Rule::Same(MATH, v.len() as u8);
            if expanded && !MATH.has(ty.scalar) {
                return Err(self.undefined(fun, ty));
            }
            return Ok(self.code.op(op, v));
        }
        if let Some(value) = self.bits_function(fun, v) {
            return Ok(value);
        }
        if let Some(value) = self.packing(fun, v) {
            return Ok(value);
        }
        Ok(match fun {
            M::Abs if ty.scalar.is_float() || ty.scalar.is_signed() => self.code.op(Op::Abs, v),
            M::Abs => v[0],
            M::Clamp => self.clamp(v[0], v[1], v[2]),
            M::Saturate => self.saturate(v[0]),
            M::Radians => self.scaled(v[0], 0.017453292519943295),
            M::Degrees => self.scaled(v[0], 57.29577951308232),
            M::Fract => {
                let floor = self.code.op(Op::Floor, v);
                self.code.op(Op::Sub, &[v[0], floor])
            }
            M::InverseSqrt if MATH.has(ty.scalar) => self.code.op(Op::InverseSqrt, v),
            M::InverseSqrt => {
                let (one, root) = (self.code.number(ty, 1.0), self.code.op(Op::Sqrt, v));
                self.code.op(Op::Div, &[one, root])
            }
            M::Ldexp => self.ldexp(v[0], v[1]),
            M::Dot => self.dot(v[0], v[1]),
            M::Cross => self.cross(v[0], v[1]),
            M::Length => self.length(v[0]),
            M::Distance => {
                let difference = self.code.op(Op::Sub, v);
                self.length(difference)
            }
            M::Normalize => {
                let length = self.length(v[0]);
                let length = self.code.splat_like(length, v[0]);
                self.code.op(Op::Div, &[v[0], length])
            }
            M::FaceForward => {
                let dot = self.dot(v[1], v[2]);
                let zero = self.code.bits(self.code.ty(dot), 0);
                let (away, back) = (self.code.op(Op::Lt, &[dot, zero]), self.code.op(Op::Neg, &[v[0]]));
                self.code.select(away, v[0], back)
            }
            M::Reflect => {
                let dot = self.dot(v[1], v[0]);
                let two = self.code.number(ty.scalar, 2.0);
                let twice = self.code.op(Op::Mul, &[two, dot]);
                let twice = self.code.splat_like(twice, v[0]);
                let part = self.code.op(Op::Mul, &[twice, v[1]]);
                self.code.op(Op::Sub, &[v[0], part])
            }
            M::Refract => self.refract(v[0], v[1], v[2]),
            M::Sign => self.sign(v[0]),
            M::Mix => {
                let ratio = self.code.splat_like(v[2], v[0]);
                let one = self.code.number(ty, 1.0);
                let rest = self.code.op(Op::Sub, &[one, ratio]);
                let (a, b) = (self.code.op(Op::Mul, &[v[0], rest]), self.code.op(Op::Mul, &[v[1], ratio]));
                self.code.op(Op::Add, &[a, b])
            }
            M::Step => {
                let (one, zero) = (self.code.number(ty, 1.0), self.code.bits(ty, 0));
                let reached = self.code.op(Op::Le, v);
                self.code.op(Op::Select, &[reached, one, zero])
            }
            M::SmoothStep => {
                let (range, above) =
                    (self.code.op(Op::Sub, &[v[1], v[0]]), self.code.op(Op::Sub, &[v[2], v[0]]));
                let t = self.code.op(Op::Div, &[above, range]);
                let t = self.saturate(t);
                let (two, three) = (self.code.number(ty, 2.0), self.code.number(ty, 3.0));
                let double = self.code.op(Op::Mul, &[two, t]);
                let rest = self.code.op(Op::Sub, &[three, double]);
                let square = self.code.op(Op::Mul, &[t, t]);
                self.code.op(Op::Mul, &[square, rest])
            }
            M::QuantizeToF16 => {
                let half = self.code.convert(v[0], Scalar::F16);
                self.code.convert(half, Scalar::F32)
            }
            _ => return Err(self.undefined(fun, ty)),
        })
    }

    fn undefined(&self, fun: M, ty: Type) -> Box<Diagnostic> {
        let name = format!("{fun:?}").to_lowercase();
        Box::new(
            Diagnostic::new(codes::I021, format!("the function `{name}` is not defined for {ty}"))
                .at(self.code.b.loc, "here")
                .fix("Convert the operand to f32."),
        )
    }

    pub fn clamp(&mut self, value: Value, low: Value, high: Value) -> Value {
        let above = self.code.op(Op::Max, &[value, low]);
        self.code.op(Op::Min, &[above, high])
    }

    fn saturate(&mut self, value: Value) -> Value {
        let ty = self.code.ty(value);
        let (zero, one) = (self.code.bits(ty, 0), self.code.number(ty, 1.0));
        self.clamp(value, zero, one)
    }

    fn scaled(&mut self, value: Value, factor: f64) -> Value {
        let factor = self.code.rounded(self.code.ty(value), factor);
        self.code.op(Op::Mul, &[value, factor])
    }

    fn length(&mut self, value: Value) -> Value {
        if self.code.ty(value).lanes == 1 {
            return self.code.op(Op::Abs, &[value]);
        }
        let square = self.dot(value, value);
        self.code.op(Op::Sqrt, &[square])
    }

    fn cross(&mut self, a: Value, b: Value) -> Value {
        let (a, b) = (self.code.scalars(a), self.code.scalars(b));
        let lanes: Leaves = [(1, 2), (2, 0), (0, 1)]
            .into_iter()
            .map(|(i, j)| {
                let (p, q) = (self.code.op(Op::Mul, &[a[i], b[j]]), self.code.op(Op::Mul, &[a[j], b[i]]));
                self.code.op(Op::Sub, &[p, q])
            })
            .collect();
        self.code.compose(&lanes)
    }

    fn refract(&mut self, incident: Value, normal: Value, ratio: Value) -> Value {
        let dot = self.dot(normal, incident);
        let one = self.code.number(self.code.ty(ratio), 1.0);
        let square = self.code.op(Op::Mul, &[dot, dot]);
        let rest = self.code.op(Op::Sub, &[one, square]);
        let part = self.code.op(Op::Mul, &[ratio, ratio]);
        let part = self.code.op(Op::Mul, &[part, rest]);
        let k = self.code.op(Op::Sub, &[one, part]);
        let along = self.code.op(Op::Mul, &[ratio, dot]);
        let root = self.code.op(Op::Sqrt, &[k]);
        let along = self.code.op(Op::Add, &[along, root]);
        let (ratio, along) = (self.code.splat_like(ratio, incident), self.code.splat_like(along, incident));
        let (a, b) = (self.code.op(Op::Mul, &[ratio, incident]), self.code.op(Op::Mul, &[along, normal]));
        let through = self.code.op(Op::Sub, &[a, b]);
        let zero = self.code.bits(self.code.ty(k), 0);
        let total = self.code.op(Op::Lt, &[k, zero]);
        let nothing = self.code.bits(self.code.ty(incident), 0);
        self.code.select(total, nothing, through)
    }

    fn sign(&mut self, value: Value) -> Value {
        let ty = self.code.ty(value);
        let zero = self.code.bits(ty, 0);
        let one = self.code.number(ty, 1.0);
        let above = self.code.op(Op::Lt, &[zero, value]);
        let positive = self.code.op(Op::Select, &[above, one, zero]);
        if !ty.scalar.is_float() && !ty.scalar.is_signed() {
            return positive;
        }
        let minus = self.code.number(ty, -1.0);
        let below = self.code.op(Op::Lt, &[value, zero]);
        self.code.op(Op::Select, &[below, minus, positive])
    }

    /// Fraction and whole part.
    fn modf(&mut self, value: Value) -> Leaves {
        let whole = self.code.op(Op::Trunc, &[value]);
        let fraction = self.code.op(Op::Sub, &[value, whole]);
        [fraction, whole].into_iter().collect()
    }

    /// Fraction of magnitude 0.5 to 1 and exponent; zero, infinities and NaN give themselves and 0.
    fn frexp(&mut self, value: Value) -> Outcome<Leaves> {
        let ty = self.code.ty(value);
        let Format { digits, bias, word } = Format::of(ty.scalar);
        let int = ty.with(word);
        // Subnormals are scaled to normal numbers first.
        let scale = self.code.number(ty, 2f64.powi(digits));
        let magnitude = self.code.op(Op::Abs, &[value]);
        let least = self.code.number(ty, 2f64.powi(1 - bias));
        let subnormal = self.code.op(Op::Lt, &[magnitude, least]);
        let scaled = self.code.op(Op::Mul, &[value, scale]);
        let normal = self.code.op(Op::Select, &[subnormal, scaled, value]);
        let bits = self.code.bitcast(normal, word);
        let shift = self.code.u32_like(value, digits as u32 - 1);
        let exponent_mask = self.code.bits(int, 2 * bias as u64 + 1);
        let raw = self.code.op(Op::Shr, &[bits, shift]);
        let raw = self.code.op(Op::And, &[raw, exponent_mask]);
        let field = (2 * bias as u64 + 1) << (digits - 1);
        let (others, half) =
            (self.code.bits(int, !field), self.code.bits(int, (bias as u64 - 1) << (digits - 1)));
        let kept = self.code.op(Op::And, &[bits, others]);
        let fraction = self.code.op(Op::Or, &[kept, half]);
        let fraction = self.code.bitcast(fraction, ty.scalar);
        let exponent = self.code.convert(raw, Scalar::I32);
        let i32s = ty.with(Scalar::I32);
        let offset = self.code.number(i32s, (bias - 1) as f64);
        let exponent = self.code.op(Op::Sub, &[exponent, offset]);
        let up = self.code.number(i32s, digits as f64);
        let lowered = self.code.op(Op::Sub, &[exponent, up]);
        let exponent = self.code.op(Op::Select, &[subnormal, lowered, exponent]);
        let (zero, infinity) = (self.code.bits(ty, 0), self.code.number(ty, f64::INFINITY));
        let (above, finite) =
            (self.code.op(Op::Lt, &[zero, magnitude]), self.code.op(Op::Lt, &[magnitude, infinity]));
        let split = self.code.op(Op::And, &[above, finite]);
        let none = self.code.bits(i32s, 0);
        Ok([
            self.code.op(Op::Select, &[split, fraction, value]),
            self.code.op(Op::Select, &[split, exponent, none]),
        ]
        .into_iter()
        .collect())
    }

    /// `value * 2^exponent`, rounded once.
    fn ldexp(&mut self, value: Value, exponent: Value) -> Value {
        let ty = self.code.ty(value);
        if ty.scalar == Scalar::F16 {
            // f32 holds every intermediate value exactly, so the conversion rounds once.
            let wide = self.code.convert(value, Scalar::F32);
            let ints = self.code.ty(exponent);
            let (low, high) = (self.code.number(ints, -100.0), self.code.number(ints, 100.0));
            let exponent = self.clamp(exponent, low, high);
            let scaled = self.ldexp(wide, exponent);
            return self.code.convert(scaled, Scalar::F16);
        }
        let Format { digits, bias, word } = Format::of(ty.scalar);
        let ints = self.code.ty(exponent);
        // Two steps reach every result. A step down leaves room for all digits, so that only the last one rounds.
        let (up, down) = (bias, -(bias - 1) + digits);
        let (mut value, mut exponent) = (value, exponent);
        for _ in 0..2 {
            let (most, least) =
                (self.code.number(ints, up as f64), self.code.number(ints, (1 - bias) as f64));
            let large = self.code.op(Op::Lt, &[most, exponent]);
            let small = self.code.op(Op::Lt, &[exponent, least]);
            let (grown, shrunk) = (self.scaled(value, 2f64.powi(up)), self.scaled(value, 2f64.powi(down)));
            value = self.code.op(Op::Select, &[small, shrunk, value]);
            value = self.code.op(Op::Select, &[large, grown, value]);
            let (by_up, by_down) = (self.code.number(ints, up as f64), self.code.number(ints, down as f64));
            let (less, more) =
                (self.code.op(Op::Sub, &[exponent, by_up]), self.code.op(Op::Sub, &[exponent, by_down]));
            exponent = {
                let shrunk = self.code.op(Op::Select, &[small, more, exponent]);
                self.code.op(Op::Select, &[large, less, shrunk])
            };
        }
        let (low, high) = (self.code.number(ints, (1 - bias) as f64), self.code.number(ints, bias as f64));
        let exponent = self.clamp(exponent, low, high);
        let offset = self.code.number(ints, bias as f64);
        let raw = self.code.op(Op::Add, &[exponent, offset]);
        let raw = self.code.convert(raw, word);
        let shift = self.code.u32_like(value, digits as u32 - 1);
        let power = self.code.op(Op::Shl, &[raw, shift]);
        let power = self.code.bitcast(power, ty.scalar);
        self.code.op(Op::Mul, &[value, power])
    }
}

/// A binary format: digits of the significand with the leading one, exponent bias, integer of the same width.
struct Format {
    digits: i32,
    bias: i32,
    word: Scalar,
}

impl Format {
    fn of(scalar: Scalar) -> Format {
        match scalar {
            Scalar::F16 => Format { digits: 11, bias: 15, word: Scalar::U16 },
            Scalar::F64 => Format { digits: 53, bias: 1023, word: Scalar::U64 },
            _ => Format { digits: 24, bias: 127, word: Scalar::U32 },
        }
    }
}
