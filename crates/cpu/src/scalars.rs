//! Which values of the workgroup level are the same for all invocations by construction: computed by pure operations
//! from constants, workgroup ids, read-only memory, uniform loads and values of the grid. They are computed once for a workgroup.

use vyre_ir::{Effect, Inst, InstData, Memory, Op, Program, Region, Rule, SideTable, Value};

/// How often loop parameters are tried as scalars before all that are left are given up.
const MAX_ROUNDS: usize = 32;

/// Finds the scalars of a program whose instructions that are or hold a cut are `cuts`. Inside control flow without
/// a cut nothing is marked. With `in_place` nothing that loads is a scalar: scalars are computed before the piece that
/// they stand in, and loads may be reported in the order in which they are written.
pub(crate) fn find(p: &Program, cuts: &SideTable<Inst, bool>, in_place: bool) -> SideTable<Value, bool> {
    let (scalar, given_up) = (SideTable::new(false), SideTable::new(false));
    let mut finder = Finder { p, cuts, in_place, scalar, given_up };
    // All loop parameters start as scalars; those that a turn of the loop contradicts are given up, until none is.
    for round in 0.. {
        if !finder.region(p.body, round >= MAX_ROUNDS) {
            break;
        }
    }
    finder.scalar
}

/// Whether an operation says which invocation of the workgroup this is.
fn is_position(op: Op) -> bool {
    matches!(op, Op::GlobalId | Op::LocalId | Op::LocalIndex | Op::SubgroupLane | Op::SubgroupId)
}

/// Whether an instruction reads memory of one invocation.
fn is_private(p: &Program, data: &InstData) -> bool {
    p.buffer_of(data).is_some_and(|b| data.op != Op::Length && p.buffers[b].memory == Memory::Private)
}

/// Whether an instruction is or holds a load.
fn loads(p: &Program, inst: Inst) -> bool {
    let data = &p.insts[inst];
    let mut found = data.op.info().rule == Rule::Load;
    for &region in &data.regions {
        p.walk(region, &mut |inner| found |= p.insts[inner].op.info().rule == Rule::Load);
    }
    found
}

struct Finder<'a> {
    p: &'a Program,
    cuts: &'a SideTable<Inst, bool>,
    in_place: bool,
    scalar: SideTable<Value, bool>,
    /// Loop parameters that are not scalars.
    given_up: SideTable<Value, bool>,
}

impl Finder<'_> {
    /// Classifies a workgroup-level region; gives whether a parameter was given up.
    fn region(&mut self, region: Region, give_up_all: bool) -> bool {
        let p = self.p;
        let mut changed = false;
        for &inst in &p.regions[region].insts {
            let data = &p.insts[inst];
            match data.op {
                Op::Loop if self.cuts[inst] => {
                    let body = data.regions[0];
                    let params = &p.regions[body].params;
                    for (&param, &init) in params.iter().zip(&data.args) {
                        self.given_up[param] |= give_up_all || !self.scalar[init];
                        self.scalar[param] = !self.given_up[param];
                    }
                    changed |= self.region(body, give_up_all);
                    let next = &p.yielded(body)[1..];
                    for ((&param, &next), &result) in params.iter().zip(next).zip(&data.results) {
                        if self.scalar[param] && !self.scalar[next] {
                            self.given_up[param] = true;
                            changed = true;
                        }
                        self.scalar[result] = self.scalar[param];
                    }
                }
                Op::If | Op::Switch if self.cuts[inst] => {
                    for &inner in &data.regions {
                        changed |= self.region(inner, give_up_all);
                    }
                    for (i, &result) in data.results.iter().enumerate() {
                        self.scalar[result] = data.regions.iter().all(|&r| self.scalar[p.yielded(r)[i]]);
                    }
                }
                Op::UniformLoad | Op::GridUniform => self.scalar[data.results[0]] = true,
                _ => {
                    let scalar = p.effect(data) == Effect::Pure
                        && !is_position(data.op)
                        && !is_private(p, data)
                        && (!self.in_place || !loads(p, inst))
                        && data.args.iter().all(|&v| self.scalar[v]);
                    for &result in &data.results {
                        self.scalar[result] = scalar;
                    }
                }
            }
        }
        changed
    }
}
