//! What conditions say: what the comparisons that they are made of mean for intervals and bounds.

use super::super::implied::{DEPTH, parts};
use super::facts::{Bound, Facts, is_word};
use super::interval::{Interval, POSITIVE};
use vyre_ir::{Def, Op, Scalar, Value};

impl Facts<'_> {
    /// Says that a condition is true or false.
    pub fn assume(&mut self, condition: Value, is: bool) {
        let parts = parts(self.p, condition, is);
        // Twice, because a part may help with an earlier one.
        for _ in 0..2 {
            self.said += 1;
            for part in &parts {
                self.narrow(part.condition, Interval::one(part.is as u32));
                self.compared(part.condition, part.is);
            }
        }
    }

    /// The value that a result of a branch is, where it is known which side was taken.
    pub fn follow(&mut self, mut value: Value) -> Value {
        for _ in 0..DEPTH {
            let Def::Result(inst) = self.p.values[value].def else { break };
            let data = &self.p.insts[inst];
            let (Op::If, &[condition]) = (data.op, &data.args[..]) else { break };
            let Some(is) = self.interval(condition).single() else { break };
            let Some(i) = data.results.iter().position(|&r| r == value) else { break };
            value = self.p.yielded(data.regions[(is == 0) as usize])[i];
        }
        value
    }

    /// As [`Facts::assume`], for a value that is known to be a number.
    pub fn assume_is(&mut self, value: Value, n: u32) {
        if is_word(self.p, value) {
            self.said += 1;
            self.narrow(value, Interval::one(n));
        }
    }

    /// Says what a comparison means.
    fn compared(&mut self, condition: Value, is: bool) {
        let Some(data) = self.p.producer(condition) else { return };
        let &[a, b] = &data.args[..] else { return };
        if !is_word(self.p, a) {
            return;
        }
        match (data.op, is) {
            (Op::Lt, true) => self.less(a, b, 1),
            (Op::Lt, false) => self.less(b, a, 0),
            (Op::Le, true) => self.less(a, b, 0),
            (Op::Le, false) => self.less(b, a, 1),
            (Op::Eq, true) | (Op::Ne, false) => {
                for (a, b) in [(a, b), (b, a)] {
                    let interval = self.interval(b);
                    self.narrow(a, interval);
                    self.below(a, b, 0);
                }
            }
            (Op::Eq, false) | (Op::Ne, true) => {
                for (a, b) in [(a, b), (b, a)] {
                    let Some(n) = self.interval(a).single() else { continue };
                    let mut other = self.interval(b);
                    if other.single().is_none() {
                        other.low += (other.low == n) as u32;
                        other.high -= (other.high == n) as u32;
                        self.narrow(b, other);
                    }
                }
            }
            _ => {}
        }
    }

    /// Says `a + gap <= b`.
    fn less(&mut self, a: Value, b: Value, gap: u32) {
        let (mut x, mut y) = (self.interval(a), self.interval(b));
        if self.p.ty(a).scalar == Scalar::I32 {
            // What is not less than a number without a sign has none, and what is not more than a negative one is negative.
            if x.high <= POSITIVE {
                self.narrow(b, Interval::new(0, POSITIVE));
            } else if y.low > POSITIVE {
                self.narrow(a, Interval::new(POSITIVE + 1, u32::MAX));
            } else {
                return;
            }
            (x, y) = (self.interval(a), self.interval(b));
        }
        if let Some(high) = y.high.checked_sub(gap) {
            self.narrow(a, Interval::new(0, high));
        }
        if let Some(low) = x.low.checked_add(gap) {
            self.narrow(b, Interval::new(low, u32::MAX));
        }
        self.below(a, b, -(gap as i64));
    }

    fn below(&mut self, a: Value, b: Value, plus: i64) {
        let of = self.of_all(b);
        if self.interval(of).single().is_none() {
            self.bound(a, Bound { scale: 1, of, plus });
        }
    }
}
