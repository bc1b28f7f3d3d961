//! The reference interpreter: backend `cpu-ref`, the oracle that every other backend is compared with.
//!
//! It runs the program as the frontend gave it and takes each operation's meaning from its row of the op table, so it
//! shares nothing with the optimizer or a code generator. Clarity comes first, then speed.
//!
//! The stages: [`decode`] turns the program into a flat list of scalar steps and gives each live value a slot;
//! [`lockstep`] decides which invocations run which step; [`state`] holds values and performs a step for a set of
//! invocations; [`memory`] holds the bytes and the bounds rule. Only `lockstep` knows a schedule.
//!
//! [`device`](mod@device) makes it a backend. Workgroups run one after the other in one thread, so results do not depend
//! on the machine; where they wait for each other, `grid` has each run to the next grid sync.

mod bind;
pub mod codes;
mod decode;
mod device;
mod drain;
mod grid;
mod lockstep;
mod memory;
mod slots;
mod state;
mod subgroup;

pub use device::{ID, Interpreted, open};
use std::cell::Cell;
use std::fmt;
use vyre_driver::OutOfBounds;
use vyre_ir::{Diagnostic, Op, Program, dialect};

/// The memory of one buffer, in the program's little-endian layout; no alignment is needed.
pub enum Bytes<'a> {
    /// Nothing is bound: workgroup and private buffers.
    Unbound,
    /// Bound for reading.
    Read(&'a [u8]),
    /// Bound for reading and writing.
    Write(&'a mut [u8]),
    /// Bound for reading and writing, with a bit for each byte that is set once the program writes it.
    Tracked {
        /// The memory.
        bytes: &'a mut [u8],
        /// Bit `i % 8` of byte `i / 8` belongs to byte `i` of the memory.
        written: &'a mut [u8],
    },
}

/// Finds out who writes a byte of a bound buffer.
pub struct Watch {
    /// Index in `Program::buffers`.
    pub buffer: usize,
    /// Which byte.
    pub byte: usize,
    /// The last one that wrote it: workgroup and local index.
    pub writer: Cell<Option<([u32; 3], u32)>>,
}

/// How to run.
#[derive(Copy, Clone)]
pub struct Options<'a> {
    /// Invocations of a subgroup, 1 to 128: consecutive local indices.
    pub subgroup_size: u32,
    /// Run only the workgroups of these linear indices (x fastest), in this order; all of them when `None`, which it must
    /// be for a program that waits for its grid.
    pub workgroups: Option<&'a [u64]>,
    /// The run ends with [`Error::StepLimit`] after about this many lane instructions.
    pub step_limit: u64,
    /// Asked every few milliseconds; the run ends with [`Error::Cancelled`] once it is true.
    pub cancelled: &'a dyn Fn() -> bool,
    /// A byte whose writer is wanted.
    pub watch: Option<&'a Watch>,
    /// The first access out of bounds ends the run with [`Error::OutOfBounds`].
    pub checked: bool,
}

impl Default for Options<'_> {
    fn default() -> Self {
        Options {
            subgroup_size: 8,
            workgroups: None,
            step_limit: u64::MAX,
            cancelled: &|| false,
            watch: None,
            checked: false,
        }
    }
}

/// What a run did.
#[derive(Copy, Clone, Default, PartialEq, Eq, Debug)]
pub struct Stats {
    /// Workgroups run.
    pub workgroups: u64,
    /// Scalar steps performed, counted once for each active invocation.
    pub steps: u64,
}

/// Why a run ended early. Buffers hold what was written until then.
#[derive(Clone, PartialEq, Debug)]
pub enum Error {
    /// The program or its bindings cannot run.
    Invalid(Diagnostic),
    /// An access out of bounds in a checked run: of the invocations that do it together the one of the lowest index.
    OutOfBounds(Box<OutOfBounds>),
    /// The caller asked to stop.
    Cancelled,
    /// More steps than [`Options::step_limit`].
    StepLimit(u64),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Invalid(diagnostic) => diagnostic.fmt(f),
            Error::OutOfBounds(access) => access.fmt(f),
            Error::Cancelled => f.write_str("the run was cancelled"),
            Error::StepLimit(limit) => write!(f, "the run took more than {limit} steps"),
        }
    }
}

impl std::error::Error for Error {}

/// The most bytes that values, workgroup and private memory of one workgroup may take.
pub const WORKGROUP_BYTES: u64 = 1 << 30;

/// The most bytes that values, workgroup and private memory of all workgroups may take, of a program that waits for its
/// grid.
pub const GRID_BYTES: u64 = 1 << 31;

/// Runs a verified program on `workgroups` workgroups.
///
/// `buffers` is indexed like `program.buffers`. A buffer with a declared count is as long as that count says even if
/// more bytes are bound.
///
/// # Errors
/// When a buffer is missing or too small, when a workgroup needs more than [`WORKGROUP_BYTES`] or a waiting grid more
/// than [`GRID_BYTES`], when a barrier is reached by some invocations only, when invocations of a grid do not pass the
/// same to `grid_uniform`, when an access of a checked run is out of bounds, when the run is cancelled or takes too many
/// steps, when the program takes items from a work queue.
pub fn run(
    program: &Program,
    workgroups: [u32; 3],
    buffers: &mut [Bytes<'_>],
    options: &Options<'_>,
) -> Result<Stats, Error> {
    let linked = dialect::linked(program).map_err(|mut errors| Error::Invalid(errors.remove(0)))?;
    let program = &*linked;
    let takes = |def: &dialect::OpDef| {
        def.body.is_some() || def.function(dialect::Target::ReferenceBackend).is_some()
    };
    if let Some(call) = dialect::unsupported(program, "the interpreter", &takes) {
        return Err(Error::Invalid(call));
    }
    if let Some(inst) = program.find(Op::uses_queue) {
        let data = &program.insts[inst];
        let message = format!("`{}` needs a work queue", data.op.name());
        let diagnostic = Diagnostic::new(codes::D310, message).at(data.loc, "");
        return Err(Error::Invalid(diagnostic.in_source(program.source.as_ref())));
    }
    let waits = program.find(Op::syncs_grid).is_some();
    if waits && options.workgroups.is_some() {
        let message = "a sample of workgroups cannot run where all of the grid wait for each other";
        return Err(Error::Invalid(Diagnostic::new(codes::D308, message)));
    }
    let shape = bind::bind(program, workgroups, buffers, options.subgroup_size).map_err(Error::Invalid)?;
    let code = decode::decode(program, shape).map_err(Error::Invalid)?;
    let mut state = state::State::new(&code, memory::Memory::new(&code.layout, buffers, options.watch));
    let mut schedule = lockstep::Lockstep::new(program, &code, options);
    if waits {
        grid::run(&mut schedule, &mut state, workgroups)?;
        return Ok(schedule.stats);
    }
    let [x, y, z] = workgroups.map(|n| n as u128);
    let mut run = |index: u64| {
        if index as u128 >= x * y * z {
            let message = format!("workgroup {index} is not in a grid of {workgroups:?}");
            return Err(Error::Invalid(Diagnostic::new(codes::D305, message)));
        }
        schedule.start(grid::place(index as u128, workgroups), &mut state).map(drop)
    };
    match options.workgroups {
        Some(chosen) => chosen.iter().try_for_each(|&index| run(index))?,
        // A grid of 2^64 workgroups never ends, so its size may as well be cut to u64.
        None => (0..u64::try_from(x * y * z).unwrap_or(u64::MAX)).try_for_each(run)?,
    }
    Ok(schedule.stats)
}
