//! Launches that follow each other, as graphs: handed to the driver at once, where each by itself would take the processor
//! longer than a short kernel takes the device.
//!
//! A graph is made for a sequence of kernels and grids that comes again, and kept by its lane; what it is launched with
//! is patched. A sequence that comes for the first time is launched one by one, since making a graph costs more than that.

use crate::executable::Loaded;
use crate::launch::{Params, Places, Prepared, places};
use crate::library::Failure;
use crate::opened::Opened;
use crate::symbols::{self, Graph, KernelNode, Node, Stream};
use rustc_hash::FxHasher;
use std::hash::{Hash, Hasher};
use std::sync::Arc;
use vyre_driver::BackendError;

/// Launches of a graph at most.
pub const MOST: usize = 256;

/// Fewer than these are launched one by one.
pub const LEAST: usize = 4;

/// Graphs that a lane keeps.
const KEPT: usize = 16;

/// Sequences that a lane remembers without having a graph.
const REMEMBERED: usize = 64;

/// The graphs of a lane.
#[derive(Default)]
pub struct Graphs {
    /// The one that was used last is at the end.
    kept: Vec<Kept>,
    /// Hashes of sequences that came once, the last one at the end.
    seen: Vec<u64>,
    /// The driver has no graphs of kernels.
    off: bool,
    /// How many kernels were retired when they were looked for last.
    retired: u64,
}

/// A kernel by its number, its grid and its blocks.
type Step = (u64, [u32; 3], [u32; 3]);

fn step(prepared: &Prepared) -> Step {
    (prepared.loaded.id, prepared.grid, prepared.block)
}

struct Kept {
    steps: Vec<Step>,
    /// Their kernels, each once: a graph does not outlive them.
    kernels: Vec<Arc<Loaded>>,
    /// What each node is launched with.
    params: Vec<Params>,
    graph: Graph,
    nodes: Vec<Node>,
    executable: symbols::Executable,
}

impl Graphs {
    /// Launches a sequence, all kernels of which do not wait. `comes_again` says that the same follows at once.
    pub fn launch(
        &mut self,
        opened: &Opened,
        stream: Stream,
        sequence: &mut [Prepared],
        comes_again: bool,
    ) -> Result<(), BackendError> {
        if sequence.len() >= LEAST && !self.off && self.find(opened, sequence, comes_again)? {
            let kept = self.kept.last_mut().expect("it was just put there");
            return kept.launch(opened, stream, sequence).map_err(|failure| opened.failed(&failure));
        }
        sequence.iter_mut().try_for_each(|prepared| prepared.launch(opened, stream))
    }

    /// Puts the graph of a sequence at the end, and makes it if need be; gives whether there is one.
    fn find(
        &mut self,
        opened: &Opened,
        sequence: &mut [Prepared],
        comes_again: bool,
    ) -> Result<bool, BackendError> {
        let steps = || sequence.iter().map(step);
        if let Some(at) = self.kept.iter().rposition(|kept| kept.steps.iter().copied().eq(steps())) {
            let kept = self.kept.remove(at);
            self.kept.push(kept);
            return Ok(true);
        }
        let mut hasher = FxHasher::default();
        steps().for_each(|step: Step| step.hash(&mut hasher));
        let hash = hasher.finish();
        if !comes_again && !self.seen.contains(&hash) {
            if self.seen.len() >= REMEMBERED {
                self.seen.remove(0);
            }
            self.seen.push(hash);
            return Ok(false);
        }
        self.seen.retain(|seen| *seen != hash);
        match Kept::new(opened, sequence) {
            Ok(kept) => {
                opened.counters.graphs.add(1);
                self.kept.push(kept);
                if self.kept.len() > KEPT {
                    self.kept.remove(0).end(opened);
                }
                Ok(true)
            }
            Err(failure) if crate::errors::is_loss(failure.status) => Err(opened.failed(&failure)),
            Err(_) => {
                self.off = true;
                Ok(false)
            }
        }
    }

    /// Gives up the graphs of kernels that are retired; none is under way, and the context is the thread's.
    pub fn give_up_retired(&mut self, opened: &Opened) {
        let retired = opened.modules.retired();
        if self.retired == retired {
            return;
        }
        self.retired = retired;
        let is_retired = |kept: &mut Kept| kept.kernels.iter().any(|kernel| kernel.is_retired());
        self.kept.extract_if(.., is_retired).for_each(|kept| kept.end(opened));
    }

    /// Gives all graphs back; none is under way, and the context is the thread's.
    pub fn end(&mut self, opened: &Opened) {
        self.kept.drain(..).for_each(|kept| kept.end(opened));
    }
}

/// A launch as a node.
fn node(prepared: &Prepared, places: &mut Places) -> KernelNode {
    KernelNode {
        function: prepared.loaded.function,
        grid: prepared.grid,
        block: prepared.block,
        shared: prepared.shared,
        params: places.as_mut_ptr(),
        extra: std::ptr::null_mut(),
        kernel: std::ptr::null_mut(),
        // That of the thread.
        context: symbols::Context::default(),
    }
}

impl Kept {
    fn new(opened: &Opened, sequence: &mut [Prepared]) -> Result<Kept, Failure> {
        let driver = opened.driver();
        let missing = || driver.failure("cuGraph", symbols::NOT_SUPPORTED);
        let create = driver.cuGraphCreate.ok_or_else(missing)?;
        let add = driver.cuGraphAddKernelNode.ok_or_else(missing)?;
        let instantiate = driver.cuGraphInstantiate.ok_or_else(missing)?;
        let (Some(_), Some(_), Some(_), Some(_)) = (
            driver.cuGraphExecKernelNodeSetParams,
            driver.cuGraphLaunch,
            driver.cuGraphExecDestroy,
            driver.cuGraphDestroy,
        ) else {
            return Err(missing());
        };
        let mut graph = Graph::default();
        // SAFETY: the driver writes the handle to where it is to go.
        let status = unsafe { create(&mut graph, 0) };
        driver.check("cuGraphCreate", status)?;
        let mut kept = Kept {
            steps: Vec::with_capacity(sequence.len()),
            kernels: Vec::new(),
            params: Vec::with_capacity(sequence.len()),
            graph,
            nodes: Vec::with_capacity(sequence.len()),
            executable: symbols::Executable::default(),
        };
        let fill = || {
            for prepared in sequence {
                let mut places = places(&mut prepared.params);
                let node_of = node(prepared, &mut places);
                let mut node = Node::default();
                let before = kept.nodes.last().map_or(std::ptr::null(), std::ptr::from_ref);
                let count = kept.nodes.len().min(1);
                // SAFETY: the function takes these parameters, which the driver copies; the node before is of the graph.
                let status = unsafe { add(&mut node, graph, before, count, &node_of) };
                driver.check("cuGraphAddKernelNode", status)?;
                kept.nodes.push(node);
                kept.steps.push(step(prepared));
                kept.params.push(prepared.params.clone());
                if !kept.kernels.iter().any(|kernel| Arc::ptr_eq(kernel, &prepared.loaded)) {
                    kept.kernels.push(prepared.loaded.clone());
                }
            }
            // SAFETY: the graph is whole, and the driver writes the handle to where it is to go.
            let status = unsafe { instantiate(&mut kept.executable, graph, 0) };
            driver.check("cuGraphInstantiate", status)
        };
        match fill() {
            Ok(()) => Ok(kept),
            Err(failure) => {
                kept.give_back(opened);
                Err(failure)
            }
        }
    }

    /// Launches the graph with the parameters of a sequence of the same steps.
    fn launch(&mut self, opened: &Opened, stream: Stream, sequence: &mut [Prepared]) -> Result<(), Failure> {
        let driver = opened.driver();
        let (Some(set), Some(launch)) = (driver.cuGraphExecKernelNodeSetParams, driver.cuGraphLaunch) else {
            unreachable!("a graph was made");
        };
        for ((prepared, known), at) in sequence.iter_mut().zip(&mut self.params).zip(&self.nodes) {
            if prepared.params != *known {
                let mut places = places(&mut prepared.params);
                let node = node(prepared, &mut places);
                // SAFETY: the function is the one the node was made for, and takes these parameters, which the driver
                // copies. Launches that are under way keep those that they have.
                let status = unsafe { set(self.executable, *at, &node) };
                driver.check("cuGraphExecKernelNodeSetParams", status)?;
                known.clone_from(&prepared.params);
            }
        }
        opened.counters.graph_launches.add(1);
        // SAFETY: what the parameters point to is the caller's for as long as the launch is under way, and all kernels are
        // loaded: the sequence has them.
        let status = unsafe { launch(self.executable, stream) };
        driver.check("cuGraphLaunch", status)
    }

    fn end(self, opened: &Opened) {
        opened.counters.graphs.sub(1);
        self.give_back(opened);
    }

    fn give_back(&self, opened: &Opened) {
        let driver = opened.driver();
        if let (Some(destroy), true) =
            (driver.cuGraphExecDestroy, self.executable != symbols::Executable::default())
        {
            // SAFETY: it is not used again. There is nothing to do about a failure, here and below.
            let _ = unsafe { destroy(self.executable) };
        }
        if let Some(destroy) = driver.cuGraphDestroy {
            // SAFETY: it is not used again.
            let _ = unsafe { destroy(self.graph) };
        }
    }
}
