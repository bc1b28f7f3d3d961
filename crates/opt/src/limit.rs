//! Splits loops where their accesses stop being in bounds.
//!
//! A loop that counts up to a value, and accesses buffers at its counter, is in bounds in the turns before the end of the
//! shortest of these buffers: commonly in all. These turns become a loop of their own, in which nobody has to check; the
//! rest, which accesses what is not there, follows as it was:
//!
//! ```text
//! loop (i = first) { .. a[i] ..; yield i + 1 < end, i + 1 }
//! m = min(end, length a)
//! i, rest = if first < m { j = loop (i = first) { .. a[i] ..; yield i + 1 < m, i + 1 }; j, j < end } else { first, true }
//! if rest { loop (i = i) { .. a[i] ..; yield i + 1 < end, i + 1 } }
//! ```

use crate::Target;
use crate::analysis::{Ranges, ranges};
use crate::rewrite::{Copier, Replace, Values, rewrite};
use smallvec::SmallVec;
use vyre_ir::{Attr, Buffer, Effect, Inst, InstData, Op, Program, Region, Scalar, SideTable, Type, Value};

/// The most instructions of a body that is copied.
const BODY: usize = 128;

/// The most buffers that decide where a loop is split.
const BUFFERS: usize = 4;

/// Splits loops.
pub fn limit(p: &mut Program, target: &Target) -> bool {
    if !target.branches || !p.insts.values().any(|data| data.op == Op::Loop) {
        return false;
    }
    let ranges = ranges(p);
    let mut plans = SideTable::new(None);
    let mut any = false;
    p.walk(p.body, &mut |inst| {
        plans[inst] = plan(p, &ranges, &p.insts[inst]);
        any |= plans[inst].is_some();
    });
    if any {
        *p = rewrite(p, &mut Limit { plans });
    }
    any
}

/// How a loop is split.
#[derive(Clone)]
struct Plan {
    /// Which of its parameters counts.
    counter: usize,
    /// What it counts up to.
    end: Value,
    buffers: SmallVec<[Buffer; BUFFERS]>,
}

fn plan(p: &Program, ranges: &Ranges, data: &InstData) -> Option<Plan> {
    if data.op != Op::Loop || data.loc.pass == Some("limit") {
        return None;
    }
    let body = data.regions[0];
    let (&[again, ref next @ ..], params) = (p.yielded(body), &p.regions[body].params) else { return None };
    let condition = p.producer(again).filter(|condition| condition.op == Op::Lt)?;
    let end = condition.args[1];
    let counter = next.iter().position(|&value| value == condition.args[0])?;
    let sum = p.producer(next[counter]).filter(|sum| sum.op == Op::Add)?;
    let steps = |a: usize, b: usize| {
        sum.args[a] == params[counter] && p.splat_constant(sum.args[b]).is_some_and(|step| step > 0)
    };
    if p.ty(end) != Type::from(Scalar::U32) || !(steps(0, 1) || steps(1, 0)) {
        return None;
    }
    let (mut size, mut copies, mut asks, mut buffers) = (0, true, 0, SmallVec::new());
    p.walk(body, &mut |inst| {
        let inner = &p.insts[inst];
        size += 1;
        asks += inner.args.iter().filter(|&&arg| arg == again).count();
        copies &= inner.op != Op::Loop && !matches!(p.effect(inner), Effect::Syncs | Effect::Converges);
        // The end is from outside.
        copies &= !inner.results.contains(&end);
        if let Some(buffer) = limits(p, ranges, inst, params[counter])
            && !buffers.contains(&buffer)
        {
            buffers.push(buffer);
        }
    });
    // The condition is asked at the end alone.
    copies &= asks == 1;
    copies &= !params.contains(&end) && size <= BODY && (1..=BUFFERS).contains(&buffers.len());
    copies.then_some(Plan { counter, end, buffers })
}

/// The buffer whose length decides whether an access at this index is in bounds, if nothing else does.
fn limits(p: &Program, ranges: &Ranges, inst: Inst, index: Value) -> Option<Buffer> {
    let data = &p.insts[inst];
    let (Attr::Buffer(buffer), Some(ty)) = (&data.attr, p.accessed(data)) else { return None };
    let decl = &p.buffers[*buffer];
    let fits = decl.memory.is_bound()
        && decl.static_bytes().is_none()
        && data.args[0] == index
        && ty.lanes == 1
        && decl.element.bytes() == ty.scalar.bytes()
        && !ranges.in_bounds(inst)
        && ranges.fit(inst).is_none();
    fits.then_some(*buffer)
}

struct Limit {
    plans: SideTable<Inst, Option<Plan>>,
}

impl Replace for Limit {
    fn replace(&mut self, copy: &mut Copier<'_>, inst: Inst, args: &[Value]) -> Option<Values> {
        let Plan { counter, end, buffers } = self.plans[inst].take()?;
        let from = copy.from;
        let data = &from.insts[inst];
        let (body, loc) = (data.regions[0], data.loc);
        let types: SmallVec<[Type; 4]> = data.results.iter().map(|&v| from.ty(v)).collect();
        let end = copy.get(end);
        let mut most = end;
        for buffer in buffers {
            let length = copy.b.length(buffer);
            most = copy.b.op(Op::Min, &[most, length]);
        }
        let begins = copy.b.op(Op::Lt, &[args[counter], most]);

        let inside = copy.b.open(&[]);
        copy.b.enter(inside);
        let turns = self.body(copy, body, &types, (counter, most));
        copy.b.loc = loc;
        let mut left = Values::from_slice(&copy.b.repeat(args, turns));
        let rest = copy.b.op(Op::Lt, &[left[counter], end]);
        left.push(rest);
        copy.b.end(&left);

        let outside = copy.b.open(&[]);
        copy.b.enter(outside);
        let mut left = Values::from_slice(args);
        left.push(copy.b.bool(true));
        copy.b.end(&left);
        let mut left = Values::from_slice(&copy.b.branch(begins, inside, outside));
        let rest = left.pop().expect("it has been pushed");

        let inside = copy.b.open(&[]);
        copy.b.enter(inside);
        let turns = self.body(copy, body, &types, (counter, end));
        copy.b.loc = loc.derived("limit");
        let ends = copy.b.repeat(&left, turns);
        copy.b.end(&ends);
        let outside = copy.b.open(&[]);
        copy.b.enter(outside);
        copy.b.end(&left);
        Some(Values::from_slice(&copy.b.branch(rest, inside, outside)))
    }
}

impl Limit {
    /// A copy of a loop's body that goes on as long as its counter is below a limit.
    fn body(
        &mut self,
        copy: &mut Copier<'_>,
        body: Region,
        types: &[Type],
        (counter, limit): (usize, Value),
    ) -> Region {
        let from = copy.from;
        let new = copy.b.open(types);
        copy.b.enter(new);
        for (i, &param) in from.regions[body].params.iter().enumerate() {
            let value = copy.b.p.regions[new].params[i];
            copy.set(param, value);
        }
        let (insts, yielded) = (&from.regions[body].insts, from.yielded(body));
        for inst in &insts[..insts.len() - 1] {
            if from.insts[*inst].results[..] != yielded[..1] {
                copy.insts(&[*inst], self);
            }
        }
        let mut next: Values = yielded[1..].iter().map(|&value| copy.get(value)).collect();
        let again = copy.b.op(Op::Lt, &[next[counter], limit]);
        next.insert(0, again);
        copy.b.end(&next);
        new
    }
}
