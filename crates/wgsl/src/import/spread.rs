//! Takes grid syncs out of the branches that early returns make.
//!
//! An invocation that returned takes part in no more work, and nobody waits for it. What follows an early return is a side
//! of a branch when it comes here, `if returned { } else { rest }`, where a grid sync may not be. So the branch is taken
//! apart, and its guard spread over the rest: what others could notice (loads of memory that is written, stores, atomics,
//! subgroup operations, and control flow with them) runs in branches of its own, and everything else runs for all. All
//! operations are total, so those that returned may compute as well. What they get from a guarded instruction is 0, what
//! they find in variables is of no matter.
//!
//! What is the same for the whole grid must stay so, for the conditions around grid syncs. So an access at an index that
//! is the same for all runs for all, where nobody notices it: in private memory and in memory that nobody writes. Others of
//! these are guarded, since invocations that returned may have no place there. A branch or a loop that gives something
//! that is the same for all, or leaves it in private memory, is not guarded as a whole either: its guard is spread over
//! its regions. What is the same is found out after branches are taken apart and before anything is guarded.
//!
//! A return inside a loop is left alone: it makes the loop's end differ between invocations, which the verifier explains.

use smallvec::SmallVec;
use std::collections::{HashMap, HashSet};
use vyre_ir::program::splat_bits;
use vyre_ir::uniform::{self, Scope, Uniformity};
use vyre_ir::*;

/// Spreads the guards of a finished program. `last` are branches outside of loops, and which of their sides end only in
/// a return.
pub fn spread(p: &mut Program, last: &[(Inst, [bool; 2])]) {
    if last.is_empty() {
        return;
    }
    let mut holds = HashSet::new();
    if !find(p, p.body, &|inst| p.insts[inst].op.syncs_grid(), &mut holds) {
        return;
    }
    let uniform = uniform::analyze(p, Scope::Grid);
    let mut guards = HashMap::new();
    for &(inst, [yes, no]) in last {
        let data = &p.insts[inst];
        let [a, b] = [data.regions[0], data.regions[1]].map(|region| holds.contains(&region));
        let rest = match (a, b) {
            (false, true) if yes => 1,
            (true, false) if no => 0,
            // What the rest leaves may decide about a grid sync later.
            (false, false) if leaves_something(p, data) => yes as usize,
            _ => continue,
        };
        if !uniform.value(data.args[0]) {
            guards.insert(inst, rest);
        }
    }
    if guards.is_empty() {
        return;
    }
    let mut apart = Apart { p, guards, live: HashMap::new(), same: HashMap::new(), holds };
    let body = apart.p.body;
    apart.region(body, None);
    let Apart { mut live, same, holds, .. } = apart;
    let mut all = Vec::new();
    p.walk(body, &mut |inst| all.push(inst));
    let mut uses = SideTable::new(0);
    let mut used = |value: &mut Value| {
        while let Some(&other) = same.get(value) {
            *value = other;
        }
        uses[*value] += 1;
    };
    all.into_iter().for_each(|inst| p.insts[inst].args.iter_mut().for_each(&mut used));
    live.values_mut().for_each(|live| used(&mut live.value));
    let uniform = uniform::analyze(p, Scope::Grid);
    Spread { p, holds, live, uniform, uses }.region(body, None);
}

/// Whether control flow has results or writes private memory.
fn leaves_something(p: &Program, data: &InstData) -> bool {
    let mut writes = false;
    for &region in &data.regions {
        p.walk(region, &mut |inst| writes |= own_store(p, &p.insts[inst]).is_some());
    }
    writes || !data.results.is_empty()
}

/// The private memory that an instruction writes.
fn own_store(p: &Program, data: &InstData) -> Option<Buffer> {
    let buffer = p.buffer_of(data).filter(|_| data.op == Op::Store)?;
    (p.buffers[buffer].memory == Memory::Private).then_some(buffer)
}

/// Adds the regions with such an instruction in them.
fn find(p: &Program, region: Region, wanted: &dyn Fn(Inst) -> bool, holds: &mut HashSet<Region>) -> bool {
    let mut found = false;
    for &inst in &p.regions[region].insts {
        found |= wanted(inst);
        for &inner in &p.insts[inst].regions {
            found |= find(p, inner, wanted, holds);
        }
    }
    if found {
        holds.insert(region);
    }
    found
}

/// Who runs an instruction.
#[derive(Copy, Clone, PartialEq)]
struct Live {
    /// Whether this invocation does.
    value: Value,
    /// The branch that says so.
    loc: Loc,
}

/// Takes branches apart.
struct Apart<'p> {
    p: &'p mut Program,
    /// The branches, and which side is the rest.
    guards: HashMap<Inst, usize>,
    /// Who runs instructions that come from them. Those in their regions are run by the same.
    live: HashMap<Inst, Live>,
    /// Results of branches, and the values that they are for who did not return.
    same: HashMap<Value, Value>,
    /// The regions with a grid sync or such a branch in them.
    holds: HashSet<Region>,
}

impl Apart<'_> {
    fn region(&mut self, region: Region, live: Option<Live>) -> bool {
        let insts = std::mem::take(&mut self.p.regions[region].insts);
        let mut to = Vec::new();
        let found = self.list(insts, live, &mut to);
        self.p.regions[region].insts = to;
        if found {
            self.holds.insert(region);
        }
        found
    }

    /// Adds instructions, and says whether a branch was among them, or in their regions.
    fn list(&mut self, insts: Vec<Inst>, live: Option<Live>, to: &mut Vec<Inst>) -> bool {
        let mut found = false;
        for inst in insts {
            if let Some(&rest) = self.guards.get(&inst) {
                self.branch(inst, rest, live, to);
                found = true;
                continue;
            }
            self.live.extend(live.map(|live| (inst, live)));
            for region in self.p.insts[inst].regions.clone() {
                found |= self.region(region, live);
            }
            to.push(inst);
        }
        found
    }

    /// A branch becomes one of only the side that returns, and then the rest.
    fn branch(&mut self, inst: Inst, rest: usize, live: Option<Live>, to: &mut Vec<Inst>) {
        let data = self.p.insts[inst].clone();
        let (condition, loc) = (data.args[0], data.loc);
        let not = typed(self.p, Op::Not, &[condition], Scalar::Bool, loc, to);
        let [gone, here] = if rest == 1 { [condition, not] } else { [not, condition] };
        let [leaving, staying] = [data.regions[1 - rest], data.regions[rest]];
        let end = *self.p.regions[leaving].insts.last().expect("a region ends in a yield");
        let there = std::mem::take(&mut self.p.insts[end].args);
        if self.p.regions[leaving].insts.len() > 1 {
            let mut nothing = Vec::new();
            insert(self.p, Op::Yield, &[], loc, &mut nothing);
            let nothing = self.p.regions.push(RegionData { params: SmallVec::new(), insts: nothing });
            let branch = insert(self.p, Op::If, &[gone], loc, to);
            self.p.insts[branch].regions = SmallVec::from_slice(&[leaving, nothing]);
            self.live.extend(live.map(|live| (branch, live)));
        }
        let value = match live {
            Some(live) => typed(self.p, Op::And, &[live.value, here], Scalar::Bool, loc, to),
            None => here,
        };
        let mut insts = std::mem::take(&mut self.p.regions[staying].insts);
        let end = insts.pop().expect("a region ends in a yield");
        self.list(insts, Some(Live { value, loc }), to);
        let here = self.p.insts[end].args.clone();
        for ((result, there), here) in data.results.into_iter().zip(there).zip(here) {
            // It may be the flag that says who returned.
            let flag = self.p.ty(result) == Scalar::Bool.into() && self.p.splat_constant(there) == Some(1);
            let value = match flag {
                true => typed(self.p, Op::Or, &[gone, here], Scalar::Bool, loc, to),
                false => here,
            };
            self.same.insert(result, value);
        }
    }
}

/// Guards instructions.
struct Spread<'p> {
    p: &'p mut Program,
    /// The regions with a grid sync in them, or a branch that was taken apart.
    holds: HashSet<Region>,
    live: HashMap<Inst, Live>,
    uniform: Uniformity,
    /// How often each value is used.
    uses: SideTable<Value, u32>,
}

/// A region in the making.
#[derive(Default)]
struct Out {
    insts: Vec<Inst>,
    /// What is to be guarded next, what it defines, and for whom it is.
    group: Vec<Inst>,
    defined: HashSet<Value>,
    live: Option<Live>,
}

impl Spread<'_> {
    fn region(&mut self, region: Region, live: Option<Live>) {
        let insts = std::mem::take(&mut self.p.regions[region].insts);
        let mut out = Out { live, ..Out::default() };
        for inst in insts {
            let live = self.live.get(&inst).copied().or(live);
            if out.live != live {
                self.close(&mut out);
                out.live = live;
            }
            self.inst(inst, live, &mut out);
        }
        self.p.regions[region].insts = out.insts;
    }

    fn inst(&mut self, inst: Inst, live: Option<Live>, out: &mut Out) {
        let data = &self.p.insts[inst];
        let gives_the_same = || data.results.iter().any(|&v| self.uniform.value(v));
        let Some(Live { value, .. }) = live else {
            for region in data.regions.clone() {
                self.region(region, live);
            }
            out.insts.push(inst);
            return;
        };
        match data.op {
            Op::Yield | Op::GridSync => self.close(out),
            Op::GridUniform => {
                let (loc, passed, takes_part) = (data.loc, data.args[0], data.args[1]);
                self.close(out);
                let ty = self.p.ty(passed);
                let zero = zero(self.p, ty, loc, &mut out.insts);
                let passed = typed(self.p, Op::Select, &[value, passed, zero], ty, loc, &mut out.insts);
                let takes_part =
                    typed(self.p, Op::And, &[value, takes_part], Scalar::Bool, loc, &mut out.insts);
                self.p.insts[inst].args = SmallVec::from_slice(&[passed, takes_part]);
            }
            _ if data.regions.iter().any(|region| self.holds.contains(region))
                || !data.regions.is_empty() && (gives_the_same() || self.leaves_the_same(data)) =>
            {
                let regions = data.regions.clone();
                self.close(out);
                regions.into_iter().for_each(|region| self.region(region, live));
            }
            _ if !self.is_free(data) || data.args.iter().any(|arg| out.defined.contains(arg)) => {
                out.defined.extend(&data.results);
                out.group.push(inst);
                return;
            }
            _ => {
                if self.p.effect(data) != Effect::Pure {
                    self.close(out);
                }
            }
        }
        out.insts.push(inst);
    }

    /// Whether control flow leaves something in private memory that is the same for all.
    fn leaves_the_same(&self, data: &InstData) -> bool {
        let mut found = false;
        for &region in &data.regions {
            self.p.walk(region, &mut |inst| {
                found |=
                    own_store(self.p, &self.p.insts[inst]).is_some_and(|buffer| self.uniform.buffer(buffer));
            });
        }
        found
    }

    /// Whether those that returned may do it as well.
    fn is_free(&self, data: &InstData) -> bool {
        let Some(buffer) = self.p.buffer_of(data).filter(|_| data.op != Op::Length) else {
            return self.p.effect(data) == Effect::Pure;
        };
        let own = self.p.buffers[buffer].memory == Memory::Private && matches!(data.op, Op::Load | Op::Store);
        (own || self.p.effect(data) == Effect::Pure) && self.uniform.value(data.args[0])
    }

    /// Ends a group: its instructions become a branch of those that are left.
    fn close(&mut self, out: &mut Out) {
        out.defined.clear();
        let group = std::mem::take(&mut out.group);
        let (false, Some(Live { value, loc, .. })) = (group.is_empty(), out.live) else { return };
        let mut inside: HashMap<Value, u32> = HashMap::new();
        let mut all = Vec::new();
        for &inst in &group {
            all.push(inst);
            for &region in &self.p.insts[inst].regions {
                self.p.walk(region, &mut |inst| all.push(inst));
            }
        }
        for &inst in &all {
            self.p.insts[inst].args.iter().for_each(|&arg| *inside.entry(arg).or_default() += 1);
        }
        // What is used outside becomes a result of the branch, and is another value inside.
        let mut names: HashMap<Value, Value> = HashMap::new();
        let (mut outer, mut inner) = (SmallVec::new(), Vec::new());
        for &inst in &group {
            for i in 0..self.p.insts[inst].results.len() {
                let result = self.p.insts[inst].results[i];
                if self.uses[result] > inside.get(&result).copied().unwrap_or(0) {
                    let data = self.p.values[result];
                    let new = self.p.values.push(data);
                    self.p.insts[inst].results[i] = new;
                    names.insert(result, new);
                    outer.push(result);
                    inner.push(new);
                }
            }
        }
        for inst in all {
            for arg in &mut self.p.insts[inst].args {
                *arg = names.get(arg).copied().unwrap_or(*arg);
            }
        }
        let mut sides = [group, Vec::new()];
        insert(self.p, Op::Yield, &inner, loc, &mut sides[0]);
        let zeros: Vec<Value> =
            inner.iter().map(|&v| zero(self.p, self.p.ty(v), loc, &mut sides[1])).collect();
        insert(self.p, Op::Yield, &zeros, loc, &mut sides[1]);
        let branch = insert(self.p, Op::If, &[value], loc, &mut out.insts);
        for insts in sides {
            let region = self.p.regions.push(RegionData { params: SmallVec::new(), insts });
            self.p.insts[branch].regions.push(region);
        }
        for &result in &outer {
            self.p.values[result].def = Def::Result(branch);
        }
        self.p.insts[branch].results = outer;
    }
}

fn insert(p: &mut Program, op: Op, args: &[Value], loc: Loc, to: &mut Vec<Inst>) -> Inst {
    let inst = p.insts.push(InstData {
        op,
        attr: Attr::None,
        args: SmallVec::from_slice(args),
        results: SmallVec::new(),
        regions: SmallVec::new(),
        loc,
    });
    to.push(inst);
    inst
}

/// An instruction of one result.
fn typed(
    p: &mut Program,
    op: Op,
    args: &[Value],
    ty: impl Into<Type>,
    loc: Loc,
    to: &mut Vec<Inst>,
) -> Value {
    let inst = insert(p, op, args, loc, to);
    let value = p.values.push(ValueData { ty: ty.into(), def: Def::Result(inst) });
    p.insts[inst].results.push(value);
    value
}

fn zero(p: &mut Program, ty: Type, loc: Loc, to: &mut Vec<Inst>) -> Value {
    let value = typed(p, Op::Const, &[], ty, loc, to);
    let Def::Result(inst) = p.values[value].def else { unreachable!("it was made just now") };
    p.insts[inst].attr = Attr::Bits(splat_bits(ty, 0));
    value
}
