//! Cuts a program at its grid syncs into stages.
//!
//! [`mod@crate::fission`] cuts it for the level of the grid and says where values live between pieces; every piece that
//! does something is a stage. What a stage needs of another is in two buffers ([`layout`]): the state, which only the
//! control program writes and which has the values that are the same for all invocations and that control flow moves;
//! and the saved values, which stages write: once for the grid what the grid agrees on, for each invocation all
//! else. A value that is computed again is not kept anywhere. [`graph`] is how stages follow each other, [`stage`] and
//! [`control`] make the programs, [`memory`] says which workgroup and private memory outlasts a stage.
//!
//! A stage never reads a place of the buffers that it writes for another invocation to read.

mod control;
mod emit;
mod graph;
mod layout;
mod memory;
mod stage;

use crate::fission::{Level, fission, mark_cuts};
use crate::rewrite::{Copier, Values, rewrite};
use crate::stages::Staged;
use graph::Graph;
use layout::Layout;
use smallvec::smallvec;
use vyre_ir::uniform::{Scope, Uniformity, analyze};
use vyre_ir::{Diagnostic, Effect, Inst, InstData, Op, Program, Region, SideTable, Value};

/// The stages of a verified program.
///
/// # Errors
/// When an invocation has to keep more than a device could hold for a grid.
pub fn split(p: &Program) -> Result<Staged, Diagnostic> {
    let p = &agreed(p);
    let cuts = mark_cuts(p, Op::syncs_grid);
    let uniform = analyze(p, Scope::Grid);
    let known = Known::find(p, &cuts, &uniform);
    let level = Level {
        cuts: &cuts,
        once: &known.once,
        known: &known.known,
        again: &|data| again(p, data),
        handed_over: &|data| (data.op == Op::GridUniform).then(|| (data.args[0], data.results[0])),
    };
    let parts = fission(p, &level);
    let mut graph = Graph::new(p, &parts, &known.once, false);
    if memory::starts_as_zero(p, &graph) {
        graph = Graph::new(p, &parts, &known.once, true);
    }
    let layout = Layout::new(p, &parts, &graph, &known, &uniform)?;
    let source = Source { p, layout: &layout };
    let (stages, recomputed) = stage::stages(&source, &graph);
    let control = (graph.decides()).then(|| control::control(&source, &graph));
    Ok(layout.staged(stages, control, recomputed))
}

/// Whether a program waits for its grid.
pub fn waits(p: &Program) -> bool {
    let mut found = false;
    p.walk(p.body, &mut |inst| found |= p.insts[inst].op.syncs_grid());
    found
}

/// What stages are made of.
#[derive(Copy, Clone)]
struct Source<'a> {
    p: &'a Program,
    layout: &'a Layout,
}

/// The program without grid syncs that agree on what is the same anyway.
fn agreed(p: &Program) -> Program {
    let uniform = analyze(p, Scope::Grid);
    rewrite(p, &mut |copy: &mut Copier<'_>, inst: Inst, args: &[Value]| -> Option<Values> {
        let data = &copy.from.insts[inst];
        let plain = data.op == Op::GridUniform && uniform.value(data.args[0]);
        plain.then(|| {
            copy.b.sync(Op::GridSync);
            smallvec![args[0]]
        })
    })
}

/// What computing an instruction again takes: beside what is cheap anywhere, reads of memory that nobody writes.
fn again(p: &Program, data: &InstData) -> Option<u8> {
    match data.op {
        Op::Const => Some(0),
        Op::Length => Some(1),
        Op::Load if p.effect(data) == Effect::Pure => Some(2),
        _ => crate::fission::again(p, data),
    }
}

/// What is known of values of the grid's level.
struct Known {
    /// Values that control flow moves or that a grid sync gave, and that are the same for all invocations.
    once: SideTable<Value, bool>,
    /// Values that follow from these, from constants, from the grid's size, and from memory that nobody writes.
    known: SideTable<Value, bool>,
}

impl Known {
    fn find(p: &Program, cuts: &SideTable<Inst, bool>, uniform: &Uniformity) -> Known {
        let mut found = Known { once: SideTable::new(false), known: SideTable::new(false) };
        found.region(p, p.body, cuts, uniform);
        found
    }

    fn region(&mut self, p: &Program, region: Region, cuts: &SideTable<Inst, bool>, uniform: &Uniformity) {
        for &inst in &p.regions[region].insts {
            let data = &p.insts[inst];
            if !cuts[inst] {
                let known = follows(p, data) && data.args.iter().all(|&arg| self.known[arg]);
                data.results.iter().for_each(|&result| self.known[result] = known);
                continue;
            }
            let params = data.regions.iter().flat_map(|&region| &p.regions[region].params);
            for &value in params {
                self.hold(value, uniform.value(value));
            }
            for &inner in &data.regions {
                self.region(p, inner, cuts, uniform);
            }
            for (i, &result) in data.results.iter().enumerate() {
                // The result of a loop is where its parameter is.
                let value = if data.op == Op::Loop { p.regions[data.regions[0]].params[i] } else { result };
                self.hold(result, uniform.value(value));
            }
        }
    }

    fn hold(&mut self, value: Value, once: bool) {
        self.once[value] = once;
        self.known[value] = once;
    }
}

/// Whether an instruction gives the same in the control program as in a stage if its operands are the same.
fn follows(p: &Program, data: &InstData) -> bool {
    let position = matches!(
        data.op,
        Op::GlobalId
            | Op::LocalId
            | Op::WorkgroupId
            | Op::LocalIndex
            | Op::SubgroupSize
            | Op::SubgroupLane
            | Op::SubgroupId
            | Op::NumSubgroups
            | Op::QueueItem
    );
    p.effect(data) == Effect::Pure && !position
}
