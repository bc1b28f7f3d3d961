//! Runs one launch of a kernel.

use crate::fault::Fault;
use crate::machine::{Halt, Machine};
use crate::memory::Memory;
use crate::module::Entry;
use crate::names::Named;
use std::sync::atomic::AtomicBool;

/// A launch.
#[derive(Clone, Debug)]
pub struct Launch<'a> {
    /// Blocks.
    pub grid: [u32; 3],
    /// Threads of a block.
    pub block: [u32; 3],
    /// Bytes of `.extern .shared` memory.
    pub dynamic_shared: u32,
    /// The parameter block.
    pub params: &'a [u8],
    /// Whether all blocks run at once, so that they can wait for each other.
    pub cooperative: bool,
}

/// How it runs.
#[derive(Clone, Debug)]
pub struct Options<'a> {
    /// Of the schedule.
    pub seed: u64,
    /// Whether races are looked for.
    pub races: bool,
    /// Whether reads of what was never written are faults.
    pub uninitialized: bool,
    /// Whether accesses of warps are counted: see [`Counters`].
    pub counters: bool,
    /// How many instructions all threads together may run.
    pub step_limit: u64,
    /// Asked for now and then; the run ends when it is set.
    pub stop: Option<&'a AtomicBool>,
    /// What faults call memory by; that of no name, they call by its address.
    pub names: &'a [Named],
}

impl Default for Options<'_> {
    fn default() -> Self {
        Options {
            seed: 0,
            races: true,
            uninitialized: true,
            counters: false,
            step_limit: u64::MAX,
            stop: None,
            names: &[],
        }
    }
}

/// What a run did.
#[derive(Clone, Default, Debug)]
pub struct Report {
    /// Instructions of all threads.
    pub steps: u64,
    /// With [`Options::counters`], for each access in the text, in order of lines.
    pub accesses: Vec<Counters>,
}

/// What the warps of a launch did at one access.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Counters {
    /// Line of the PTX text.
    pub line: usize,
    /// File, line and column of the source, where `.loc` says it.
    pub source: Option<(String, usize, usize)>,
    /// The instruction.
    pub instruction: String,
    /// How often a warp ran it.
    pub warps: u64,
    /// Sectors of 32 bytes of global memory that those touched together; for shared memory, passes over its banks.
    pub transactions: u64,
    /// The fewest that would have done.
    pub least: u64,
}

/// Runs a launch to its end.
///
/// # Errors
/// The first thing that is wrong with the launch, or that a thread does wrong. Memory keeps what was written until then.
pub fn run(
    entry: &Entry,
    memory: &mut Memory,
    launch: &Launch<'_>,
    options: &Options<'_>,
) -> Result<Report, Fault> {
    let refused = |problem: Halt| Fault {
        kind: problem.0,
        message: problem.1,
        line: 0,
        source: None,
        other: None,
        place: None,
    };
    let mut machine = Machine::new(entry, memory, launch, options).map_err(refused)?;
    machine.run()?;
    Ok(machine.report())
}
