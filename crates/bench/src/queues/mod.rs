//! Work queues measured: programs that handle items, on a device and as others do the same.
//!
//! The programs are those of `examples`; what they find is compared with what one thread finds by other means.

mod flow;
mod graph;
mod levels;
mod ours;
#[cfg(feature = "rayon")]
mod rayon;

use crate::error::BenchError;
use crate::kernels::Size;
use crate::runner::Loaded;
use flow::{Flow, WORDS};
use graph::{Graph, UNREACHED, grid, kronecker};
use std::sync::Arc;
use vyre::{Device, WorkQueueRun};

pub use ours::OnQueue;

/// What a queue is measured with.
pub struct Workload {
    /// Its name: that of its example.
    pub name: &'static str,
    /// On what, with sizes.
    pub about: String,
    /// The program.
    pub wgsl: &'static str,
    /// Words of the items at the start.
    pub items: Vec<u32>,
    /// Words of the buffers, in the order of bindings, at the start.
    pub buffers: Vec<Vec<u32>>,
    /// What the last buffer holds at the end.
    pub expected: Vec<u32>,
    /// Entries of the queue.
    pub capacity: u64,
    /// What makes up the speed: edges, blocks, intervals.
    pub units: (u64, &'static str),
    pub(crate) data: Source,
}

/// What the peers work on.
#[derive(Clone)]
pub(crate) enum Source {
    Graph(Arc<Graph>, u32),
    Flow(Arc<Flow>),
    None,
}

/// The names of the workloads.
pub const NAMES: [&str; 4] = ["bfs", "shortest_paths", "reaching_definitions", "quadrature"];

/// A peer with its name.
pub type Named = (&'static str, Box<dyn Loaded>);

/// The workloads of those names.
pub fn workloads(size: Size, names: &[&str]) -> Vec<Workload> {
    let (scale, side, blocks) = match size {
        Size::Full => (16, 1000, 100_000),
        Size::Mebibyte => (13, 250, 20_000),
        Size::Small => (8, 20, 300),
    };
    let searched = names.iter().any(|name| ["bfs", "shortest_paths"].contains(name));
    let graphs = searched.then(|| {
        let power = (format!("Kronecker graph, scale {scale}, degree 16"), Arc::new(kronecker(scale, 16)));
        [power, (format!("grid, {side} x {side}"), Arc::new(grid(side, side)))]
    });
    let of = |name: &&str| -> Vec<Workload> {
        let graphs = graphs.iter().flatten();
        match *name {
            "bfs" => graphs.map(|(about, graph)| breadth_first(graph, about)).collect(),
            "shortest_paths" => graphs.map(|(about, graph)| shortest(graph, about)).collect(),
            "reaching_definitions" => vec![fixpoint(&Arc::new(Flow::generate(blocks)))],
            "quadrature" => vec![quadrature()],
            _ => vec![],
        }
    };
    names.iter().flat_map(of).collect()
}

fn breadth_first(graph: &Arc<Graph>, about: &str) -> Workload {
    let source = graph.hub();
    let expected = graph.depths(source);
    debug_assert_eq!(graph.check_depths(source, &expected), Ok(()));
    let mut depths = vec![UNREACHED; expected.len()];
    depths[source as usize] = 0;
    Workload {
        name: "bfs",
        about: about.into(),
        wgsl: include_str!("../../../../examples/bfs.wgsl"),
        items: vec![source],
        buffers: vec![graph.offsets.clone(), graph.targets.clone(), depths],
        units: (reached_edges(graph, &expected), "edges"),
        expected,
        capacity: 2 * graph.vertices() as u64 + 1024,
        data: Source::Graph(graph.clone(), source),
    }
}

fn shortest(graph: &Arc<Graph>, about: &str) -> Workload {
    let source = graph.hub();
    let expected = graph.distances(source);
    let mut distances = vec![UNREACHED; expected.len()];
    distances[source as usize] = 0;
    Workload {
        name: "shortest_paths",
        about: about.into(),
        wgsl: include_str!("../../../../examples/shortest_paths.wgsl"),
        items: vec![source],
        buffers: vec![graph.offsets.clone(), graph.targets.clone(), graph.weights.clone(), distances],
        units: (reached_edges(graph, &expected), "edges"),
        expected,
        capacity: 16 * graph.vertices() as u64 + 1024,
        data: Source::Graph(graph.clone(), source),
    }
}

/// The edges of what is reached.
fn reached_edges(graph: &Graph, found: &[u32]) -> u64 {
    let reached = (0..graph.vertices()).filter(|&v| found[v as usize] != UNREACHED);
    reached.map(|v| graph.edges(v).len() as u64).sum()
}

fn fixpoint(flow: &Arc<Flow>) -> Workload {
    let blocks = flow.blocks();
    Workload {
        name: "reaching_definitions",
        about: format!("{blocks} blocks, {} definitions", 32 * WORDS),
        wgsl: include_str!("../../../../examples/reaching_definitions.wgsl"),
        items: (0..blocks).collect(),
        buffers: vec![
            flow.offsets.clone(),
            flow.successors.clone(),
            flow.made.clone(),
            flow.killed.clone(),
            vec![0; flow.made.len()],
        ],
        expected: flow.reaching(),
        capacity: 16 * blocks as u64 + 1024,
        units: (blocks.into(), "blocks"),
        data: Source::Flow(flow.clone()),
    }
}

fn quadrature() -> Workload {
    let expected = area(-1.0, 2.0);
    Workload {
        name: "quadrature",
        about: "1 / (x * x + 0.0001) from -1 to 1".into(),
        wgsl: include_str!("../../../../examples/quadrature.wgsl"),
        items: vec![(-1f32).to_bits(), 2f32.to_bits()],
        buffers: vec![vec![0; 2]],
        units: (expected[1].into(), "intervals"),
        expected: expected.to_vec(),
        capacity: 1 << 16,
        data: Source::None,
    }
}

/// The area under the curve of the example, and the number of intervals, by recursion.
fn area(start: f32, width: f32) -> [u32; 2] {
    let f = |x: f32| 1.0 / (x * x + 0.0001);
    let (quarter, half) = (width * 0.25, width * 0.5);
    let at = [f(start), f(start + quarter), f(start + half), f(start + half + quarter), f(start + width)];
    let whole = width / 6.0 * (at[0] + 4.0 * at[2] + at[4]);
    let halves = half / 6.0 * (at[0] + 4.0 * at[1] + 2.0 * at[2] + 4.0 * at[3] + at[4]);
    if (whole - halves).abs() > 0.0001 && width > 0.00001 {
        let [a, b] = [area(start, half), area(start + half, half)];
        return [a[0] + b[0], a[1] + b[1]];
    }
    [(halves * 65536.0).round_ties_even() as u32, 1]
}

impl Workload {
    /// Whether the last buffer is what it must be.
    ///
    /// # Errors
    /// The first word that is not.
    pub fn check(&self, found: &[u32]) -> Result<(), String> {
        let differs = found.iter().zip(&self.expected).position(|(a, b)| a != b);
        match differs {
            Some(i) => Err(format!("word {i} is {}, not {}", found[i], self.expected[i])),
            None if found.len() != self.expected.len() => Err(format!("{} words", found.len())),
            None => Ok(()),
        }
    }

    /// Who else does the same, and how.
    ///
    /// # Errors
    /// What the device refuses.
    pub fn peers(&self, device: &Device) -> Result<Vec<Named>, BenchError> {
        let mut peers: Vec<Named> = vec![];
        #[cfg(feature = "rayon")]
        match &self.data {
            Source::Graph(graph, source) if self.name == "bfs" => {
                peers.push(("rayon", Box::new(rayon::Levels::new(graph.clone(), *source))));
            }
            Source::Flow(flow) => peers.push(("rayon", Box::new(rayon::Rounds::new(flow.clone())))),
            _ => {}
        }
        if self.name == "bfs" {
            peers.push(("level-readback", Box::new(levels::Levels::new(device, self)?)));
        }
        Ok(peers)
    }
}

/// A workload on a device.
pub struct QueueRow {
    /// The workload's name.
    pub name: &'static str,
    /// On what.
    pub about: String,
    /// Median milliseconds.
    pub ms: f64,
    /// Units a second, in millions, and what they are.
    pub rate: (f64, &'static str),
    /// What the last run counted: items, high-water mark, windows, host synchronizations.
    pub counted: [u64; 4],
    /// Each peer with its median milliseconds, its median by ours, and the quartiles of the ratios of single rounds.
    pub peers: Vec<(&'static str, f64, f64, [f64; 2])>,
}

/// Measures the queues of a device, by turns with their peers if it is `against` such.
///
/// # Errors
/// What the device refuses, and a wrong result of anybody.
pub fn measure(
    device: &Device,
    workloads: &[Workload],
    passes: usize,
    against: bool,
    progress: &dyn Fn(&str),
) -> Result<Vec<QueueRow>, BenchError> {
    let mut rows = vec![];
    for workload in workloads {
        progress(&format!("{}, {}", workload.name, workload.about));
        let wrong = |who: &str, what| BenchError::Wrong { who: who.into(), kernel: workload.name, what };
        let mut ours = OnQueue::new(device, workload)?;
        ours.run()?;
        workload.check(&ours.result()?).map_err(|what| wrong(device.id(), what))?;
        let WorkQueueRun { processed, high_water, windows, host_syncs, .. } =
            ours.last.take().expect("it ran");
        let counted = [processed, high_water, windows.into(), host_syncs.into()];
        let (mut loaded, mut names): (Vec<Box<dyn Loaded>>, _) = (vec![Box::new(ours)], vec![]);
        let peers = if against { workload.peers(device)? } else { vec![] };
        for (name, mut peer) in peers {
            peer.run()?;
            workload.check(&peer.read()?[0]).map_err(|what| wrong(name, what))?;
            loaded.push(peer);
            names.push(name);
        }
        let times = crate::measure::by_turns(&mut loaded, passes)?;
        let (ours, theirs) = times.split_first().expect("the device is the first");
        let ms = crate::measure::median(ours);
        let peers = names.into_iter().zip(theirs).map(|(name, theirs)| {
            let ratios: Vec<f64> = theirs.iter().zip(ours).map(|(theirs, ours)| theirs / ours).collect();
            let peer_ms = crate::measure::median(theirs);
            (name, peer_ms, peer_ms / ms, crate::measure::quartiles(&ratios))
        });
        rows.push(QueueRow {
            name: workload.name,
            about: workload.about.clone(),
            ms,
            rate: (workload.units.0 as f64 / ms / 1e3, workload.units.1),
            counted,
            peers: peers.collect(),
        });
    }
    Ok(rows)
}
