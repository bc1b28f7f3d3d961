//! Which values and which control flow are the same for all invocations of a workgroup, or of the whole grid.
//!
//! Barriers need control flow that is uniform across the workgroup, grid syncs such that is uniform across the grid, and
//! a backend keeps uniform values once for a workgroup or a gang. A value is uniform if all invocations that compute it in the same pass through its region get the same; control flow in a
//! region is uniform if all invocations run the region, or none.
//!
//! Every rule has the form "this differs if that differs", so the analysis is reachability in a graph: its nodes are
//! values, regions (their control flow) and private buffers (their contents as a whole), its sources what differs by
//! itself. Everything not reached is uniform: loop parameters start out uniform and are lowered, never raised. The
//! time is linear in the program's size. The search is breadth first, so that [`Uniformity::divergence`] explains a
//! diverging region by a short chain.
//!
//! A value cannot be used outside the loop that defines it except as a result of that loop, and those differ when
//! invocations leave the loop in different iterations; nothing else must be said about such loops.

use crate::entity::{Entity, SideTable};
use crate::op::{Effect, Op};
use crate::program::*;

/// Whose invocations are compared.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Scope {
    /// Those of a workgroup.
    Workgroup,
    /// Those of the grid.
    Grid,
}

/// What [`analyze`] found.
pub struct Uniformity {
    /// For each node the one that made it differ, or [`UNIFORM`], or [`ORIGIN`].
    cause: Vec<u32>,
    values: usize,
    regions: usize,
    /// The instruction that a region belongs to.
    owner: SideTable<Region, Option<Inst>>,
}

const UNIFORM: u32 = u32::MAX;
const ORIGIN: u32 = u32::MAX - 1;

/// Why invocations diverge in a region.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Divergence {
    /// The `if`, `loop` or `switch` at which they part.
    pub branch: Inst,
    /// Its condition, selector, or whether to go on.
    pub condition: Value,
    /// The value that differs by itself and makes the condition differ.
    pub origin: Value,
}

impl Uniformity {
    /// Whether the value is uniform.
    ///
    /// # Panics
    /// When the program had no such value (so do the other methods).
    pub fn value(&self, value: Value) -> bool {
        self.cause[value.index()] == UNIFORM
    }

    /// Whether control flow in the region is uniform.
    pub fn region(&self, region: Region) -> bool {
        self.cause[self.values + region.index()] == UNIFORM
    }

    /// Whether a private buffer's contents are uniform. Says nothing about other buffers.
    pub fn buffer(&self, buffer: Buffer) -> bool {
        self.cause[self.values + self.regions + buffer.index()] == UNIFORM
    }

    /// Why control flow in the region is not uniform; `None` if it is.
    pub fn divergence(&self, region: Region) -> Option<Divergence> {
        let mut region = region;
        // The branch is where a condition, not an enclosing region, is the cause.
        let condition = loop {
            match self.cause[self.values + region.index()] {
                UNIFORM | ORIGIN => return None,
                node if (node as usize) < self.values => break Value::new(node as usize),
                node => region = Region::new(node as usize - self.values),
            }
        };
        let mut origin = condition.index();
        while self.cause[origin] != ORIGIN {
            origin = self.cause[origin] as usize;
        }
        // Contents of a buffer and regions differ only because of a value.
        Some(Divergence { branch: self.owner[region]?, condition, origin: Value::new(origin) })
    }
}

/// Finds what is uniform in a program that is valid except that barriers may be in diverging control flow.
pub fn analyze(p: &Program, scope: Scope) -> Uniformity {
    let mut graph = Graph {
        values: p.values.len(),
        regions: p.regions.len(),
        scope,
        first: vec![NONE; p.values.len() + p.regions.len() + p.buffers.len()],
        edges: Vec::new(),
        origins: Vec::new(),
    };
    let mut owner = SideTable::new(None);
    // A workgroup of one invocation agrees with itself.
    if scope == Scope::Grid || p.workgroup_invocations() > 1 {
        let mut open = vec![p.body];
        while let Some(region) = open.pop() {
            for &inst in &p.regions[region].insts {
                let data = &p.insts[inst];
                for &inner in &data.regions {
                    owner[inner] = Some(inst);
                    open.push(inner);
                }
                graph.inst(p, region, data);
            }
        }
    }
    let cause = graph.reach();
    Uniformity { cause, values: graph.values, regions: graph.regions, owner }
}

/// No further edge.
const NONE: u32 = u32::MAX;

/// `a -> b`: if `a` differs, so does `b`.
struct Graph {
    values: usize,
    regions: usize,
    scope: Scope,
    /// Each node's first outgoing edge.
    first: Vec<u32>,
    /// Target and the source's next edge.
    edges: Vec<(u32, u32)>,
    origins: Vec<u32>,
}

impl Graph {
    fn region(&self, region: Region) -> usize {
        self.values + region.index()
    }

    fn buffer(&self, buffer: Buffer) -> usize {
        self.values + self.regions + buffer.index()
    }

    fn edge(&mut self, from: usize, to: usize) {
        self.edges.push((to as u32, self.first[from]));
        self.first[from] = self.edges.len() as u32 - 1;
    }

    fn inst(&mut self, p: &Program, region: Region, data: &InstData) {
        match data.op {
            Op::If | Op::Switch => self.branch(p, region, data),
            Op::Loop => self.repeat(p, region, data),
            Op::Yield => (),
            _ if differs(p, data, self.scope) => {
                self.origins.extend(data.results.iter().map(|r| r.index() as u32))
            }
            // All invocations get one value, as the verifier checks.
            Op::UniformLoad | Op::GridUniform => (),
            _ => {
                for result in &data.results {
                    for arg in &data.args {
                        self.edge(arg.index(), result.index());
                    }
                }
                self.private(p, region, data);
            }
        }
    }

    /// Private memory is tracked as a whole.
    fn private(&mut self, p: &Program, region: Region, data: &InstData) {
        let Attr::Buffer(buffer) = data.attr else { return };
        if p.buffers[buffer].memory != Memory::Private {
            return;
        }
        let contents = self.buffer(buffer);
        match data.op {
            Op::Load => self.edge(contents, data.results[0].index()),
            Op::Store => {
                for arg in &data.args {
                    self.edge(arg.index(), contents);
                }
                self.edge(self.region(region), contents);
            }
            _ => (),
        }
    }

    fn branch(&mut self, p: &Program, region: Region, data: &InstData) {
        let condition = data.args[0].index();
        for result in &data.results {
            self.edge(condition, result.index());
        }
        for &inner in &data.regions {
            self.edge(condition, self.region(inner));
            self.edge(self.region(region), self.region(inner));
            for (from, to) in p.yielded(inner).iter().zip(&data.results) {
                self.edge(from.index(), to.index());
            }
        }
    }

    fn repeat(&mut self, p: &Program, region: Region, data: &InstData) {
        let body = data.regions[0];
        let [go_on, next @ ..] = p.yielded(body) else {
            unreachable!("a loop's body yields whether to go on")
        };
        self.edge(go_on.index(), self.region(body));
        self.edge(self.region(region), self.region(body));
        for (i, param) in p.regions[body].params.iter().enumerate() {
            self.edge(data.args[i].index(), param.index());
            self.edge(next[i].index(), param.index());
            self.edge(next[i].index(), data.results[i].index());
            self.edge(go_on.index(), data.results[i].index());
        }
    }

    /// Each node's cause, by breadth-first search from the origins.
    fn reach(&self) -> Vec<u32> {
        let mut cause = vec![UNIFORM; self.first.len()];
        let mut queue: Vec<u32> = self.origins.clone();
        for &node in &queue {
            cause[node as usize] = ORIGIN;
        }
        let mut at = 0;
        while let Some(&node) = queue.get(at) {
            at += 1;
            let mut edge = self.first[node as usize];
            while edge != NONE {
                let (to, next) = self.edges[edge as usize];
                if cause[to as usize] == UNIFORM {
                    cause[to as usize] = node;
                    queue.push(to);
                }
                edge = next;
            }
        }
        cause
    }
}

/// Whether an instruction's results differ whatever its operands are.
fn differs(p: &Program, data: &InstData, scope: Scope) -> bool {
    let alone = |axis: &Attr| matches!(axis, Attr::Axis(axis) if p.workgroup_size[*axis as usize] == 1);
    match data.op {
        // With one invocation along the axis, the position is 0 or that of the workgroup.
        Op::GlobalId | Op::WorkgroupId if scope == Scope::Grid => true,
        Op::LocalId | Op::GlobalId => !alone(&data.attr),
        Op::QueueItem => true,
        Op::LocalIndex | Op::SubgroupLane | Op::SubgroupId => true,
        Op::Load => match data.attr {
            Attr::Buffer(buffer) => {
                let decl = &p.buffers[buffer];
                decl.access.writes() && decl.memory != Memory::Private
            }
            _ => true,
        },
        Op::UniformLoad => scope == Scope::Grid,
        Op::Store | Op::QueuePush => false,
        _ => matches!(data.op.info().effect, Effect::Reads | Effect::Writes | Effect::Converges),
    }
}
