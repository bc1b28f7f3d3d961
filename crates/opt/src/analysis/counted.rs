//! Loops that count: how often one can turn at most, and how large its counter gets.
//!
//! A loop counts when going on implies two things: that a counter was (or now is) below a constant, and that its next
//! value is the counter plus a positive constant. What going on implies is read off the values that it comes from: a
//! comparison, an `and`, or an `if` that gives `false` on its other side, which is how a `break` arrives here.

use super::implied::{DEPTH, parts};
use vyre_ir::{Def, InstData, Op, Program, Scalar, Value};

/// What is known of a loop that counts.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct Counted {
    /// The counter, a parameter of the loop's body.
    pub counter: Value,
    /// What it is at first.
    pub first: u32,
    /// What is added to it each time.
    pub step: u32,
    /// The largest number it can be in the body; it is never negative, nor is it with the step added.
    pub largest: u32,
    /// How often the body runs at most.
    pub turns: u64,
    /// Whether the body runs just as often, always: nothing but the counter decides.
    pub exact: bool,
    /// The condition that ends counting, and what it is in every turn but the last of so many.
    pub limit: (Value, bool),
}

/// What holds when a loop goes on.
pub(crate) struct Implied {
    less: Vec<Less>,
    /// Conditions and what they are.
    pub known: Vec<(Value, bool)>,
    /// Whether it goes on whenever all of `less` holds.
    all: bool,
}

/// `a < b`, or `a <= b`.
struct Less {
    a: Value,
    b: Value,
    or_equal: bool,
    /// The condition that says so, and what it then is.
    condition: (Value, bool),
}

/// What is known of a loop, if it counts.
pub fn counted(p: &Program, data: &InstData) -> Option<Counted> {
    let body = data.regions[0];
    let yielded = p.yielded(body);
    let implied = Implied::by(p, yielded[0]);
    let counters = p.regions[body].params.iter().zip(&yielded[1..]).zip(&data.args);
    counters.into_iter().find_map(|((&counter, &next), &first)| {
        let first = small(p, first)?;
        let next = implied.follow(p, next);
        let step = step(p, counter, next).filter(|step| *step > 0)?;
        // The largest number the counter is if one of the conditions decides.
        let last = |less: &Less| {
            let limit = small(p, less.b)?.checked_add(less.or_equal as u32)?;
            // `next` is below the limit, or the counter is.
            if implied.follow(p, less.a) == next {
                limit.checked_sub(1)
            } else if less.a == counter {
                limit.checked_sub(1)?.checked_add(step)
            } else {
                None
            }
        };
        let lasts = implied.less.iter().filter_map(|less| Some((last(less)?, less.condition)));
        let (last_of_all, limit) = lasts.min_by_key(|(last, _)| *last)?;
        let exact = implied.all && implied.less.iter().all(|less| last(less).is_some());
        let turns = last_of_all.saturating_sub(first) / step + 1;
        let largest = first + (turns - 1) * step;
        // Counting stays below the numbers that a sign or wrapping would spoil.
        (largest.checked_add(step)? <= i32::MAX as u32).then_some(Counted {
            counter,
            first,
            step,
            largest,
            turns: turns as u64,
            exact,
            limit,
        })
    })
}

/// Conditions and what they are in every turn of a loop but the last.
pub fn known(p: &Program, data: &InstData) -> Vec<(Value, bool)> {
    Implied::by(p, p.yielded(data.regions[0])[0]).known
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

impl Implied {
    /// What holds if the condition of going on does.
    pub(crate) fn by(p: &Program, again: Value) -> Implied {
        let parts = parts(p, again, true);
        let known = parts.iter().map(|part| (part.condition, part.is)).collect();
        let mut implied = Implied { less: Vec::new(), known, all: true };
        for part in parts.iter().filter(|part| part.whole) {
            let condition = (part.condition, part.is);
            let Some(data) = p.producer(part.condition) else {
                implied.all = false;
                continue;
            };
            match (data.op, &data.args[..], part.is) {
                (Op::Const, ..) => implied.all &= p.splat_constant(part.condition) == Some(part.is as u64),
                (Op::Lt, &[a, b], true) | (Op::Le, &[b, a], false) => {
                    implied.less.push(Less { a, b, or_equal: false, condition });
                }
                (Op::Le, &[a, b], true) | (Op::Lt, &[b, a], false) => {
                    implied.less.push(Less { a, b, or_equal: true, condition });
                }
                _ => implied.all = false,
            }
        }
        implied
    }

    /// What a condition is, if that is known.
    pub(crate) fn is(&self, condition: Value) -> Option<bool> {
        self.known.iter().find(|(known, _)| *known == condition).map(|&(_, is)| is)
    }

    /// The value that a result of a branch or selection is, if it is known which side that is.
    pub(crate) fn side(&self, p: &Program, value: Value) -> Option<Value> {
        let Def::Result(inst) = p.values[value].def else { return None };
        let data = &p.insts[inst];
        if !matches!(data.op, Op::If | Op::Select) {
            return None;
        }
        let side = !self.is(data.args[0])? as usize;
        if data.op == Op::Select {
            return Some(data.args[1 + side]);
        }
        let i = data.results.iter().position(|&r| r == value)?;
        Some(p.yielded(data.regions[side])[i])
    }

    /// The value at the end of a chain of such sides.
    pub(crate) fn follow(&self, p: &Program, value: Value) -> Value {
        let chain = std::iter::successors(Some(value), |&value| self.side(p, value));
        chain.take(DEPTH as usize + 1).last().unwrap_or(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The largest counter, the turns, and whether these are exact, of the first loop of a body.
    fn check(body: &str, expect: Option<(u32, u64, bool)>) {
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
        let found = counted(&p, &p.insts[loops[0]]).map(|c| (c.largest, c.turns, c.exact));
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
            Some((9, 4, true)),
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
            Some((10, 6, true)),
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
            Some((10, 5, false)),
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

    /// A loop from `first` by `step` on, with this condition.
    fn check_u32(first: u64, step: u64, condition: &str, expect: Option<(u32, u64, bool)>) {
        let body = format!(
            "%first: u32 = const {first}
             %step: u32 = const {step}
             %max: u32 = const 2147483647
             %r: u32, %q: bool = loop (%i: u32 = %first, %b: bool = %t) {{
               %n: u32 = add %i, %step
               {condition}
               yield %c, %n, %b
             }}"
        );
        check(&body, expect);
    }

    #[test]
    fn exact_turns() {
        let next = "%c: bool = lt %n, %u10";
        check_u32(9, 1, next, Some((9, 1, true)));
        check_u32(8, 1, next, Some((9, 2, true)));
        check_u32(30, 1, next, Some((30, 1, true)));
        // 0 7, and 14 ends it.
        check_u32(0, 7, next, Some((7, 2, true)));
        // The body runs with 10, or 12, too.
        check_u32(0, 1, "%c: bool = lt %i, %u10", Some((10, 11, true)));
        check_u32(0, 4, "%c: bool = lt %i, %u10", Some((12, 4, true)));
        check_u32(10, 4, "%c: bool = lt %i, %u10", Some((10, 1, true)));
        check_u32(0, 2, "%c: bool = le %n, %u10", Some((10, 6, true)));
        check_u32(0, 2, "%o: bool = lt %u10, %i\n%c: bool = not %o", Some((12, 7, true)));
        // The first of two conditions that fails.
        let both = "%d: bool = lt %n, %u10\n%e: bool = lt %i, %u3\n%c: bool = and %d, %e";
        check_u32(0, 1, both, Some((3, 4, true)));
        check_u32(0, 1, "%d: bool = lt %n, %u10\n%c: bool = select %d, %b, %f", Some((9, 10, false)));
        check_u32(0, 1, "%d: bool = lt %n, %u10\n%c: bool = or %d, %b", None);
        // At the end of the numbers.
        check_u32(2147483640, 3, "%c: bool = lt %n, %max", Some((2147483643, 2, true)).filter(|_| false));
        check_u32(2147483640, 2, "%c: bool = lt %n, %max", Some((2147483644, 3, true)).filter(|_| false));
        check_u32(0, 1, "%c: bool = le %n, %max", None);
        check_u32(0, 1, "%c: bool = lt %u0, %n", None);
    }

    #[test]
    fn selected_counters() {
        check(
            "%r: u32 = loop (%i: u32 = %u0) {
               %c: bool = lt %i, %u10
               %n: u32 = add %i, %u3
               %j: u32 = select %c, %n, %i
               yield %c, %j
             }",
            Some((12, 5, true)),
        );
    }
}
