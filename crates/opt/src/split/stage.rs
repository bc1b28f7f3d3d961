//! The programs of stages: a piece, with what it needs read before it and what others need of it written after it.

use super::Source;
use super::emit::{Emit, plain};
use super::graph::Graph;
use super::layout::Place;
use crate::fission::Piece;
use vyre_ir::{Inst, Op, Program, SideTable, Value};

/// The stages, and how many instructions are computed again in them.
pub(super) fn stages(source: &Source<'_>, graph: &Graph<'_>) -> (Vec<Program>, usize) {
    let mut times: SideTable<Inst, usize> = SideTable::new(0);
    let stages = graph.stages.iter().enumerate().map(|(i, piece)| {
        let mut emit = Emit::new(*source, format!("{}_stage{i}", source.p.name), false);
        emit.shared = source.layout.shared.filter(|_| source.layout.shares[i]);
        emit.restore(i);
        emit.piece(piece);
        emit.keep(i);
        piece.insts.iter().chain(&emit.again).for_each(|&inst| times[inst] += 1);
        emit.copy.b.finish()
    });
    let stages = stages.collect();
    let insts = source.p.insts.iter().filter(|(_, data)| data.op != Op::Const);
    let recomputed = insts.map(|(inst, _)| times[inst].saturating_sub(1)).sum();
    (stages, recomputed)
}

impl Emit<'_> {
    fn piece(&mut self, piece: &Piece) {
        let p = self.source.p;
        for value in needed(p, piece) {
            self.get(value);
        }
        self.copy.insts(&piece.insts, &mut plain);
        let made = piece.insts.iter().flat_map(|&inst| &p.insts[inst].results);
        let mut out: Vec<(Place, Value)> = made
            .map(|&value| (value, value))
            .chain(piece.copies.iter().copied())
            .map(|(from, to)| (self.source.layout.place[to], self.copy.get(from)))
            .filter(|(place, _)| *place != Place::None)
            .collect();
        out.retain(|&(place, value)| {
            let each = matches!(place, Place::Each(_));
            if each {
                self.store(place, value);
            }
            !each
        });
        if out.is_empty() {
            return;
        }
        let invocation = self.grid().invocation;
        let b = &mut self.copy.b;
        let zero = b.u32(0);
        let first = b.op(Op::Eq, &[invocation, zero]);
        let then = b.open(&[]);
        self.copy.b.enter(then);
        for (place, value) in out {
            self.store(place, value);
        }
        self.copy.b.end(&[]);
        let otherwise = self.copy.b.region(&[], |_, _| Vec::new());
        self.copy.b.branch(first, then, otherwise);
    }
}

/// Values from outside that a piece uses, in the order of their uses.
fn needed(p: &Program, piece: &Piece) -> Vec<Value> {
    let mut seen = SideTable::new(false);
    let mut needed = Vec::new();
    let mut look = |inst: Inst| {
        let data = &p.insts[inst];
        for &arg in &data.args {
            if !std::mem::replace(&mut seen[arg], true) {
                needed.push(arg);
            }
        }
        // Uses come after definitions, save those of what a region yields, which are inside of it.
        let params = data.regions.iter().flat_map(|&region| &p.regions[region].params);
        data.results.iter().chain(params).for_each(|&value| seen[value] = true);
    };
    for &inst in &piece.insts {
        look(inst);
        p.insts[inst].regions.iter().for_each(|&region| p.walk(region, &mut look));
    }
    for &(from, _) in &piece.copies {
        if !std::mem::replace(&mut seen[from], true) {
            needed.push(from);
        }
    }
    needed
}
