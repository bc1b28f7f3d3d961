//! Where values are kept: liveness and the reuse of slots.
//!
//! A slot holds one scalar of every invocation. An invocation's own path through the program is in program order
//! except for loops, so a slot is free again after the value's last use in program order, or after the outermost loop
//! that holds a use but not the definition. That is true under every schedule, because slots are per invocation.

use vyre_ir::{Entity, Inst, Op, Program, Region, SideTable, Value};

/// Which values are not needed any more once an instruction, with its regions, is done.
pub(crate) struct Deaths {
    /// Values in the order of the instruction that ends them.
    values: Vec<Value>,
    /// For each instruction, the end of its values in that list.
    ends: Vec<u32>,
}

impl Deaths {
    pub fn of(program: &Program) -> Deaths {
        let mut walk =
            Walk { program, last: SideTable::new(None), depth: SideTable::new(0), loops: Vec::new() };
        walk.region(program.body);
        let last = |v: Value| walk.last[v].map(Inst::index);
        // Counting sort by instruction.
        let mut ends = vec![0u32; program.insts.len() + 1];
        for inst in program.values.keys().filter_map(last) {
            ends[inst + 1] += 1;
        }
        for i in 1..ends.len() {
            ends[i] += ends[i - 1];
        }
        let total = *ends.last().expect("one more than instructions") as usize;
        let mut values = vec![Value::new(0); total];
        for value in program.values.keys() {
            if let Some(inst) = last(value) {
                values[ends[inst] as usize] = value;
                ends[inst] += 1;
            }
        }
        Deaths { values, ends }
    }

    /// The values that end with `inst`.
    pub fn after(&self, inst: Inst) -> &[Value] {
        let start = inst.index().checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.values[start as usize..self.ends[inst.index()] as usize]
    }
}

struct Walk<'p> {
    program: &'p Program,
    /// The instruction after which a value is dead.
    last: SideTable<Value, Option<Inst>>,
    /// Number of loops around a value's definition.
    depth: SideTable<Value, u32>,
    /// The loops around this place, outermost first.
    loops: Vec<Inst>,
}

impl Walk<'_> {
    fn region(&mut self, region: Region) {
        // Parameters of a loop share the slots of its results and end with those.
        for &param in &self.program.regions[region].params {
            self.depth[param] = self.loops.len() as u32;
        }
        for &inst in &self.program.regions[region].insts {
            let data = &self.program.insts[inst];
            for &arg in &data.args {
                let outside = self.loops.get(self.depth[arg] as usize).copied();
                if self.last[arg].is_some() {
                    self.last[arg] = Some(outside.unwrap_or(inst));
                }
            }
            if data.op == Op::Loop {
                self.loops.push(inst);
            }
            for &inner in &data.regions {
                self.region(inner);
            }
            if data.op == Op::Loop {
                self.loops.pop();
            }
            for &result in &data.results {
                self.depth[result] = self.loops.len() as u32;
                self.last[result] = Some(inst);
            }
        }
    }
}

/// Hands out slots and takes them back.
#[derive(Default)]
pub(crate) struct Slots {
    free: Vec<usize>,
    /// The most slots in use at once.
    pub count: usize,
}

impl Slots {
    pub fn take(&mut self) -> usize {
        self.free.pop().unwrap_or_else(|| {
            self.count += 1;
            self.count - 1
        })
    }

    pub fn give(&mut self, slot: usize) {
        self.free.push(slot);
    }
}
