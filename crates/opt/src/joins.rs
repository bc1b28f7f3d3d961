//! Results of regions that are no choice: the same from every side, the condition itself, never changed
//! around a loop, or always equal to another one.

use crate::Target;
use crate::edit::{Edit, Editor, Step, edit};
use rustc_hash::FxHashMap;
use smallvec::SmallVec;
use vyre_ir::{Attr, Inst, Op, Program, Region, Scalar, SideTable, Value};

/// Replaces results and parameters that are other values.
pub fn joins(p: &mut Program, _: &Target) -> bool {
    let mut used = SideTable::new(false);
    p.walk(p.body, &mut |inst| p.insts[inst].args.iter().for_each(|&arg| used[arg] = true));
    edit(p, &mut Joins { used, outside: SideTable::new(false) })
}

struct Joins {
    /// Values that are operands. Replacing others would be a change that changes nothing, in every round.
    used: SideTable<Value, bool>,
    /// Values defined by what was visited: at a loop, those that the loop does not define.
    outside: SideTable<Value, bool>,
}

impl Edit for Joins {
    fn before(&mut self, e: &mut Editor<'_>, inst: Inst) -> Step {
        if e.p.insts[inst].op == Op::Loop {
            self.unchanging(e, inst);
            self.equal_params(e, inst);
        }
        for i in 0..e.p.insts[inst].results.len() {
            if e.p.insts[inst].regions.is_empty() {
                self.outside[e.p.insts[inst].results[i]] = true;
            }
        }
        Step::Keep
    }

    fn after(&mut self, e: &mut Editor<'_>, inst: Inst) -> Step {
        match e.p.insts[inst].op {
            Op::Loop => self.loop_results(e, inst),
            _ => self.branch_results(e, inst),
        }
        self.equal_results(e, inst);
        for i in 0..e.p.insts[inst].results.len() {
            self.outside[e.p.insts[inst].results[i]] = true;
        }
        Step::Keep
    }

    fn enter(&mut self, e: &mut Editor<'_>, region: Region) {
        for &param in &e.p.regions[region].params {
            self.outside[param] = true;
        }
    }
}

/// How often the classes of parameters that may be equal are refined before giving up on a loop.
const ROUNDS: usize = 4;

impl Joins {
    /// Parameters that every iteration passes on or sets to what they began with, and results from outside
    /// the loop.
    fn unchanging(&self, e: &mut Editor<'_>, inst: Inst) {
        let body = e.p.insts[inst].regions[0];
        let next = e.yielded(body);
        for i in 0..e.p.insts[inst].args.len() {
            let (param, result) = (e.p.regions[body].params[i], e.p.insts[inst].results[i]);
            let init = e.p.insts[inst].args[i];
            if next[i + 1] == param || next[i + 1] == init {
                self.replace(e, param, init);
                self.replace(e, result, init);
            } else if self.outside[next[i + 1]] {
                self.replace(e, result, next[i + 1]);
            }
        }
    }

    /// Results that are constants, or follow from the loop having ended.
    fn loop_results(&self, e: &mut Editor<'_>, inst: Inst) {
        let next = e.yielded(e.p.insts[inst].regions[0]);
        for i in 0..e.p.insts[inst].results.len() {
            let (value, result) = (next[i + 1], e.p.insts[inst].results[i]);
            if !self.used[result] || is_replaced(e, result) {
                continue;
            }
            if value == next[0] {
                let ended = e.splat(Scalar::Bool.into(), 0, e.p.insts[inst].loc.derived("joins"));
                self.replace(e, result, ended);
            } else if let Some(bits) = e.p.constant(value) {
                self.constant(e, inst, result, bits);
            }
        }
    }

    /// Results of a branch that are the same from every side, or its condition.
    fn branch_results(&self, e: &mut Editor<'_>, inst: Inst) {
        let regions = e.p.insts[inst].regions.clone();
        if regions.len() < 2 {
            return;
        }
        for i in 0..e.p.insts[inst].results.len() {
            let result = e.p.insts[inst].results[i];
            if !self.used[result] {
                continue;
            }
            let side = |e: &Editor<'_>, r: Region| e.p.yielded(r)[i];
            let first = side(e, regions[0]);
            if regions.iter().all(|&r| side(e, r) == first) {
                self.replace(e, result, first);
                continue;
            }
            let Some(bits) = e.p.constant(first) else { continue };
            if regions.iter().all(|&r| e.p.constant(side(e, r)) == Some(bits)) {
                self.constant(e, inst, result, bits);
            } else if e.p.insts[inst].op == Op::If
                && e.p.ty(result) == Scalar::Bool.into()
                && e.p.constant(side(e, regions[1])).is_some()
            {
                // Two different constants.
                let condition = e.p.insts[inst].args[0];
                let loc = e.p.insts[inst].loc.derived("joins");
                let value = match bits[0] {
                    0 => e.make(Op::Not, Attr::None, &[condition], Scalar::Bool.into(), loc),
                    _ => condition,
                };
                self.replace(e, result, value);
            }
        }
    }

    /// Parameters that begin equal and are given equal values: found by assuming it and splitting what
    /// contradicts.
    fn equal_params(&self, e: &mut Editor<'_>, inst: Inst) {
        let body = e.p.insts[inst].regions[0];
        let params = e.p.regions[body].params.clone();
        if params.len() < 2 {
            return;
        }
        let next = e.yielded(body);
        // The class of a parameter is the index of its first member.
        let mut class: Vec<usize> = group(&e.p.insts[inst].args);
        let place: FxHashMap<Value, usize> = params.iter().enumerate().map(|(i, &v)| (v, i)).collect();
        for _ in 0..ROUNDS {
            let keys: Vec<(usize, Value)> = (0..params.len())
                .map(|i| {
                    let value = next[i + 1];
                    (class[i], place.get(&value).map_or(value, |&k| params[class[k]]))
                })
                .collect();
            let refined = group(&keys);
            if refined == class {
                for i in 0..params.len() {
                    if class[i] != i && !is_replaced(e, params[i]) && !is_replaced(e, params[class[i]]) {
                        self.replace(e, params[i], params[class[i]]);
                    }
                }
                return;
            }
            class = refined;
        }
    }

    /// Results that are yielded as the same values from every side.
    fn equal_results(&self, e: &mut Editor<'_>, inst: Inst) {
        let data = &e.p.insts[inst];
        if data.results.len() < 2 {
            return;
        }
        let skip = (data.op == Op::Loop) as usize;
        let mut first: FxHashMap<SmallVec<[Value; 2]>, Value> = FxHashMap::default();
        for i in 0..data.results.len() {
            let data = &e.p.insts[inst];
            let result = data.results[i];
            let sides = data.regions.iter().map(|&r| e.p.yielded(r)[skip + i]).collect();
            if !self.used[result] || is_replaced(e, result) {
                continue;
            }
            let other = *first.entry(sides).or_insert(result);
            if other != result {
                self.replace(e, result, other);
            }
        }
    }

    fn constant(&self, e: &mut Editor<'_>, inst: Inst, result: Value, bits: [u64; 4]) {
        let (ty, loc) = (e.p.ty(result), e.p.insts[inst].loc.derived("joins"));
        let value = e.make(Op::Const, Attr::Bits(bits), &[], ty, loc);
        self.replace(e, result, value);
    }

    fn replace(&self, e: &mut Editor<'_>, old: Value, new: Value) {
        if self.used[old] && !is_replaced(e, old) && old != new {
            e.alias(old, new);
        }
    }
}

/// For every item the index of the first one equal to it.
fn group<T: Copy + Eq + std::hash::Hash>(items: &[T]) -> Vec<usize> {
    let mut first = FxHashMap::default();
    items.iter().enumerate().map(|(i, item)| *first.entry(*item).or_insert(i)).collect()
}

fn is_replaced(e: &Editor<'_>, value: Value) -> bool {
    e.resolve(value) != value
}
