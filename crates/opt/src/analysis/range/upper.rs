//! How large a value is at most in terms of another one: the search through what values were computed from and what
//! conditions said of them that proves an index to be below a length.
//!
//! All steps are inequalities of whole numbers that do not wrap. That sums and products do only makes them smaller,
//! so they need no more than the bounds of their operands; a difference must be known not to wrap.

use super::facts::{Facts, is_word};
use super::interval::is_plain;
use vyre_ir::{Attr, InstData, Op, Scalar, Value};

/// How many values are looked at for one question.
const FUEL: u32 = 48;
/// The largest multiple that is followed.
const MOST: i128 = 1 << 40;

/// A question: the least `c` with `scale * value <= times * of + c`.
pub struct Question {
    pub of: Value,
    pub times: u32,
    fuel: u32,
}

impl Question {
    pub fn new(of: Value, times: u32) -> Question {
        Question { of, times, fuel: FUEL }
    }
}

impl Facts<'_> {
    /// Whether `a <= b`, as far as so much fuel shows.
    fn at_most(&mut self, a: Value, b: Value, fuel: u32) -> bool {
        let of = self.of_all(b);
        self.upper(a, 1, &mut Question { of, times: 1, fuel }) <= 0
    }

    /// An answer to the question for `scale * value`: what the intervals say, or better.
    pub fn upper(&mut self, value: Value, scale: i128, question: &mut Question) -> i128 {
        let (value, times) = (self.of_all(value), question.times as i128);
        let own = self.interval(value);
        if value == question.of {
            let rest = scale - times;
            return rest * if rest < 0 { own.low } else { own.high } as i128;
        }
        let of = self.interval(question.of);
        let mut best = scale * own.high as i128 - times * of.low as i128;
        if question.fuel == 0 || scale > MOST || own.single().is_some() {
            return best;
        }
        question.fuel -= 1;
        for bound in self.bounds(value) {
            if scale % bound.scale as i128 == 0 {
                let by = scale / bound.scale as i128;
                best = best.min(self.upper(bound.of, by, question) + by * bound.plus as i128);
            }
        }
        let p = self.p;
        if let Some(data) = p.producer(value)
            && let Some(found) = self.upper_of(data, scale, question)
        {
            best = best.min(found);
        }
        best
    }

    /// What follows from the operands.
    fn upper_of(&mut self, data: &InstData, scale: i128, question: &mut Question) -> Option<i128> {
        let p = self.p;
        if let Attr::Axis(axis) = data.attr {
            let groups = self.groups[axis as usize]?;
            let size = match data.op {
                Op::WorkgroupId => 1,
                Op::GlobalId => p.workgroup_size[axis as usize] as i128,
                _ => return None,
            };
            return Some(self.upper(groups, scale * size, question) - scale);
        }
        if data.op == Op::Select && is_word(p, data.results[0]) {
            let condition = self.interval(data.args[0]).single();
            let mut side = |i: usize| self.upper(data.args[i], scale, question);
            return Some(match condition {
                Some(0) => side(2),
                Some(_) => side(1),
                None => side(1).max(side(2)),
            });
        }
        let (first, second) = match data.args[..] {
            [a] => (a, a),
            [a, b] => (a, b),
            _ => return None,
        };
        if !is_word(p, first) || !is_word(p, second) {
            return None;
        }
        let (a, b) = (self.interval(first), self.interval(second));
        let plain = is_plain(p.ty(first).scalar == Scalar::I32, &[a, b]);
        // A question within a question has less fuel, so that there is an end.
        let fuel = question.fuel / 4;
        let no_wrap = data.op == Op::Sub && (a.low >= b.high || self.at_most(second, first, fuel));
        let mut upper = |value: Value, scale: i128| self.upper(value, scale, question);
        Some(match data.op {
            Op::Convert | Op::Bitcast => upper(first, scale),
            Op::Add => {
                let wraps = if a.low.checked_add(b.low).is_none() { scale << 32 } else { 0 };
                let one = upper(first, scale) + scale * b.high as i128;
                let other = upper(second, scale) + scale * a.high as i128;
                one.min(other) - wraps
            }
            Op::Sub if no_wrap => upper(first, scale) - scale * b.low as i128,
            Op::Mul => match (a.single(), b.single()) {
                (_, Some(n)) if n > 0 => upper(first, scale * n as i128),
                (Some(n), _) if n > 0 => upper(second, scale * n as i128),
                _ => return None,
            },
            Op::Shl => upper(first, scale << (b.single()? % 32)),
            Op::Div if plain => upper(first, shared(scale, b.low.max(1))),
            Op::Shr if plain => upper(first, shared(scale, 1 << b.single().map_or(0, |n| n % 32))),
            Op::Rem if plain => {
                let dividend = upper(first, scale);
                if b.low > 0 { dividend.min(upper(second, scale) - scale) } else { dividend }
            }
            Op::Min if plain => upper(first, scale).min(upper(second, scale)),
            Op::Max if plain && a.low >= b.high => upper(first, scale),
            Op::Max if plain && b.low >= a.high => upper(second, scale),
            Op::Max if plain => upper(first, scale).max(upper(second, scale)),
            Op::And => upper(first, scale).min(upper(second, scale)),
            Op::Or => {
                let one = upper(first, scale) + scale * b.high as i128;
                one.min(upper(second, scale) + scale * a.high as i128)
            }
            _ => return None,
        })
    }
}

/// The least `m` for which `scale * floor(x / n) <= m * x` is sure.
fn shared(scale: i128, n: u32) -> i128 {
    let n = n as i128;
    scale / n + (scale % n != 0) as i128
}
