//! Puts several turns of a loop one after another that can end after each of them.
//!
//! A loop that counts up to a number, and may end before, asks two things after each turn. If so many turns as divide the
//! number of all are in one body, the counter need only be looked at, and moved on, at the end of it:
//!
//! ```text
//! loop (i = 0) { f; yield i + 1 < 256 && more, i + 1 }
//! loop (i = 0) { f; if more { f; yield i + 2 < 256 && more, i + 2 } else { yield false, i + 1 } }
//! ```

use crate::Target;
use crate::analysis::counted::{Counted, counted};
use crate::dce::dce;
use crate::rewrite::{Copier, Replace, Values, rewrite};
use smallvec::SmallVec;
use vyre_ir::{Effect, Inst, InstData, Op, Program, SideTable, Type, Value};

/// The most turns in a body.
const TURNS: u64 = 4;

/// The most instructions of all of them.
const BODY: u64 = 96;

/// Chains turns of loops.
pub fn chain(p: &mut Program, target: &Target) -> bool {
    if !target.branches {
        return false;
    }
    let mut plans = SideTable::new(None);
    let mut any = false;
    p.walk(p.body, &mut |inst| {
        plans[inst] = plan(p, &p.insts[inst]);
        any |= plans[inst].is_some();
    });
    if any {
        *p = rewrite(p, &mut Chain { plans, turn: None });
        // What only counted.
        dce(p, target);
    }
    any
}

/// How a loop is chained.
#[derive(Copy, Clone)]
struct Plan {
    counted: Counted,
    /// Which of its parameters counts.
    counter: usize,
    /// Turns in the new body.
    turns: u64,
}

fn plan(p: &Program, data: &InstData) -> Option<Plan> {
    if data.op != Op::Loop {
        return None;
    }
    let body = data.regions[0];
    let counted = counted(p, data).filter(|counted| !counted.exact)?;
    let counter = p.regions[body].params.iter().position(|&param| param == counted.counter)?;
    let sum = p.producer(p.yielded(body)[1 + counter])?;
    if sum.op != Op::Add || !sum.args.contains(&counted.counter) {
        return None;
    }
    let (mut size, mut copies) = (0, true);
    p.walk(body, &mut |inst| {
        let inner = &p.insts[inst];
        size += (inner.op != Op::Const) as u64;
        copies &= inner.op != Op::Loop && !matches!(p.effect(inner), Effect::Syncs | Effect::Converges);
    });
    let fits = |turns: &u64| counted.turns.is_multiple_of(*turns) && turns * size <= BODY;
    let turns = (2..=TURNS).rev().find(fits).filter(|_| copies)?;
    Some(Plan { counted, counter, turns })
}

struct Chain {
    plans: SideTable<Inst, Option<Plan>>,
    turn: Option<Turn>,
}

/// A turn that is copied.
#[derive(Copy, Clone)]
struct Turn {
    /// The condition that ends counting, and what it is, if it cannot end in this turn.
    known: Option<(Value, bool)>,
    /// The next value of the counter.
    sum: Value,
    /// The counter at the start of the body, and what is added to it until then.
    counted: (Value, u64),
}

impl Replace for Chain {
    fn replace(&mut self, copy: &mut Copier<'_>, inst: Inst, args: &[Value]) -> Option<Values> {
        let from = copy.from;
        let data = &from.insts[inst];
        if let Some(turn) = &self.turn {
            return turn.replace(copy, data, args);
        }
        let plan = self.plans[inst]?;
        let types: SmallVec<[Type; 4]> = data.results.iter().map(|&v| from.ty(v)).collect();
        let body = copy.b.open(&types);
        copy.b.enter(body);
        let params = Values::from_slice(&copy.b.p.regions[body].params);
        let ends = self.body(copy, data, &plan, &params, 1);
        copy.b.end(&ends);
        self.turn = None;
        copy.b.loc = data.loc;
        Some(Values::from_slice(&copy.b.repeat(args, body)))
    }
}

impl Chain {
    /// A turn and those after it, which begin with these values; gives what they yield.
    fn body(
        &mut self,
        copy: &mut Copier<'_>,
        data: &InstData,
        plan: &Plan,
        values: &[Value],
        turn: u64,
    ) -> Values {
        let (from, body) = (copy.from, data.regions[0]);
        let Counted { step, limit, .. } = plan.counted;
        let yielded = from.yielded(body);
        let start = match &self.turn {
            Some(turn) => turn.counted.0,
            None => values[plan.counter],
        };
        for (&param, &value) in from.regions[body].params.iter().zip(values) {
            copy.set(param, value);
        }
        let turn_of = Turn {
            known: (turn < plan.turns).then_some(limit),
            sum: yielded[1 + plan.counter],
            counted: (start, turn * u64::from(step)),
        };
        self.turn = Some(turn_of);
        let insts = &from.regions[body].insts;
        copy.insts(&insts[..insts.len() - 1], self);
        let mut next: Values = yielded.iter().map(|&value| copy.get(value)).collect();
        if turn == plan.turns {
            return next;
        }
        copy.b.loc = data.loc;
        let again = next.remove(0);
        let sides = [(); 2].map(|()| copy.b.open(&[]));
        copy.b.enter(sides[0]);
        // Each side counts for itself: the one that goes on seldom needs it.
        next[plan.counter] = turn_of.count(copy);
        let ends = self.body(copy, data, plan, &next, turn + 1);
        copy.b.end(&ends);
        copy.b.enter(sides[1]);
        copy.b.loc = data.loc;
        next[plan.counter] = turn_of.count(copy);
        next.insert(0, copy.b.bool(false));
        copy.b.end(&next);
        Values::from_slice(&copy.b.branch(again, sides[0], sides[1]))
    }
}

impl Turn {
    /// The counter after this turn.
    fn count(&self, copy: &mut Copier<'_>) -> Value {
        let (start, steps) = self.counted;
        let steps = copy.b.bits(copy.b.ty(start), steps);
        copy.b.op(Op::Add, &[start, steps])
    }

    fn replace(&self, copy: &mut Copier<'_>, data: &InstData, args: &[Value]) -> Option<Values> {
        if data.results[..] == [self.sum] {
            return Some(Values::from_slice(&[self.count(copy)]));
        }
        let (condition, is) = self.known?;
        if data.results[..] == [condition] {
            return Some(Values::from_slice(&[copy.b.bool(is)]));
        }
        // `and` with what is true is the rest.
        let rest = match (data.op, &data.args[..], is) {
            (Op::And, &[a, _], true) if a == condition => args[1],
            (Op::And, &[_, b], true) if b == condition => args[0],
            _ => return None,
        };
        Some(Values::from_slice(&[rest]))
    }
}
