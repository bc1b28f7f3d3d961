//! Moves pure instructions whose operands do not change in a loop to before the loop.
//!
//! A loop's body runs at least once, so what stands in it directly costs nothing more outside. What stands in
//! a branch inside the loop might never have run: of that only cheap instructions are moved, and few, because
//! each occupies a register while the loop runs.

use crate::Target;
use crate::cost::{is_cheap, is_free};
use crate::edit::{Edit, Editor, Step, edit};
use vyre_ir::{Effect, Inst, Op, Program, Region, SideTable, Value};

/// Moves loop-invariant instructions out of loops.
pub fn licm(p: &mut Program, _: &Target) -> bool {
    edit(p, &mut Motion { loops: Vec::new(), level: SideTable::new(0) })
}

/// How many instructions are moved out of branches for each loop.
const SPECULATED: u32 = 8;

struct Motion {
    /// The open loops, outermost first.
    loops: Vec<Frame>,
    /// In how many of the open loops a value may change.
    level: SideTable<Value, u32>,
}

struct Frame {
    /// The list that the loop itself is in; its body's list is the next one.
    list: usize,
    speculated: u32,
}

impl Edit for Motion {
    fn before(&mut self, e: &mut Editor<'_>, inst: Inst) -> Step {
        let here = e.lists.len() - 1;
        let data = &e.p.insts[inst];
        if data.op == Op::Loop {
            for &result in &data.results {
                self.level[result] = self.loops.len() as u32;
            }
            self.loops.push(Frame { list: here, speculated: 0 });
            return Step::Keep;
        }
        let mut level = self.loops.len();
        let mut list = here;
        if e.p.effect(data) == Effect::Pure {
            let needs = data.args.iter().map(|&v| self.level[v]).max().unwrap_or(0) as usize;
            while level > needs {
                let frame = &mut self.loops[level - 1];
                if list > frame.list + 1 && !is_free(data) {
                    if !is_cheap(e.p, data) || frame.speculated == SPECULATED {
                        break;
                    }
                    frame.speculated += 1;
                }
                list = frame.list;
                level -= 1;
            }
        }
        for &result in &data.results {
            self.level[result] = level as u32;
        }
        if list == here {
            return Step::Keep;
        }
        e.lists[list].push(inst);
        Step::Drop
    }

    fn after(&mut self, e: &mut Editor<'_>, inst: Inst) -> Step {
        if e.p.insts[inst].op == Op::Loop {
            self.loops.pop();
        }
        Step::Keep
    }

    fn enter(&mut self, e: &mut Editor<'_>, region: Region) {
        for &param in &e.p.regions[region].params {
            self.level[param] = self.loops.len() as u32;
        }
    }
}
