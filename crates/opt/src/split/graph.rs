//! How stages follow each other: a graph whose nodes are stages and decisions.

use crate::fission::{Fission, Home, Piece, Step};
use crate::stages::Turn;
use std::collections::BTreeMap;
use std::ops::Range;
use vyre_ir::{Effect, Inst, Op, Program, SideTable, Value};

/// Stages and decisions between them.
pub(super) struct Graph<'a> {
    /// Pieces that do something, in order.
    pub stages: Vec<&'a Piece>,
    /// Which node comes after a stage.
    pub after: Vec<Node>,
    /// What is decided or moved.
    pub decisions: Vec<Decision>,
    /// Where to begin.
    pub start: Node,
    /// The stages of each block.
    pub blocks: Vec<Range<usize>>,
    /// In which order blocks may follow each other.
    pub turns: Vec<Turn>,
    /// Whether the first stage is one that has nothing to do by itself.
    pub zero: bool,
}

/// A place in the graph.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub(super) enum Node {
    Stage(usize),
    Decision(usize),
    End,
}

/// A node that is no stage.
#[derive(Default)]
pub(super) struct Decision {
    /// The branch or loop whose condition is asked; without, the only target is next.
    pub branch: Option<Inst>,
    /// Moves of values that are held once, all at once, before the way goes on.
    pub moves: Vec<(Value, Value)>,
    /// What is next for each region; for a loop, its body and what comes after.
    pub targets: Vec<Node>,
}

impl<'a> Graph<'a> {
    /// The graph of a program; `zero`: with a stage at the start that has nothing to do by itself.
    pub fn new(p: &Program, parts: &'a Fission, once: &SideTable<Value, bool>, zero: bool) -> Graph<'a> {
        let mut build =
            Build { p, parts, once, number: BTreeMap::new(), stages: Vec::new(), decisions: Vec::new() };
        if zero {
            build.stages.push(&NOTHING);
        }
        build.collect(&parts.steps);
        if build.stages.is_empty() && !has_control(&parts.steps) {
            build.stages.push(&NOTHING);
        }
        let mut after = vec![Node::End; build.stages.len()];
        let mut start = build.steps(&parts.steps, Node::End, &mut after);
        let mut turns = Vec::new();
        if build.stages.first().is_some_and(|piece| std::ptr::eq(*piece, &NOTHING)) {
            after[0] = start;
            start = Node::Stage(0);
            turns.push(Turn::Block(0));
        }
        let blocks = blocks(start, &after, &build.decisions);
        turns.extend(build.turns(&parts.steps, &blocks));
        let Build { stages, decisions, .. } = build;
        Graph { stages, after, decisions, start, blocks, turns, zero }
    }

    /// Whether anything is decided between stages.
    pub fn decides(&self) -> bool {
        !self.decisions.is_empty()
    }

    /// What may come right after a node, in the way stages see it: through decisions to stages.
    pub fn next_stages(&self, node: Node) -> Vec<usize> {
        let (mut found, mut seen, mut open) = (Vec::new(), vec![false; self.decisions.len()], vec![node]);
        while let Some(node) = open.pop() {
            match node {
                Node::Stage(stage) => found.push(stage),
                Node::Decision(i) if !std::mem::replace(&mut seen[i], true) => {
                    open.extend(&self.decisions[i].targets);
                }
                _ => {}
            }
        }
        found.sort_unstable();
        found.dedup();
        found
    }
}

/// A stage that does nothing.
static NOTHING: Piece =
    Piece { insts: Vec::new(), copies: Vec::new(), live_in: Vec::new(), own: Vec::new(), position: u32::MAX };

fn has_control(steps: &[Step]) -> bool {
    steps.iter().any(|step| matches!(step, Step::Control(..)))
}

struct Build<'a, 'b> {
    p: &'b Program,
    parts: &'a Fission,
    once: &'b SideTable<Value, bool>,
    /// Stages by the position of their piece.
    number: BTreeMap<u32, usize>,
    stages: Vec<&'a Piece>,
    decisions: Vec<Decision>,
}

impl<'a> Build<'a, '_> {
    /// Finds the pieces that do something.
    fn collect(&mut self, steps: &'a [Step]) {
        for step in steps {
            match step {
                Step::Piece(piece) if self.acts(piece) => {
                    self.number.insert(piece.position, self.stages.len());
                    self.stages.push(piece);
                }
                Step::Control(_, regions) => regions.iter().for_each(|steps| self.collect(steps)),
                Step::Piece(_) | Step::Scalar(_) | Step::Cut(_) => {}
            }
        }
    }

    /// Whether a piece writes memory or makes what others use.
    fn acts(&self, piece: &Piece) -> bool {
        let p = self.p;
        let kept = |inst: &Inst| {
            p.insts[*inst].results.iter().any(|&r| matches!(self.parts.homes[r], Home::Slot(_)))
        };
        let mut writes = !piece.copies.is_empty() || piece.insts.iter().any(kept);
        let mut look = |inst: Inst| writes |= p.effect(&p.insts[inst]) == Effect::Writes;
        for &inst in &piece.insts {
            look(inst);
            p.insts[inst].regions.iter().for_each(|&region| p.walk(region, &mut look));
        }
        writes
    }

    /// The node at which steps begin that go on at `next`.
    fn steps(&mut self, steps: &[Step], next: Node, after: &mut [Node]) -> Node {
        steps.iter().rev().fold(next, |next, step| match step {
            Step::Piece(piece) => match self.number.get(&piece.position) {
                Some(&stage) => {
                    after[stage] = next;
                    Node::Stage(stage)
                }
                None => next,
            },
            Step::Control(inst, regions) => self.branch(*inst, regions, next, after),
            Step::Scalar(_) | Step::Cut(_) => next,
        })
    }

    fn branch(&mut self, inst: Inst, regions: &[Vec<Step>], next: Node, after: &mut [Node]) -> Node {
        let p = self.p;
        let data = &p.insts[inst];
        if data.op != Op::Loop {
            let targets: Vec<Node> = data
                .regions
                .iter()
                .zip(regions)
                .map(|(&region, steps)| {
                    let end = self.moved(p.yielded(region), &data.results, next);
                    self.steps(steps, end, after)
                })
                .collect();
            if targets.iter().all(|target| *target == targets[0]) {
                return targets[0];
            }
            return self.decision(Decision { branch: Some(inst), moves: Vec::new(), targets });
        }
        let body = data.regions[0];
        let params = &p.regions[body].params;
        let moves = self.moves(&p.yielded(body)[1..], params);
        let latch = self.decision(Decision { branch: Some(inst), moves, targets: Vec::new() });
        let first = self.steps(&regions[0], latch, after);
        let Node::Decision(i) = latch else { unreachable!("a decision was made") };
        self.decisions[i].targets = vec![first, next];
        self.moved(&data.args, params, first)
    }

    /// A node that moves values and goes on at `next`.
    fn moved(&mut self, from: &[Value], to: &[Value], next: Node) -> Node {
        let moves = self.moves(from, to);
        if moves.is_empty() {
            next
        } else {
            self.decision(Decision { branch: None, moves, targets: vec![next] })
        }
    }

    fn moves(&self, from: &[Value], to: &[Value]) -> Vec<(Value, Value)> {
        let pairs = from.iter().zip(to).map(|(&from, &to)| (from, to));
        pairs.filter(|&(from, to)| self.once[to] && from != to).collect()
    }

    fn decision(&mut self, decision: Decision) -> Node {
        self.decisions.push(decision);
        Node::Decision(self.decisions.len() - 1)
    }

    fn turns(&self, steps: &[Step], blocks: &[Range<usize>]) -> Vec<Turn> {
        let mut turns = Vec::new();
        for step in steps {
            match step {
                Step::Piece(piece) => {
                    let stage = self.number.get(&piece.position);
                    let block = blocks.iter().position(|block| Some(&block.start) == stage);
                    turns.extend(block.map(Turn::Block));
                }
                Step::Control(inst, regions) => {
                    let inner: Vec<Turn> =
                        regions.iter().flat_map(|steps| self.turns(steps, blocks)).collect();
                    if self.p.insts[*inst].op != Op::Loop {
                        turns.extend(inner);
                    } else if !inner.is_empty() {
                        turns.push(Turn::Loop(inner));
                    }
                }
                Step::Scalar(_) | Step::Cut(_) => {}
            }
        }
        turns
    }
}

/// Stages that always follow each other are a block.
fn blocks(start: Node, after: &[Node], decisions: &[Decision]) -> Vec<Range<usize>> {
    let mut ways = vec![0; after.len()];
    let targets = decisions.iter().flat_map(|decision| &decision.targets);
    for node in after.iter().chain(targets).chain([&start]) {
        if let Node::Stage(stage) = *node {
            ways[stage] += 1;
        }
    }
    let mut blocks: Vec<Range<usize>> = Vec::new();
    for stage in 0..after.len() {
        match blocks.last_mut() {
            Some(block) if after[stage - 1] == Node::Stage(stage) && ways[stage] == 1 => block.end += 1,
            _ => blocks.push(stage..stage + 1),
        }
    }
    blocks
}
