//! Operators, relations and conversions.

use super::lower::{Lower, Outcome};
use super::types::{Kind, Ty, scalar};
use super::value::{Leaves, Rvalue};
use naga::{BinaryOperator as B, RelationalFunction, ScalarKind, UnaryOperator};
use vyre_ir::*;

impl Lower<'_> {
    pub fn unary(&mut self, op: UnaryOperator, value: &Rvalue) -> Outcome<Rvalue> {
        let op = match op {
            UnaryOperator::Negate => Op::Neg,
            UnaryOperator::LogicalNot | UnaryOperator::BitwiseNot => Op::Not,
        };
        self.each(value, |code, v| code.op(op, &[v]))
    }

    /// Applies a function to every leaf.
    pub fn each(
        &mut self,
        value: &Rvalue,
        mut apply: impl FnMut(&mut super::code::Code, Value) -> Value,
    ) -> Outcome<Rvalue> {
        let leaves = self.leaves(value)?.iter().map(|&v| apply(&mut self.code, v)).collect();
        Ok(self.of_leaves(value.ty, leaves))
    }

    pub fn is_matrix(&self, ty: Ty) -> bool {
        matches!(self.types[ty].kind, Kind::Array { matrix: true, .. })
    }

    pub fn binary(&mut self, op: B, left: &Rvalue, right: &Rvalue, ty: Ty) -> Outcome<Rvalue> {
        let (l, r) = (self.leaves(left)?, self.leaves(right)?);
        let leaves: Leaves = match (op, self.is_matrix(left.ty), self.is_matrix(right.ty)) {
            (_, false, false) => [self.arithmetic(op, l[0], r[0])?].into_iter().collect(),
            (B::Multiply, true, true) => r.iter().map(|&column| self.matrix_vector(&l, column)).collect(),
            (B::Multiply, true, false) if self.code.ty(r[0]).lanes > 1 => {
                [self.matrix_vector(&l, r[0])].into_iter().collect()
            }
            (B::Multiply, false, true) if self.code.ty(l[0]).lanes > 1 => {
                let dots: Leaves = r.iter().map(|&column| self.dot(l[0], column)).collect();
                [self.code.compose(&dots)].into_iter().collect()
            }
            // Column by column; a scalar takes part in each.
            (_, of_left, of_right) => {
                let n = l.len().max(r.len());
                let mut leaves = Leaves::new();
                for i in 0..n {
                    let a = if of_left { l[i] } else { l[0] };
                    let b = if of_right { r[i] } else { r[0] };
                    leaves.push(self.arithmetic(op, a, b)?);
                }
                leaves
            }
        };
        Ok(self.of_leaves(ty, leaves))
    }

    fn arithmetic(&mut self, op: B, left: Value, right: Value) -> Outcome<Value> {
        // Only products mix scalars and vectors.
        let (a, b) = (self.code.splat_like(left, right), self.code.splat_like(right, left));
        let code = &mut self.code;
        Ok(match op {
            B::Add => code.op(Op::Add, &[a, b]),
            B::Subtract => code.op(Op::Sub, &[a, b]),
            B::Multiply => code.op(Op::Mul, &[a, b]),
            B::Divide => code.op(Op::Div, &[a, b]),
            B::Modulo => code.op(Op::Rem, &[a, b]),
            B::Equal => code.op(Op::Eq, &[a, b]),
            B::NotEqual => code.op(Op::Ne, &[a, b]),
            B::Less => code.op(Op::Lt, &[a, b]),
            B::LessEqual => code.op(Op::Le, &[a, b]),
            B::Greater => code.op(Op::Lt, &[b, a]),
            B::GreaterEqual => code.op(Op::Le, &[b, a]),
            B::And | B::LogicalAnd => code.op(Op::And, &[a, b]),
            B::InclusiveOr | B::LogicalOr => code.op(Op::Or, &[a, b]),
            B::ExclusiveOr => code.op(Op::Xor, &[a, b]),
            B::ShiftLeft | B::ShiftRight => {
                // The amount counts modulo the width, so its low bits are enough.
                let amount = code.convert(b, Scalar::U32);
                code.op(if op == B::ShiftLeft { Op::Shl } else { Op::Shr }, &[a, amount])
            }
        })
    }

    pub fn relational(&mut self, fun: RelationalFunction, value: Value) -> Value {
        match fun {
            RelationalFunction::All | RelationalFunction::Any => {
                let op = if fun == RelationalFunction::All { Op::And } else { Op::Or };
                let lanes = self.code.scalars(value);
                lanes[1..].iter().fold(lanes[0], |a, &b| self.code.op(op, &[a, b]))
            }
            RelationalFunction::IsNan => self.code.op(Op::Ne, &[value, value]),
            RelationalFunction::IsInf => {
                let infinity = self.code.number(self.code.ty(value), f64::INFINITY);
                let magnitude = self.code.op(Op::Abs, &[value]);
                self.code.op(Op::Eq, &[magnitude, infinity])
            }
        }
    }

    /// A conversion to a kind of scalar of a width, or without a width the same bits.
    pub fn cast(&mut self, value: &Rvalue, kind: ScalarKind, width: Option<u8>) -> Outcome<Rvalue> {
        let leaves = self.leaves(value)?;
        let from = self.code.ty(leaves[0]).scalar;
        let to = scalar(naga::Scalar { kind, width: width.unwrap_or(from.bytes() as u8) });
        let Some(to) = to else { return Err(self.unsupported("a conversion to this type")) };
        let bits = width.is_none() && to != Scalar::Bool && from != Scalar::Bool;
        let leaves: Leaves = leaves
            .iter()
            .map(|&v| if bits { self.code.bitcast(v, to) } else { self.convert(v, to) })
            .collect();
        if self.is_matrix(value.ty) {
            let ty = self.types.matrix(self.code.ty(leaves[0]), leaves.len() as u8);
            return Ok(self.of_leaves(ty, leaves));
        }
        Ok(self.of_value(leaves[0]))
    }

    /// A numeric conversion. A float beyond the integers becomes the nearest integer that the float's type can hold;
    /// infinities too; NaN becomes 0.
    fn convert(&mut self, value: Value, to: Scalar) -> Value {
        let ty = self.code.ty(value);
        if to == Scalar::Bool && ty.scalar != Scalar::Bool {
            let zero = self.code.bits(ty, 0);
            return self.code.op(Op::Ne, &[value, zero]);
        }
        let mut value = value;
        if ty.scalar.is_float() && to.is_int() {
            if let Some(limit) = largest_in_both(ty.scalar, to) {
                let limit = self.code.number(ty, limit);
                let above = self.code.op(Op::Lt, &[limit, value]);
                value = self.code.op(Op::Select, &[above, limit, value]);
            }
            // The least integer is a power of two, so only a type of a smaller range cannot hold it.
            if ty.scalar == Scalar::F16 && to.is_signed() && to.bits() > 16 {
                let limit = self.code.number(ty, -65504.0);
                let below = self.code.op(Op::Lt, &[value, limit]);
                value = self.code.op(Op::Select, &[below, limit, value]);
            }
        }
        self.code.convert(value, to)
    }
}

/// The largest number that both types hold, when it is not the integer type's largest.
fn largest_in_both(float: Scalar, int: Scalar) -> Option<f64> {
    let digits = match float {
        Scalar::F16 => 11,
        Scalar::F32 => 24,
        _ => 53,
    };
    let bits = int.bits() - int.is_signed() as u32;
    if bits <= digits && !(float == Scalar::F16 && bits > 15) {
        return None;
    }
    let largest = (u64::MAX >> (64 - bits)) >> (bits - digits) << (bits - digits);
    Some(if float == Scalar::F16 { (largest as f64).min(65504.0) } else { largest as f64 })
}
