//! Guards: conditions that compare what counts up along a gang, so that most gangs are of one mind. Whether one is can be
//! told from its first and last lane, in scalars.

use super::{Build, Lanes};
use crate::form::Var;
use vyre_ir::{Op, Scalar, Sig, Value};
use vyre_opt::analysis::Shape;

/// How many operations back a condition is followed.
const DEPTH: u32 = 6;

impl Build<'_> {
    /// A uniform bool that is true only if all lanes of a condition are `is`; it may be false although they are. `None`
    /// where nothing is known of them.
    pub(super) fn agree(&mut self, condition: Value, is: bool) -> Option<Var> {
        self.agreed(condition, is, DEPTH)
    }

    fn agreed(&mut self, condition: Value, is: bool, depth: u32) -> Option<Var> {
        let p = self.p;
        if let Some(bits) = p.splat_constant(condition) {
            return Some(self.constant(Scalar::Bool, (bits == is as u64) as u64));
        }
        if self.find(condition).is_some_and(|lanes| !self.is_varying(lanes[0])) {
            let value = self.get(condition)[0];
            return Some(if is { value } else { self.logic(Op::Not, &[value]) });
        }
        let data = p.producer(condition).filter(|_| depth > 0)?;
        let args = &data.args;
        match (data.op, is) {
            (Op::Lt, true) => self.ordered(Op::Lt, args[0], args[1]),
            (Op::Le, true) => self.ordered(Op::Le, args[0], args[1]),
            (Op::Lt, false) => self.ordered(Op::Le, args[1], args[0]),
            (Op::Le, false) => self.ordered(Op::Lt, args[1], args[0]),
            (Op::Not, _) => self.agreed(args[0], !is, depth - 1),
            (Op::And, true) | (Op::Or, false) => self.joined(Op::And, args[0], is, args[1], is, depth),
            (Op::And, false) | (Op::Or, true) => self.joined(Op::Or, args[0], is, args[1], is, depth),
            (Op::Select, _) => {
                // A choice between something and a constant is an `and` or an `or`.
                let constant = |v: Value| p.splat_constant(v).map(|bits| (bits == 1) == is);
                match (constant(args[1]), constant(args[2])) {
                    (_, Some(true)) => self.joined(Op::Or, args[0], false, args[1], is, depth),
                    (_, Some(false)) => self.joined(Op::And, args[0], true, args[1], is, depth),
                    (Some(true), _) => self.joined(Op::Or, args[0], true, args[2], is, depth),
                    (Some(false), _) => self.joined(Op::And, args[0], false, args[2], is, depth),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    fn joined(&mut self, op: Op, x: Value, x_is: bool, y: Value, y_is: bool, depth: u32) -> Option<Var> {
        let (x, y) = (self.agreed(x, x_is, depth - 1), self.agreed(y, y_is, depth - 1));
        match (op, x, y) {
            (_, Some(x), Some(y)) => Some(self.logic(op, &[x, y])),
            // One of the two is enough.
            (Op::Or, x, y) => x.or(y),
            _ => None,
        }
    }

    /// Whether `x op y` for all lanes, of numbers of which each is uniform or counts up without wrapping.
    fn ordered(&mut self, op: Op, x: Value, y: Value) -> Option<Var> {
        let scalar = self.p.ty(x).scalar;
        if !matches!(scalar, Scalar::U32 | Scalar::I32) || self.p.ty(x).lanes != 1 {
            return None;
        }
        let (mut holds, [_, x_last]) = self.ends(x)?;
        let (counts, [y_first, _]) = self.ends(y)?;
        let sig = Sig { operand: scalar, result: Scalar::Bool };
        let compared = self.compute(op, sig, &[x_last, y_first]);
        holds.extend(counts);
        Some(holds.into_iter().fold(compared, |all, holds| self.logic(Op::And, &[all, holds])))
    }

    /// The first and last lane of a number, which are its least and largest if what is given too is true.
    fn ends(&mut self, value: Value) -> Option<(Vec<Var>, [Var; 2])> {
        let scalar = self.p.ty(value).scalar;
        // An earlier piece may have computed the condition, and its operands are not here.
        let first = self.find(value)?[0];
        let reach = match self.shape(value) {
            Shape::Uniform => return Some((Vec::new(), [first; 2])),
            Shape::Affine(stride) => stride.checked_mul(self.width - 1).filter(|&n| n <= i32::MAX as u32)?,
            Shape::Varying => return None,
        };
        let reach = self.constant(scalar, reach as u64);
        let last = self.compute(Op::Add, Sig { operand: scalar, result: scalar }, &[first, reach]);
        let sig = Sig { operand: scalar, result: Scalar::Bool };
        let up = self.compute(Op::Le, sig, &[first, last]);
        Some((vec![up], [first, last]))
    }

    /// Makes something with a condition computed anew, so that what was computed before is not needed where gangs are of
    /// one mind.
    pub(super) fn with_condition<T>(
        &mut self,
        condition: Value,
        make: impl FnOnce(&mut Self, Var) -> T,
    ) -> T {
        let mut before: Vec<(Value, Option<(u32, Lanes)>)> = Vec::new();
        self.anew(condition, &mut before, DEPTH);
        let mask = self.get(condition)[0];
        let result = make(self, mask);
        for (value, lanes) in before.into_iter().rev() {
            self.values[value] = lanes;
        }
        result
    }

    fn anew(&mut self, value: Value, before: &mut Vec<(Value, Option<(u32, Lanes)>)>, depth: u32) {
        let p = self.p;
        let vyre_ir::Def::Result(inst) = p.values[value].def else { return };
        let data = &p.insts[inst];
        let cheap = matches!(data.op, Op::Lt | Op::Le | Op::And | Op::Or | Op::Not | Op::Select);
        let known = |v: &Value| self.find(*v).is_some();
        if !cheap || depth == 0 || !data.args.iter().all(known) || !self.is_varying(self.get(value)[0]) {
            return;
        }
        data.args.iter().for_each(|&arg| self.anew(arg, before, depth - 1));
        before.push((value, self.values[value].clone()));
        self.inst(inst);
    }
}
