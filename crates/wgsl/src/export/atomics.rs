//! Atomic operations on a unit of a buffer.
//!
//! naga has the functions of integers, and f32 sums for storage memory of devices that have them. All else is a loop
//! around compare-and-exchange: other f32 sums, f32 extrema, and extrema of the other sign than the buffer's unit.

use super::code::{Code, Val};
use super::memory::Plan;
use naga::{AtomicFunction, Expression, Handle, Statement};
use vyre_ir::{Op, Scalar};

type Expr = Handle<Expression>;

/// The function with the row's meaning, where naga has it.
fn function(op: Op) -> AtomicFunction {
    match op {
        Op::AtomicAdd => AtomicFunction::Add,
        Op::AtomicSub => AtomicFunction::Subtract,
        Op::AtomicAnd => AtomicFunction::And,
        Op::AtomicOr => AtomicFunction::InclusiveOr,
        Op::AtomicXor => AtomicFunction::ExclusiveOr,
        Op::AtomicMin => AtomicFunction::Min,
        Op::AtomicMax => AtomicFunction::Max,
        Op::AtomicExchange => AtomicFunction::Exchange { compare: None },
        _ => unreachable!("`{}` is not an atomic operation with one operand", op.name()),
    }
}

impl Plan {
    /// An atomic operation with one operand, at an index that is inside. Gives the old value if it is wanted.
    pub fn atomic(&self, code: &mut Code, op: Op, index: Val, value: Val, wanted: bool) -> Option<Val> {
        let scalar = value.ty.scalar;
        let pointer = self.pointer(code, index);
        let by_sign = matches!(op, Op::AtomicMin | Op::AtomicMax) && scalar != self.unit;
        let by_float = scalar.is_float() && self.unit != scalar && op != Op::AtomicExchange;
        if by_sign || by_float {
            let step = op.info().update.expect("every atomic operation but the exchange has one");
            let old = self.atomic_loop(code, pointer, scalar, |code, old| code.op(step, &[old, value]));
            return Some(old);
        }
        let bits = code.bitcast(value, self.unit);
        let wanted = wanted || op == Op::AtomicExchange;
        let ty = code.ty(self.unit.into());
        let result = wanted.then(|| code.declare(Expression::AtomicResult { ty, comparison: false }));
        let value = code.get(bits);
        code.statement(Statement::Atomic { pointer, fun: function(op), value, result });
        result.map(|old| code.bitcast(Val::expr(self.unit, old), scalar))
    }

    fn atomic_loop(
        &self,
        code: &mut Code,
        pointer: Expr,
        scalar: Scalar,
        next: impl FnOnce(&mut Code, Val) -> Val,
    ) -> Val {
        let seen = code.variable("seen", self.unit.into());
        let first = code.read(self.unit, pointer);
        code.assign(seen, first);
        let begun = code.begin_loop();
        let expected = code.read(self.unit, seen);
        let old = code.bitcast(expected, scalar);
        let new = next(code, old);
        let new = code.bitcast(new, self.unit);
        let (old, exchanged) = self.exchange_weak(code, pointer, expected, new);
        code.assign(seen, old);
        code.end_loop(begun, exchanged);
        let old = code.read(self.unit, seen);
        code.bitcast(old, scalar)
    }

    /// Compare-and-exchange, at an index that is inside: the old value, and whether it was exchanged. Repeated while
    /// it fails although the values are equal, which naga's may do.
    pub fn compare_exchange(&self, code: &mut Code, index: Val, expected: Val, new: Val) -> [Val; 2] {
        let pointer = self.pointer(code, index);
        let (scalar, unit) = (new.ty.scalar, self.unit);
        let [expected, new] = [expected, new].map(|v| code.bitcast(v, unit));
        let old_variable = code.variable("old", unit.into());
        let done_variable = code.variable("exchanged", Scalar::Bool.into());
        let begun = code.begin_loop();
        let (old, exchanged) = self.exchange_weak(code, pointer, expected, new);
        code.assign(old_variable, old);
        code.assign(done_variable, exchanged);
        let differs = code.op(Op::Ne, &[old, expected]);
        let settled = code.op(Op::Or, &[exchanged, differs]);
        code.end_loop(begun, settled);
        let old = code.read(unit, old_variable);
        let exchanged = code.read(Scalar::Bool, done_variable);
        [code.bitcast(old, scalar), exchanged]
    }

    fn exchange_weak(&self, code: &mut Code, pointer: Expr, expected: Val, new: Val) -> (Val, Val) {
        let scalar = super::types::scalar(self.unit);
        let predeclared = naga::PredeclaredType::AtomicCompareExchangeWeakResult(scalar);
        let ty = code.module.generate_predeclared_type(predeclared);
        let (compare, value) = (code.get(expected), code.get(new));
        let result = code.declare(Expression::AtomicResult { ty, comparison: true });
        let fun = AtomicFunction::Exchange { compare: Some(compare) };
        code.statement(Statement::Atomic { pointer, fun, value, result: Some(result) });
        let old = code.value(self.unit, Expression::AccessIndex { base: result, index: 0 });
        let exchanged = code.value(Scalar::Bool, Expression::AccessIndex { base: result, index: 1 });
        (old, exchanged)
    }
}
