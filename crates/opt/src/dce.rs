//! Dead code: values that no effect needs, whether results of instructions or of regions or carried around
//! loops.
//!
//! Live is what writes memory or waits for others, the control flow around it, and what these need. A branch
//! or loop in which nothing is live goes as a whole: a loop without effects that would never end may be
//! dropped.

use crate::Target;
use smallvec::{Array, SmallVec};
use vyre_ir::{Def, Effect, Inst, Op, Program, Region, SideTable, Value};

/// Removes dead instructions, results and loop-carried values.
pub fn dce(p: &mut Program, _: &Target) -> bool {
    let mut live = Live::new(p);
    live.run();
    let (insts, values) = (live.insts, live.values);
    let mut changed = false;
    let mut todo = vec![p.body];
    while let Some(region) = todo.pop() {
        let mut list = std::mem::take(&mut p.regions[region].insts);
        let before = list.len();
        list.retain(|&inst| insts[inst] || p.insts[inst].op == Op::Yield);
        changed |= list.len() != before;
        for &inst in &list {
            if !p.insts[inst].regions.is_empty() {
                changed |= trim(p, inst, &values);
                todo.extend(&p.insts[inst].regions);
            }
        }
        p.regions[region].insts = list;
    }
    changed
}

/// Removes the results of a branch or loop that nobody needs.
fn trim(p: &mut Program, inst: Inst, live: &SideTable<Value, bool>) -> bool {
    let data = &p.insts[inst];
    let is_loop = data.op == Op::Loop;
    let keep: SmallVec<[bool; 8]> = data
        .results
        .iter()
        .enumerate()
        .map(|(i, &result)| live[result] || is_loop && live[p.regions[data.regions[0]].params[i]])
        .collect();
    if keep.iter().all(|&k| k) {
        return false;
    }
    let regions = data.regions.clone();
    retain(&mut p.insts[inst].results, 0, &keep);
    if is_loop {
        retain(&mut p.insts[inst].args, 0, &keep);
        retain(&mut p.regions[regions[0]].params, 0, &keep);
    }
    for &region in &regions {
        let end = *p.regions[region].insts.last().expect("a region ends in a yield");
        retain(&mut p.insts[end].args, is_loop as usize, &keep);
    }
    true
}

/// Keeps the first `skip` values and of the rest those marked.
fn retain<A: Array<Item = Value>>(values: &mut SmallVec<A>, skip: usize, keep: &[bool]) {
    let mut i = 0;
    values.retain(|_| {
        i += 1;
        i <= skip || keep[i - 1 - skip]
    });
}

struct Live<'p> {
    p: &'p Program,
    insts: SideTable<Inst, bool>,
    values: SideTable<Value, bool>,
    /// The instruction in whose region an instruction is.
    parent: SideTable<Inst, Option<Inst>>,
    /// The instruction that has a region.
    owner: SideTable<Region, Option<Inst>>,
    /// The position of a value among the results of a branch or loop or among a region's parameters.
    place: SideTable<Value, u32>,
    todo: Vec<Value>,
}

impl<'p> Live<'p> {
    fn new(p: &'p Program) -> Live<'p> {
        Live {
            p,
            insts: SideTable::new(false),
            values: SideTable::new(false),
            parent: SideTable::new(None),
            owner: SideTable::new(None),
            place: SideTable::new(0),
            todo: Vec::new(),
        }
    }

    fn run(&mut self) {
        let p = self.p;
        let mut roots = Vec::new();
        // Regions, and whether they are in a loop.
        let mut regions = vec![(p.body, false)];
        while let Some((region, repeated)) = regions.pop() {
            for &inst in &p.regions[region].insts {
                let data = &p.insts[inst];
                if let Some(owner) = self.owner[region] {
                    self.parent[inst] = Some(owner);
                }
                for &inner in &data.regions {
                    self.owner[inner] = Some(inst);
                    self.places(&p.regions[inner].params);
                    regions.push((inner, repeated || data.op == Op::Loop));
                }
                if !data.regions.is_empty() {
                    self.places(&data.results);
                }
                // A loop around an atomic load may wait for another invocation.
                let waits = repeated && data.op == Op::AtomicLoad;
                if waits || matches!(p.effect(data), Effect::Writes | Effect::Syncs) {
                    roots.push(inst);
                }
            }
        }
        for inst in roots {
            self.inst(inst);
        }
        while let Some(value) = self.todo.pop() {
            match p.values[value].def {
                Def::Result(inst) => {
                    self.inst(inst);
                    if !p.insts[inst].regions.is_empty() {
                        self.carried(inst, self.place[value] as usize);
                    }
                }
                Def::Param(region) => {
                    let owner = self.owner[region].expect("a region with parameters has an owner");
                    self.inst(owner);
                    self.carried(owner, self.place[value] as usize);
                }
            }
        }
    }

    fn places(&mut self, values: &[Value]) {
        for (i, &value) in values.iter().enumerate() {
            self.place[value] = i as u32;
        }
    }

    fn value(&mut self, value: Value) {
        if !self.values[value] {
            self.values[value] = true;
            self.todo.push(value);
        }
    }

    /// An instruction has to run, and so do the branches and loops around it.
    fn inst(&mut self, inst: Inst) {
        let mut next = Some(inst);
        while let Some(inst) = next {
            if self.insts[inst] {
                return;
            }
            self.insts[inst] = true;
            let data = &self.p.insts[inst];
            match data.op {
                Op::Loop => self.value(self.p.yielded(data.regions[0])[0]),
                _ => data.args.iter().for_each(|&arg| self.value(arg)),
            }
            next = self.parent[inst];
        }
    }

    /// What a result of a branch, or a value carried around a loop, comes from.
    fn carried(&mut self, inst: Inst, i: usize) {
        let data = &self.p.insts[inst];
        let skip = (data.op == Op::Loop) as usize;
        for &region in &data.regions {
            self.value(self.p.yielded(region)[skip + i]);
        }
        if data.op == Op::Loop {
            self.value(data.args[i]);
        }
    }
}
