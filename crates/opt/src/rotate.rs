//! Moves the condition of a loop from the beginning of its body to the end.
//!
//! A loop written as `while` arrives as a loop whose body is a branch: one side is the body, the other ends the loop.
//! Its condition is asked once before the loop, and at the end of the body for the next turn:
//!
//! ```text
//! loop (p) { c = f(p); yield if c { body; yield go, q } else { yield false, p } }
//! if f(init) { loop (p) { body; yield go && f(q), q } } else { init }
//! ```
//!
//! The body is then no longer in a branch, and there is no turn in which only the condition is asked. What the
//! condition is computed from is there twice, so it has to be pure, and little. What the body uses of it is carried
//! around the loop instead of being computed again.
//!
//! The loop gives what the body left, where before the side that ends it chose. Both must be the same: that side gives
//! the parameters as they are, or something as simple that the loop has anyway.
//!
//! A `break` at the start of what is then the body is such a branch again, and goes the same way.

use crate::Target;
use crate::analysis::counted::Implied;
use crate::rewrite::{Copier, Replace, Values, rewrite};
use smallvec::SmallVec;
use std::rc::Rc;
use vyre_ir::{Effect, Inst, InstData, Op, Program, SideTable, Type, Value};

/// The most instructions that a condition at the end is computed by.
const CONDITION: usize = 8;

/// The most instructions, with those that are the same in each turn, that a condition is computed by.
const DEEP: usize = 64;

/// The most values that are carried because condition and body use them: each occupies a register.
const CARRIED: usize = 4;

/// How many branches, one in another, are taken from the start of a body in one run.
const TIMES: usize = 4;

/// Moves conditions from the start of loops to their end.
pub fn rotate(p: &mut Program, _: &Target) -> bool {
    for time in 0..TIMES {
        let plans = Planner::new(p).plans();
        let Some(plans) = plans else { return time > 0 };
        *p = rewrite(p, &mut Rotate { plans });
    }
    true
}

/// How a loop is rotated.
struct Plan {
    /// Where in the body the branch is.
    place: usize,
    /// The side that goes on: 0 if it does when the condition holds.
    side: usize,
    /// What computes the condition; whether it is another in each turn.
    condition: Vec<(Inst, bool)>,
    /// What else is before the branch.
    others: Vec<Inst>,
    /// What the body uses of what the condition is computed from.
    carried: Vec<Value>,
    /// What the loop gives if the condition ends it.
    exits: SmallVec<[Exit; 4]>,
    /// Whether only the condition ends the loop.
    alone: bool,
}

/// What a loop gives in a place.
#[derive(Copy, Clone)]
enum Exit {
    /// Nobody looks at it.
    Unused,
    /// The parameter of that place.
    Param(usize),
    /// A constant, or a value from outside.
    Value(Value),
}

struct Planner<'p> {
    p: &'p Program,
    /// Values that are operands.
    used: SideTable<Value, bool>,
    /// In which order values are defined.
    born: SideTable<Value, u32>,
    /// All loops, and how many values are defined before them.
    loops: Vec<(Inst, u32)>,
}

impl<'p> Planner<'p> {
    fn new(p: &'p Program) -> Planner<'p> {
        let (mut used, mut born) = (SideTable::new(false), SideTable::new(0));
        let (mut loops, mut clock) = (Vec::new(), 0);
        p.walk(p.body, &mut |inst| {
            let data = &p.insts[inst];
            data.args.iter().for_each(|&arg| used[arg] = true);
            if data.op == Op::Loop {
                loops.push((inst, clock));
            }
            let params = data.regions.iter().flat_map(|&r| &p.regions[r].params);
            for &value in data.results.iter().chain(params) {
                clock += 1;
                born[value] = clock;
            }
        });
        Planner { p, used, born, loops }
    }

    fn plans(self) -> Option<SideTable<Inst, Option<Rc<Plan>>>> {
        let mut plans = SideTable::new(None);
        let mut any = false;
        for &(inst, before) in &self.loops {
            let plan = self.plan(&self.p.insts[inst], before);
            any |= plan.is_some();
            plans[inst] = plan.map(Rc::new);
        }
        any.then_some(plans)
    }

    /// How to rotate a loop before which so many values are defined.
    fn plan(&self, data: &InstData, before: u32) -> Option<Plan> {
        let p = self.p;
        let body = data.regions[0];
        let insts = &p.regions[body].insts;
        let place = insts.iter().position(|&inst| !p.insts[inst].regions.is_empty())?;
        let branch = &p.insts[insts[place]];
        let yielded = p.yielded(body);
        if branch.op != Op::If || p.constant(branch.args[0]).is_some() {
            return None;
        }
        let implied = Implied::by(p, yielded[0]);
        let side = !implied.is(branch.args[0])? as usize;
        let [go, stop] = [side, 1 - side].map(|side| branch.regions[side]);
        // The turn that ends runs none of this any more.
        let pure = |inst: &Inst| {
            let data = &p.insts[*inst];
            data.regions.is_empty() && p.effect(data) == Effect::Pure
        };
        let read = |inst: &Inst| pure(inst) || p.insts[*inst].op == Op::Load;
        let last = insts.len() - 1;
        let stop_insts = &p.regions[stop].insts;
        if !insts[..place].iter().all(read)
            || !insts[place + 1..last].iter().all(pure)
            || !stop_insts[..stop_insts.len() - 1].iter().all(read)
        {
            return None;
        }
        let alone = self.is_alone(branch, yielded[0], side);
        let exits = self.exits(data, branch, before, &implied, side, alone)?;

        // The values that the condition is computed from, and whether they differ from turn to turn.
        let mut needed = vec![branch.args[0]];
        let mut condition = Vec::new();
        let mut others = Vec::new();
        for &inst in insts[..place].iter().rev() {
            if p.insts[inst].results.iter().any(|r| needed.contains(r)) {
                if condition.len() == DEEP {
                    return None;
                }
                needed.extend(&p.insts[inst].args);
                condition.push((inst, false));
            } else {
                others.push(inst);
            }
        }
        condition.reverse();
        others.reverse();
        let mut varying = p.regions[body].params.clone();
        for (inst, varies) in &mut condition {
            let data = &p.insts[*inst];
            *varies = data.args.iter().any(|arg| varying.contains(arg));
            if *varies {
                varying.extend_from_slice(&data.results);
            }
            // With another way to end, it might not be asked where memory is accessed.
            if data.op == Op::Load && !alone || !pure(inst) {
                return None;
            }
        }
        if condition.iter().filter(|(_, varies)| *varies).count() > CONDITION {
            return None;
        }
        let mut carried = Vec::new();
        let computed = &varying[p.regions[body].params.len()..];
        let mut uses = |inst: Inst| {
            for arg in &p.insts[inst].args {
                if computed.contains(arg) && *arg != branch.args[0] && !carried.contains(arg) {
                    carried.push(*arg);
                }
            }
        };
        others.iter().chain(&insts[place + 1..]).for_each(|&inst| uses(inst));
        p.walk(go, &mut uses);
        (carried.len() <= CARRIED).then_some(Plan { place, side, condition, others, carried, exits, alone })
    }

    /// Whether a loop goes on whenever its branch takes this side.
    fn is_alone(&self, branch: &InstData, again: Value, side: usize) -> bool {
        let p = self.p;
        let condition = branch.args[0];
        let negated = p.producer(again).is_some_and(|data| data.op == Op::Not && data.args[0] == condition);
        let yields = branch.results.iter().position(|&r| r == again);
        again == condition && side == 0
            || negated && side == 1
            || yields.is_some_and(|i| p.splat_constant(p.yielded(branch.regions[side])[i]) == Some(1))
    }

    /// What a loop gives if its condition ends it, if that is the same when the condition is asked at the end.
    fn exits(
        &self,
        data: &InstData,
        branch: &InstData,
        before: u32,
        implied: &Implied,
        side: usize,
        alone: bool,
    ) -> Option<SmallVec<[Exit; 4]>> {
        let p = self.p;
        let body = data.regions[0];
        let next = &p.yielded(body)[1..];
        let exit = |(i, &value): (usize, &Value)| {
            if !self.used[data.results[i]] {
                return Some(Exit::Unused);
            }
            let yields = branch.results.iter().position(|&r| r == value);
            let value = yields.map_or(value, |k| p.yielded(branch.regions[1 - side])[k]);
            let param = p.regions[body].params.iter().position(|&param| param == value);
            let (exit, then) = match param {
                Some(k) => (Exit::Param(k), implied.follow(p, next[k])),
                None if p.constant(value).is_some() || self.born[value] <= before => {
                    (Exit::Value(value), value)
                }
                None => return None,
            };
            // What the body leaves when it goes on.
            let left = implied.follow(p, next[i]);
            let same = left == then || p.constant(left).is_some_and(|bits| p.constant(then) == Some(bits));
            (same || alone).then_some(exit)
        };
        next.iter().enumerate().map(exit).collect()
    }
}

struct Rotate {
    plans: SideTable<Inst, Option<Rc<Plan>>>,
}

impl Replace for Rotate {
    fn replace(&mut self, copy: &mut Copier<'_>, inst: Inst, args: &[Value]) -> Option<Values> {
        let plan = self.plans[inst].clone()?;
        let from = copy.from;
        let data = &from.insts[inst];
        let body = data.regions[0];
        let insts = &from.regions[body].insts;
        let params = &from.regions[body].params;
        let branch = &from.insts[insts[plan.place]];
        let condition = branch.args[0];
        let loc = data.loc.derived("rotate");

        params.iter().zip(args).for_each(|(&param, &value)| copy.set(param, value));
        plan.condition.iter().for_each(|&(inst, _)| copy.insts(&[inst], self));
        let first = copy.get(condition);
        let mut init = Values::from_slice(args);
        init.extend(plan.carried.iter().map(|&v| copy.get(v)));
        let types: SmallVec<[Type; 4]> = init.iter().map(|&v| copy.b.ty(v)).collect();

        let go = copy.b.open(&[]);
        copy.b.enter(go);
        let new = copy.b.open(&types);
        copy.b.enter(new);
        let news = copy.b.p.regions[new].params.clone();
        for (&old, new) in params.iter().chain(&plan.carried).zip(news) {
            copy.set(old, new);
        }
        copy.b.loc = loc;
        let is = copy.b.bool(plan.side == 0);
        copy.set(condition, is);
        copy.insts(&plan.others, self);
        let (inner, values) = copy.split(branch.regions[plan.side]);
        let (inner, values) = (inner.to_vec(), values.to_vec());
        copy.insts(&inner, self);
        for (&result, &value) in branch.results.iter().zip(&values) {
            copy.set(result, copy.get(value));
        }
        copy.insts(&insts[plan.place + 1..insts.len() - 1], self);
        let mut next: Values = from.yielded(body).iter().map(|&v| copy.get(v)).collect();
        for (&param, &value) in params.iter().zip(&next[1..]) {
            copy.set(param, value);
        }
        plan.condition.iter().filter(|c| c.1).for_each(|&(inst, _)| copy.insts(&[inst], self));
        copy.b.loc = loc;
        let mut again = copy.get(condition);
        if plan.side == 1 {
            again = copy.b.op(Op::Not, &[again]);
        }
        if !plan.alone {
            again = copy.b.op(Op::And, &[next[0], again]);
        }
        next[0] = again;
        next.extend(plan.carried.iter().map(|&v| copy.get(v)));
        copy.b.loc = data.loc;
        copy.b.end(&next);
        // It may be a value from outside, which is used on.
        copy.set(condition, first);
        let results = copy.b.repeat(&init, new);
        exit(copy, &plan, &results[..args.len()], plan.alone);

        let stop = copy.b.open(&[]);
        copy.b.enter(stop);
        exit(copy, &plan, args, true);

        copy.b.loc = branch.loc;
        let sides = if plan.side == 0 { [go, stop] } else { [stop, go] };
        Some(Values::from_slice(&copy.b.branch(first, sides[0], sides[1])))
    }
}

/// Ends a side with what the loop gives, if its parameters would be these values; with `chosen` where the condition
/// alone ended it.
fn exit(copy: &mut Copier<'_>, plan: &Plan, params: &[Value], chosen: bool) {
    let mut values = Values::from_slice(params);
    for (value, exit) in values.iter_mut().zip(&plan.exits) {
        match *exit {
            Exit::Param(k) if chosen => *value = params[k],
            Exit::Value(v) if chosen => {
                *value = match copy.from.constant(v) {
                    Some(bits) => copy.b.lanes(copy.from.ty(v), bits),
                    None => copy.get(v),
                };
            }
            _ => (),
        }
    }
    copy.b.end(&values);
}
