//! Loops that count: how often one can turn at most, and how large its counter gets.
//!
//! A loop counts when going on implies two things: that a counter was (or now is) below a constant, and that its next
//! value is the counter plus a positive constant. What going on implies is read off the values that it comes from: a
//! comparison, an `and`, or an `if` that gives `false` on its other side, which is how a `break` arrives here.

use vyre_ir::{Def, Inst, InstData, Op, Program, Region, Scalar, Value};

/// How many operations back to look.
const DEPTH: u32 = 16;

/// What is known of a loop that counts.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct Counted {
    /// The counter, a parameter of the loop's body.
    pub counter: Value,
    /// The largest number it can be in the body; it is never negative.
    pub largest: u32,
    /// How often the body runs at most.
    pub turns: u64,
}

/// What holds when the loop goes on.
#[derive(Default)]
struct Implied {
    /// `a < b`.
    less: Vec<(Value, Value)>,
    /// Branches and the side that was taken.
    taken: Vec<(Inst, Region)>,
}

/// What is known of a loop, if it counts.
pub fn counted(p: &Program, data: &InstData) -> Option<Counted> {
    let body = data.regions[0];
    let yielded = p.yielded(body);
    let mut implied = Implied::default();
    imply(p, yielded[0], true, &mut implied, DEPTH);
    let counters = p.regions[body].params.iter().zip(&yielded[1..]).zip(&data.args);
    counters.into_iter().find_map(|((&counter, &next), &first)| {
        let first = small(p, first)?;
        let next = follow(p, next, &implied);
        let step = step(p, counter, next).filter(|step| *step > 0)?;
        implied.less.iter().find_map(|&(a, b)| {
            let limit = small(p, b)?;
            // `next` is below the limit, or the counter is.
            let last = if follow(p, a, &implied) == next {
                limit.checked_sub(1)?
            } else if a == counter {
                limit.checked_sub(1)?.checked_add(step)?
            } else {
                return None;
            };
            // Counting stays below the numbers that a sign or wrapping would spoil.
            let largest = last.max(first);
            (largest.checked_add(step)? <= i32::MAX as u32).then(|| Counted {
                counter,
                largest,
                turns: (largest - first) as u64 / step as u64 + 1,
            })
        })
    })
}

/// A constant that is no negative number.
fn small(p: &Program, value: Value) -> Option<u32> {
    let bits = p.splat_constant(value)?;
    let is_index = p.ty(value) == Scalar::U32.into() || p.ty(value) == Scalar::I32.into();
    (is_index && bits <= i32::MAX as u64).then_some(bits as u32)
}

/// `next - counter`, if `next` is a sum of the counter and a constant.
fn step(p: &Program, counter: Value, next: Value) -> Option<u32> {
    let data = p.producer(next)?;
    match (data.op, &data.args[..]) {
        (Op::Add, &[a, b]) if a == counter => small(p, b),
        (Op::Add, &[a, b]) if b == counter => small(p, a),
        _ => None,
    }
}

/// The value that a result of a branch is, where it is known which side was taken.
fn follow(p: &Program, mut value: Value, implied: &Implied) -> Value {
    for _ in 0..DEPTH {
        let Def::Result(inst) = p.values[value].def else { break };
        let Some(&(_, side)) = implied.taken.iter().find(|(branch, _)| *branch == inst) else { break };
        let Some(i) = p.insts[inst].results.iter().position(|&r| r == value) else { break };
        value = p.yielded(side)[i];
    }
    value
}

/// Notes what holds if a condition is `is`.
fn imply(p: &Program, condition: Value, is: bool, implied: &mut Implied, depth: u32) {
    let Def::Result(inst) = p.values[condition].def else { return };
    let data = &p.insts[inst];
    if depth == 0 {
        return;
    }
    match (data.op, &data.args[..], is) {
        (Op::Lt, &[a, b], true) | (Op::Le, &[b, a], false) => implied.less.push((a, b)),
        (Op::Not, &[a], _) => imply(p, a, !is, implied, depth - 1),
        (Op::And, &[a, b], true) | (Op::Or, &[a, b], false) => {
            imply(p, a, is, implied, depth - 1);
            imply(p, b, is, implied, depth - 1);
        }
        (Op::Select, &[c, a, b], _) => match [a, b].map(|v| p.splat_constant(v) == Some(!is as u64)) {
            [true, false] => {
                imply(p, c, false, implied, depth - 1);
                imply(p, b, is, implied, depth - 1);
            }
            [false, true] => {
                imply(p, c, true, implied, depth - 1);
                imply(p, a, is, implied, depth - 1);
            }
            _ => {}
        },
        (Op::If, &[c], _) => {
            let Some(i) = data.results.iter().position(|&r| r == condition) else { return };
            let sides = [data.regions[0], data.regions[1]];
            let side = match sides.map(|r| p.splat_constant(p.yielded(r)[i]) == Some(!is as u64)) {
                [true, false] => 1,
                [false, true] => 0,
                _ => return,
            };
            implied.taken.push((inst, sides[side]));
            imply(p, c, side == 0, implied, depth - 1);
            imply(p, p.yielded(sides[side])[i], is, implied, depth - 1);
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The largest counter and the turns of the first loop of a body.
    fn check(body: &str, expect: Option<(u32, u64)>) {
        let text = format!(
            "program p workgroup(1, 1, 1) {{
              %u0: u32 = const 0
              %u3: u32 = const 3
              %u10: u32 = const 10
              %i0: i32 = const 0
              %i2: i32 = const 2
              %i9: i32 = const 9
              %m1: i32 = const -1
              %t: bool = const true
              %f: bool = const false
              {body}
            }}"
        );
        let p = vyre_ir::text::parse("test.vyre", &text).unwrap_or_else(|e| panic!("{}", e[0]));
        let mut loops = Vec::new();
        p.walk(p.body, &mut |inst| loops.extend((p.insts[inst].op == Op::Loop).then_some(inst)));
        let found = counted(&p, &p.insts[loops[0]]).map(|c| (c.largest, c.turns));
        assert_eq!(found, expect, "{body}");
    }

    #[test]
    fn loops() {
        // 0 3 6 9
        check(
            "%r: u32 = loop (%i: u32 = %u0) {
               %n: u32 = add %i, %u3
               %c: bool = lt %n, %u10
               yield %c, %n
             }",
            Some((9, 4)),
        );
        // 0 2 4 6 8 10; the body runs once more, without going on.
        check(
            "%r: i32 = loop (%i: i32 = %i0) {
               %c: bool = lt %i, %i9
               %go: bool, %j: i32 = if %c {
                 %n: i32 = add %i, %i2
                 yield %t, %n
               } else {
                 yield %f, %i
               }
               yield %go, %j
             }",
            Some((10, 6)),
        );
        // Going on while not (9 <= i), and another condition.
        check(
            "%r: i32, %s: bool = loop (%i: i32 = %i2, %b: bool = %t) {
               %c: bool = le %i9, %i
               %d: bool = not %c
               %e: bool = and %b, %d
               %n: i32 = add %i2, %i
               yield %e, %n, %b
             }",
            Some((10, 5)),
        );
        // Counting down, by a step that is no constant, from a negative number, without a limit.
        check(
            "%r: i32 = loop (%i: i32 = %i9) {\n %n: i32 = add %i, %m1\n %c: bool = lt %i0, %n\n yield %c, %n\n }",
            None,
        );
        check(
            "%r: i32 = loop (%i: i32 = %i9) {\n %n: i32 = add %i, %i\n %c: bool = lt %n, %i9\n yield %c, %n\n }",
            None,
        );
        check(
            "%r: i32 = loop (%i: i32 = %m1) {\n %n: i32 = add %i, %i2\n %c: bool = lt %n, %i9\n yield %c, %n\n }",
            None,
        );
        check("%r: u32 = loop (%i: u32 = %u0) {\n %n: u32 = add %i, %u3\n yield %t, %n\n }", None);
        // The limit holds on the side where the loop ends.
        check(
            "%r: u32 = loop (%i: u32 = %u0) {
               %n: u32 = add %i, %u3
               %c: bool = lt %i, %u10
               %go: bool = if %c {
 yield %f
 } else {
 yield %t
 }
               yield %go, %n
             }",
            None,
        );
    }
}
