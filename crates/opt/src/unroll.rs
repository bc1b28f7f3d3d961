//! Puts several turns of a loop one after another, where it is known how many turns there are.
//!
//! A loop that is small altogether becomes straight code, in which the counter is a constant. Of a longer one some
//! turns at a time go into a body: as many as divide the turns, so that no condition is needed between them. In
//! every turn but the last it is also known which side of a branch is taken that decides about going on; a loop
//! written with such a branch, as frontends write `for` and `while`, gets its last turn, in which the other side is
//! taken, after the loop.
//!
//! Loops that hold barriers or subgroup operations are not copied: the pieces between these are code of their own
//! for some targets. All that is copied keeps its order, and the copies run as often as the original did.
//!
//! The pass runs again on what it made. A loop whose turns it has put together says so by its location, and stays.

use crate::Target;
use crate::analysis::counted::{Counted, counted, known};
use crate::rewrite::{Copier, Replace, Values, rewrite};
use smallvec::SmallVec;
use vyre_ir::{Effect, Inst, InstData, Op, Program, Region, SideTable, Type, Value};

/// The most instructions of a body that holds several turns, and of all turns of a loop that becomes straight code.
///
/// Measured on the backend `cpu` in gangs of 16, time against that of these limits: with 256 instructions and 16 turns
/// a sum of 16 loads takes 1.2 of the time and 3.4 of that to compile, a product of matrices by tiles of 16 takes 0.88
/// and 1.5; with 64 instructions and 4 turns 0.95 and 1.2, and 1.0 and 1.0.
const BODY: u64 = 32;

/// The most turns in a body.
const FACTOR: u64 = 4;

/// The most instructions of all turns of a loop that becomes straight code because it has no more than [`FACTOR`].
const STRAIGHT: u64 = 128;

/// Unrolls loops, inner ones first.
pub fn unroll(p: &mut Program, target: &Target) -> bool {
    let limit = target.unroll as u64;
    let size = p.size() as u64;
    if size >= limit {
        return false;
    }
    let mut planner = Planner { p, plans: SideTable::new(None), any: false, room: limit - size };
    planner.region(p.body);
    let Planner { plans, any, .. } = planner;
    if any {
        *p = rewrite(p, &mut Unroll { plans, known: SideTable::new(None) });
    }
    any
}

/// How a loop is unrolled.
#[derive(Copy, Clone)]
struct Plan {
    counted: Counted,
    /// Turns in the new body; with 0 there is none.
    factor: u64,
    /// Turns after the loop.
    after: u64,
}

struct Planner<'p> {
    p: &'p Program,
    plans: SideTable<Inst, Option<Plan>>,
    any: bool,
    /// How many instructions the program may still grow by.
    room: u64,
}

/// What is in a region, with the loops in it unrolled.
#[derive(Copy, Clone)]
struct Content {
    size: u64,
    /// Whether it may be copied.
    copies: bool,
    /// Whether memory is accessed.
    accesses: bool,
}

impl Planner<'_> {
    fn region(&mut self, region: Region) -> Content {
        let p = self.p;
        let mut all = Content { size: 0, copies: true, accesses: false };
        for &inst in &p.regions[region].insts {
            let data = &p.insts[inst];
            all.size += (data.op != Op::Const) as u64;
            all.copies &= !matches!(p.effect(data), Effect::Syncs | Effect::Converges);
            all.accesses |= p.buffer_of(data).is_some() && data.op != Op::Length;
            for &inner in &data.regions {
                let content = self.region(inner);
                all.size += match data.op {
                    Op::Loop if content.copies => self.repeat(inst, content),
                    _ => content.size,
                };
                all.copies &= content.copies;
                all.accesses |= content.accesses;
            }
        }
        all
    }

    /// Whether sides of branches are known in all turns but the last.
    fn parts(&self, data: &InstData) -> bool {
        let known = known(self.p, data);
        let mut parts = false;
        self.p.walk(data.regions[0], &mut |inst| {
            let data = &self.p.insts[inst];
            let chooses = matches!(data.op, Op::If | Op::Select);
            parts |= chooses && known.iter().any(|&(value, _)| value == data.args[0]);
        });
        parts
    }

    /// Decides about a loop with this body; gives how many instructions it then has.
    fn repeat(&mut self, inst: Inst, Content { size, accesses, .. }: Content) -> u64 {
        let data = &self.p.insts[inst];
        if data.loc.pass == Some("unroll") {
            return size;
        }
        let Some(counted) = counted(self.p, data).filter(|counted| counted.exact) else { return size };
        let parts = self.parts(data);
        // Turns that go on alike.
        let turns = counted.turns - parts as u64;
        let all = turns.max(1).saturating_mul(size);
        let plan = if all <= BODY || turns <= FACTOR && all <= STRAIGHT {
            Plan { counted, factor: 0, after: counted.turns }
        } else {
            // Arithmetic alone, 64 rounds of a hash, gains nothing and loses its order in gangs of 16.
            let most = if accesses { FACTOR } else { 1 }.min(BODY / size.max(1)).min(turns / 2);
            let several = (2..=most).rev().find(|&factor| turns.is_multiple_of(factor));
            let Some(factor) = several.or((parts && turns > 1).then_some(1)) else { return size };
            Plan { counted, factor, after: parts as u64 }
        };
        let copies = plan.factor + plan.after;
        let growth = (copies - 1) * size;
        if growth > self.room {
            return size;
        }
        self.room -= growth;
        self.any = true;
        self.plans[inst] = Some(plan);
        copies * size
    }
}

struct Unroll {
    plans: SideTable<Inst, Option<Plan>>,
    /// What conditions are in the turns being copied.
    known: SideTable<Value, Option<bool>>,
}

impl Replace for Unroll {
    fn replace(&mut self, copy: &mut Copier<'_>, inst: Inst, args: &[Value]) -> Option<Values> {
        let from = copy.from;
        let data = &from.insts[inst];
        match data.op {
            Op::If => {
                let side = if self.known[data.args[0]]? { 0 } else { 1 };
                return Some(self.region(copy, data.regions[side]));
            }
            Op::Loop => (),
            _ => {
                let is = self.known[*data.results.first()?]?;
                return Some(Values::from_slice(&[copy.b.bool(is)]));
            }
        }
        let plan = self.plans[inst]?;
        let Counted { first, step, turns, .. } = plan.counted;
        let known = if plan.after > 0 { known(from, data) } else { Vec::new() };
        let loc = data.loc.derived("unroll");
        let place = from.regions[data.regions[0]].params.iter().position(|&v| v == plan.counted.counter)?;
        let counter = from.ty(plan.counted.counter);
        let mut values = Values::from_slice(args);

        let in_loop = turns - plan.after;
        if plan.factor > 0 {
            known.iter().for_each(|&(value, is)| self.known[value] = Some(is));
            let types: SmallVec<[Type; 4]> = data.results.iter().map(|&v| from.ty(v)).collect();
            let body = copy.b.open(&types);
            copy.b.enter(body);
            values = Values::from_slice(&copy.b.p.regions[body].params);
            let start = values[place];
            for turn in 1..=plan.factor {
                values = self.turn(copy, inst, &values);
                copy.b.loc = loc;
                let steps = copy.b.bits(counter, turn * step as u64);
                values[place] = copy.b.op(Op::Add, &[start, steps]);
            }
            let end = copy.b.bits(counter, first as u64 + in_loop * step as u64);
            let again = copy.b.op(Op::Lt, &[values[place], end]);
            values.insert(0, again);
            copy.b.end(&values);
            copy.b.loc = loc;
            values = Values::from_slice(&copy.b.repeat(args, body));
        }
        for turn in in_loop..turns {
            let goes_on = turn + 1 < turns;
            known.iter().for_each(|&(value, is)| self.known[value] = goes_on.then_some(is));
            copy.b.loc = loc;
            values[place] = copy.b.bits(counter, first as u64 + turn * step as u64);
            values = self.turn(copy, inst, &values);
        }
        known.iter().for_each(|&(value, _)| self.known[value] = None);
        Some(values)
    }
}

impl Unroll {
    /// Copies a turn of a loop; gives what it leaves to the next one.
    fn turn(&mut self, copy: &mut Copier<'_>, inst: Inst, values: &[Value]) -> Values {
        let body = copy.from.insts[inst].regions[0];
        for (&param, &value) in copy.from.regions[body].params.iter().zip(values) {
            copy.set(param, value);
        }
        let mut yielded = self.region(copy, body);
        yielded.remove(0);
        yielded
    }

    /// Copies a region's instructions without its end; gives what it yields.
    fn region(&mut self, copy: &mut Copier<'_>, region: Region) -> Values {
        let from = copy.from;
        let insts = &from.regions[region].insts;
        copy.insts(&insts[..insts.len() - 1], self);
        from.yielded(region).iter().map(|&v| copy.get(v)).collect()
    }
}
