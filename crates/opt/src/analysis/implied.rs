//! What follows from a condition: the conditions that it is made of, and what they then are.
//!
//! A condition is taken apart through `not`, through the `and` and `or` whose operands it decides, and through choices of
//! which one side cannot give it. That is how a `break` arrives: as a branch that gives `false` on one side.

use vyre_ir::{Def, Op, Program, Value};

/// How many operations back conditions are taken apart.
pub(crate) const DEPTH: u32 = 16;

/// How many conditions are taken apart that follow from one.
const MOST: usize = 64;

/// A condition that is known to be something.
pub(crate) struct Part {
    pub condition: Value,
    pub is: bool,
    /// Whether it was not taken apart: what it says is not said by other parts.
    pub whole: bool,
}

/// The conditions that are known if one is, which is the first of them.
pub(crate) fn parts(p: &Program, condition: Value, is: bool) -> Vec<Part> {
    let mut parts = Vec::new();
    take_apart(p, condition, is, &mut parts, DEPTH);
    parts
}

fn take_apart(p: &Program, condition: Value, is: bool, parts: &mut Vec<Part>, depth: u32) {
    let operands = if depth == 0 || parts.len() >= MOST { None } else { operands(p, condition, is) };
    parts.push(Part { condition, is, whole: operands.is_none() });
    for (operand, is) in operands.into_iter().flatten().flatten() {
        take_apart(p, operand, is, parts, depth - 1);
    }
}

/// What a condition that can be taken apart is made of.
fn operands(p: &Program, condition: Value, is: bool) -> Option<[Option<(Value, bool)>; 2]> {
    let Def::Result(inst) = p.values[condition].def else { return None };
    let data = &p.insts[inst];
    let choice = |c: Value, sides: [Value; 2]| {
        // The only side that can be `is`.
        let side = match sides.map(|v| p.splat_constant(v) == Some(!is as u64)) {
            [true, false] => 1,
            [false, true] => 0,
            _ => return None,
        };
        Some([Some((c, side == 0)), Some((sides[side], is))])
    };
    match (data.op, &data.args[..], is) {
        (Op::Not, &[a], _) => Some([Some((a, !is)), None]),
        (Op::And, &[a, b], true) | (Op::Or, &[a, b], false) => Some([Some((a, is)), Some((b, is))]),
        (Op::Select, &[c, a, b], _) => choice(c, [a, b]),
        (Op::If, &[c], _) => {
            let i = data.results.iter().position(|&r| r == condition)?;
            choice(c, [0, 1].map(|side| p.yielded(data.regions[side])[i]))
        }
        _ => None,
    }
}
