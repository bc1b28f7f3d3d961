//! What a Rust program does without vyre: rounds over all that is to be done, in parallel, until nothing is.

use super::flow::{Flow, WORDS};
use super::graph::{Graph, UNREACHED};
use crate::error::BenchError;
use crate::runner::Loaded;
use rayon::prelude::*;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

/// Vertices that a task takes at once.
const CHUNK: usize = 256;

/// Breadth-first search level by level: each task collects what it finds, and the level's finds are joined.
pub struct Levels {
    graph: Arc<Graph>,
    source: u32,
    depths: Vec<AtomicU32>,
}

impl Levels {
    /// Of a graph, from a vertex.
    pub fn new(graph: Arc<Graph>, source: u32) -> Levels {
        let depths = (0..graph.vertices()).map(|_| AtomicU32::new(UNREACHED)).collect();
        Levels { graph, source, depths }
    }
}

impl Loaded for Levels {
    fn run(&mut self) -> Result<(), BenchError> {
        let Levels { graph, source, depths } = self;
        depths.iter_mut().for_each(|depth| *depth.get_mut() = UNREACHED);
        *depths[*source as usize].get_mut() = 0;
        let depths = &depths[..];
        let (mut frontier, mut next) = (vec![*source], 1);
        while !frontier.is_empty() {
            let visit = |vertices: &[u32]| {
                let mut found = vec![];
                for &vertex in vertices {
                    for &to in &graph.targets[graph.edges(vertex)] {
                        let depth = &depths[to as usize];
                        // Most are known: looking costs less than trying.
                        if depth.load(Relaxed) == UNREACHED
                            && depth.compare_exchange(UNREACHED, next, Relaxed, Relaxed).is_ok()
                        {
                            found.push(to);
                        }
                    }
                }
                found
            };
            frontier = match frontier.len() <= CHUNK {
                true => visit(&frontier),
                false => frontier.par_chunks(CHUNK).map(visit).collect::<Vec<_>>().concat(),
            };
            next += 1;
        }
        Ok(())
    }

    fn read(&mut self) -> Result<Vec<Vec<u32>>, BenchError> {
        Ok(vec![self.depths.iter().map(|depth| depth.load(Relaxed)).collect()])
    }
}

/// The fixpoint of reaching definitions: every round takes the union over the predecessors of all blocks of the round before.
pub struct Rounds {
    flow: Arc<Flow>,
    /// The predecessors of block `b` are `offsets[b]..offsets[b + 1]`.
    offsets: Vec<u32>,
    predecessors: Vec<u32>,
    reaching: Vec<[u32; WORDS]>,
}

impl Rounds {
    /// Of a graph.
    pub fn new(flow: Arc<Flow>) -> Rounds {
        let mut edges: Vec<(u32, u32)> =
            (0..flow.blocks()).flat_map(|b| flow.after(b).iter().map(move |&to| (to, b))).collect();
        edges.sort_unstable();
        let mut offsets = vec![0; flow.blocks() as usize + 1];
        edges.iter().for_each(|&(to, _)| offsets[to as usize + 1] += 1);
        (1..offsets.len()).for_each(|i| offsets[i] += offsets[i - 1]);
        let reaching = vec![[0; WORDS]; flow.blocks() as usize];
        Rounds { flow, offsets, predecessors: edges.into_iter().map(|(_, b)| b).collect(), reaching }
    }
}

impl Loaded for Rounds {
    fn run(&mut self) -> Result<(), BenchError> {
        let Rounds { flow, offsets, predecessors, reaching } = self;
        reaching.fill([0; WORDS]);
        let mut leaving: Vec<[u32; WORDS]> = vec![[0; WORDS]; reaching.len()];
        loop {
            leaving.par_iter_mut().enumerate().with_min_len(CHUNK).for_each(|(block, leaving)| {
                *leaving = flow.leaving(block as u32, reaching[block]);
            });
            let grew = reaching.par_iter_mut().enumerate().with_min_len(CHUNK).map(|(block, set)| {
                let before = *set;
                for &from in &predecessors[offsets[block] as usize..offsets[block + 1] as usize] {
                    (0..WORDS).for_each(|w| set[w] |= leaving[from as usize][w]);
                }
                *set != before
            });
            if !grew.reduce(|| false, |a, b| a | b) {
                return Ok(());
            }
        }
    }

    fn read(&mut self) -> Result<Vec<Vec<u32>>, BenchError> {
        Ok(vec![self.reaching.concat()])
    }
}
