//! The control program: what happens between blocks of stages.
//!
//! It goes from decision to decision until one of them leads to a stage: a loop whose parameter says which decision is next,
//! and whose body is a switch over the decisions. What it computes it keeps in the state only.

use super::Source;
use super::emit::Emit;
use super::graph::{Decision, Graph, Node};
use super::layout::Place;
use crate::stages::{DONE, GRID, NEXT, TURNS, args};
use vyre_ir::{Attr, Case, Op, Program, Scalar, Value};

/// The control program of a graph with decisions.
pub(super) fn control(source: &Source<'_>, graph: &Graph<'_>) -> Program {
    let mut emit = Emit::new(*source, format!("{}_control", source.p.name), true);
    let state = source.layout.state.expect("a graph with decisions has a state");
    let codes = Codes { decisions: graph.decisions.len(), blocks: &graph.blocks };
    let blocks = graph.blocks.len() as u32;
    // Where all of the program sees it.
    emit.grid();
    let b = &mut emit.copy.b;
    let last = b.axis(Op::WorkgroupId, 0);
    let at = b.u32(NEXT);
    let next = b.load(Op::Load, state, at, Scalar::U32.into());
    let its_turn = b.op(Op::Eq, &[last, next]);
    let then = b.open(&[]);
    b.enter(then);
    let mut first = b.u32(codes.of(graph.start));
    for (i, block) in graph.blocks.iter().enumerate() {
        let (i, code) = (b.u32(i as u32), b.u32(codes.of(graph.after[block.end - 1])));
        let is = b.op(Op::Eq, &[last, i]);
        first = b.op(Op::Select, &[is, code, first]);
    }
    let end = b.u32(codes.decisions as u32);
    let body = b.open(&[Scalar::U32.into()]);
    b.enter(body);
    let code = b.p.regions[body].params[0];
    let mut regions: Vec<_> =
        graph.decisions.iter().map(|decision| emit.decision(&codes, decision)).collect();
    let b = &mut emit.copy.b;
    regions.push(b.region(&[], |_, _| vec![code]));
    let cases: Vec<Case> = (0..codes.decisions as u32).map(|i| Case { value: i as u64, region: i }).collect();
    let code = b.switch(code, cases, &regions)[0];
    let goes_on = b.op(Op::Lt, &[code, end]);
    b.end(&[goes_on, code]);
    let code = b.repeat(&[first], body)[0];
    let block = b.op(Op::Sub, &[code, end]);
    let store = |b: &mut vyre_ir::Builder, block: Value, what: [Value; 3]| {
        let (four, base) = (b.u32(4), b.u32(args(0)));
        let start = b.op(Op::Mul, &[block, four]);
        let start = b.op(Op::Add, &[start, base]);
        for (axis, value) in what.into_iter().enumerate() {
            let axis = b.u32(axis as u32);
            let at = b.op(Op::Add, &[start, axis]);
            b.store(Op::Store, state, at, value);
        }
    };
    let count = b.u32(blocks);
    let ran = b.op(Op::Lt, &[last, count]);
    b.if_(
        ran,
        |b| {
            let zero = b.u32(0);
            store(b, last, [zero; 3]);
            Vec::new()
        },
        |_| Vec::new(),
    );
    let goes_on = b.op(Op::Lt, &[block, count]);
    let next = b.if_(
        goes_on,
        |b| {
            let grid = [0, 1, 2].map(|axis| {
                let at = b.u32(GRID + axis);
                b.load(Op::Load, state, at, Scalar::U32.into())
            });
            store(b, block, grid);
            vec![block]
        },
        |b| vec![b.u32(DONE)],
    )[0];
    let at = b.u32(NEXT);
    b.store(Op::Store, state, at, next);
    let (at, one) = (b.u32(TURNS), b.u32(1));
    let turns = b.load(Op::Load, state, at, Scalar::U32.into());
    let turns = b.op(Op::Add, &[turns, one]);
    b.store(Op::Store, state, at, turns);
    b.end(&[]);
    let otherwise = b.region(&[], |_, _| Vec::new());
    b.branch(its_turn, then, otherwise);
    emit.copy.b.finish()
}

/// Numbers of what may be next: decisions, then blocks, then the end.
struct Codes<'a> {
    decisions: usize,
    blocks: &'a [std::ops::Range<usize>],
}

impl Codes<'_> {
    fn of(&self, node: Node) -> u32 {
        let code = match node {
            Node::Decision(i) => i,
            Node::Stage(stage) => {
                let block = self.blocks.iter().position(|block| block.start == stage);
                self.decisions + block.expect("a stage after a decision begins a block")
            }
            Node::End => self.decisions + self.blocks.len(),
        };
        code as u32
    }
}

impl Emit<'_> {
    /// The region of a decision, which yields what is next.
    fn decision(&mut self, codes: &Codes<'_>, decision: &Decision) -> vyre_ir::Region {
        let region = self.copy.b.open(&[]);
        self.apart(region, |emit| emit.decide(codes, decision));
        region
    }

    fn decide(&mut self, codes: &Codes<'_>, decision: &Decision) {
        let p = self.source.p;
        let asked = decision.branch.map(|inst| {
            let data = &p.insts[inst];
            let condition = if data.op == Op::Loop { p.yielded(data.regions[0])[0] } else { data.args[0] };
            (self.get(condition), &data.attr)
        });
        let new: Vec<(Place, Value)> =
            decision.moves.iter().map(|&(from, to)| (self.source.layout.place[to], self.get(from))).collect();
        for (place, value) in new {
            self.store(place, value);
        }
        let b = &mut self.copy.b;
        let targets: Vec<Value> = decision.targets.iter().map(|&node| b.u32(codes.of(node))).collect();
        let next = match asked {
            None => targets[0],
            Some((selector, Attr::Cases(cases))) => {
                let regions: Vec<_> =
                    targets.iter().map(|&target| b.region(&[], |_, _| vec![target])).collect();
                b.switch(selector, cases.clone(), &regions)[0]
            }
            Some((condition, _)) => b.op(Op::Select, &[condition, targets[0], targets[1]]),
        };
        b.end(&[next]);
    }
}
