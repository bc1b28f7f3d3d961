//! The gang form: what one workgroup does, in terms that fit any machine with vectors.
//!
//! It lies between the program's regions and an emitter of code. [`build`] has decided here what differs between the
//! invocations of a gang, where masks are needed, how memory is laid out and which checks are left out; an emitter
//! ([`crate::clif`], [`crate::strips`]) only says how its machine does it. The form knows how many lanes a gang has
//! and nothing of how many fit a register.
//!
//! A [`Var`] is set by one statement and is *uniform*, one scalar for the whole gang, or *varying*, one for each lane.
//! Where a varying result is asked for, uniform operands count for every lane. Control flow is uniform everywhere:
//! where invocations part, statements under a mask say which lanes they are for. What a varying variable holds in
//! lanes outside of the mask that it was computed under is arbitrary and may be computed from arbitrary numbers:
//! no operation faults. Variables set in a block are known after it only if the statement says so.
//!
//! Booleans are 0 and 1 where they are uniform or in memory; an emitter may keep varying ones, masks, as it likes.
//! Vectors of the program are separate variables here.

pub mod build;
pub mod choice;
pub mod pressure;
mod show;

use smallvec::SmallVec;
use vyre_ir::{Buffer, Inst, Op, Scalar, Sig};

/// What a workgroup does.
pub(crate) struct Form {
    /// Lanes of a gang: 1, in which case nothing is varying, or a power of two from 4.
    pub width: u32,
    /// The type of each variable.
    pub types: Vec<Type>,
    /// Run once for each workgroup.
    pub body: Block,
    /// Whether an access out of bounds ends the run with a report.
    pub checked: bool,
}

/// A variable, by its place in [`Form::types`].
#[derive(Copy, Clone, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub(crate) struct Var(pub u32);

/// Variables: operands, or results.
pub(crate) type Vars = SmallVec<[Var; 3]>;

/// Statements in order.
pub(crate) type Block = Vec<Stmt>;

/// The type of a variable.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub(crate) struct Type {
    pub scalar: Scalar,
    /// Whether each lane has its own.
    pub varying: bool,
}

impl Form {
    pub fn ty(&self, var: Var) -> Type {
        self.types[var.0 as usize]
    }
}

/// A step.
#[derive(Clone)]
pub(crate) enum Stmt {
    /// A uniform number.
    Const { out: Var, bits: u64 },
    /// The workgroup's id along an axis: uniform u32.
    Workgroup { out: Var, axis: u8 },
    /// The number of workgroups along an axis: uniform u32.
    Workgroups { out: Var, axis: u8 },
    /// The number of elements of a bound buffer whose declaration does not say it: uniform u32.
    Length { out: Var, buffer: Buffer },
    /// Varying u32 or i32: `base + lane * stride`, wrapping; `base` is uniform and of the same type.
    Ramp { out: Var, base: Var, stride: u32 },
    /// A pure operation of the table, of a scalar for each lane; once if `out` is uniform, and then so are `args`.
    Compute { out: Var, op: Op, sig: Sig, args: Vars },
    /// Whether a varying bool is true in any lane: uniform bool.
    Any { out: Var, mask: Var },
    /// Consecutive scalars from memory, one for each of `outs`; zeros where the place is not in bounds. Uniform if the
    /// place is the [same](Place::is_same) for all lanes, else varying.
    Load { outs: Vars, place: Place },
    /// Consecutive scalars to memory; nothing where the place is not in bounds. By lanes in ascending order; once if the
    /// place is the same for all lanes, and then `values` are uniform.
    Store { values: Vars, place: Place },
    /// `op`, an atomic operation, by each lane in ascending order; its row says what `operands` are (those after the
    /// index) and what it gives: the old scalar, and whether it was exchanged. `outs` are varying where the width is
    /// above 1, and 0 for lanes that are outside of the mask or out of bounds.
    Atomic { op: Op, outs: Vars, operands: Vars, place: Place },
    /// Waits for the launch's other workgroups, with what this one gives; `out` is then what the workgroup at 0, 0, 0
    /// gave. Both are uniform u32.
    Meet { out: Var, value: Var },
    /// Zeroes bytes of the worker's scratch memory.
    Zero { offset: u64, bytes: u64 },
    /// Reads what [`Stmt::Keep`] wrote for the gang whose first lane is at position `at`, a uniform u32. If `out` is
    /// uniform, what the first lane has.
    Kept { out: Var, slot: Slot, at: Var },
    /// Keeps a variable for each lane until later.
    Keep { value: Var, slot: Slot, at: Var },
    /// A subgroup operation; the gang is the subgroup. `args` are the operand and, for shuffles, the lane. Active are
    /// the lanes of the mask. `outs` may be uniform where all active lanes get the same. A ballot has four.
    Subgroup { op: Op, sig: Sig, outs: Vars, args: Vars, mask: Option<Var> },
    /// The intrinsic that an instruction of the program calls, for each lane of the mask; uniform if `out` is.
    Intrinsic { out: Var, inst: Inst, args: Vars, mask: Option<Var> },
    /// One of several blocks.
    Branch { on: On, sides: Vec<Side>, outs: Vec<Var> },
    /// Runs `body`, then again with other parameters as long as `exit` says. What the body set in its last turn is known
    /// after it.
    Loop(Box<Loop>),
    /// From here on, reports of accesses are for invocations with this local id. Only in checked code.
    Invocation { local: [Var; 3] },
}

/// What decides about a branch, always uniform.
#[derive(Clone)]
pub(crate) enum On {
    /// A bool: the first side if it is true, else the second.
    If(Var),
    /// An integer of 32 bits: the side of its case, else the last one.
    Switch(Var, Vec<(u32, u32)>),
}

/// A side of a branch.
#[derive(Clone)]
pub(crate) struct Side {
    pub body: Block,
    /// What the branch's `outs` are; uniform ones may become varying.
    pub yields: Vec<Var>,
}

/// A loop; it runs at least once.
#[derive(Clone)]
pub(crate) struct Loop {
    pub params: Vec<Var>,
    /// What the parameters are at first, and then; uniform ones may become varying.
    pub init: Vec<Var>,
    pub next: Vec<Var>,
    pub body: Block,
    pub exit: Exit,
    /// Whether each turn looks whether the run is to stop.
    pub watched: bool,
}

/// Whether a loop goes on.
#[derive(Clone)]
pub(crate) enum Exit {
    /// As long as a uniform bool is true.
    While(Var),
    /// As long as any lane does. `active` is a varying bool that is `first` before the first turn; the body runs under
    /// it as its mask. After a turn, the lanes of `active` whose `again`, a varying bool, is false leave, and all of them if
    /// `together`, a uniform bool, is false: they are taken out of `active`, and for each of `kept` they keep what `last`
    /// is.
    Masked { active: Var, first: Option<Var>, again: Var, together: Option<Var>, kept: Vec<Kept> },
}

/// What each lane had when it left a loop.
#[derive(Clone)]
pub(crate) struct Kept {
    /// In the loop: uniform or varying.
    pub last: Var,
    /// After the loop: varying; arbitrary for lanes that were not active before it.
    pub out: Var,
}

/// Where in the scratch memory a variable is kept for each invocation of the workgroup: an array with
/// [`Slot::bytes`] for each, in their order. It is long enough for whole gangs.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub(crate) struct Slot {
    pub offset: u64,
}

impl Slot {
    /// Bytes of an element: words, so that every vector of 32 bits has its own.
    pub fn bytes(scalar: Scalar) -> u32 {
        scalar.bytes().max(4)
    }
}

/// A place in memory for each lane.
#[derive(Clone)]
pub(crate) struct Place {
    pub memory: Space,
    /// What the memory is made of, as far as this access goes.
    pub scalar: Scalar,
    /// u32: counts scalars. Uniform, or varying if `step` is [`Step::Each`].
    pub index: Var,
    /// A constant that each lane adds to it, which wraps for no lane of the mask.
    pub plus: u32,
    pub step: Step,
    /// The lanes that access; all if there is none. If all lanes access the same scalar, at least one does.
    pub mask: Option<Var>,
    /// Whether other threads may write it meanwhile, so that each access must be made, and as a whole.
    pub atomic: bool,
    /// Whether all lanes of the mask are known to be in bounds, and which instruction of the program this is.
    pub proven: bool,
    pub inst: Inst,
}

/// How the index of a lane comes from that of the place.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub(crate) enum Step {
    /// It is the same for all lanes.
    Same,
    /// Each is so much more (wrapping) than that of the lane before; not 0.
    By(u32),
    /// Each has its own.
    Each,
}

/// Which memory.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub(crate) enum Space {
    /// A buffer that the launch brings. Its size is known then.
    Bound { buffer: Buffer, shared: bool },
    /// Memory of the workgroup in the scratch memory.
    Workgroup { offset: u64, bytes: u64 },
    /// Memory of each invocation in the scratch memory: `bytes` of it.
    Private(Private),
}

/// Memory of which each invocation has its own.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub(crate) struct Private {
    pub offset: u64,
    /// Bytes that an invocation has.
    pub bytes: u64,
    /// The position of the gang's first lane if the memory is kept for the whole workgroup; else gangs use the same
    /// memory one after another. The gang's memory starts `at * bytes` after `offset`.
    pub at: Option<Var>,
    /// Scalars of that many bytes of the gang's lanes lie side by side: scalar `i` of lane `l` is scalar
    /// `i * width + l` of the gang's memory. 0 if all of a lane's memory lies together, `bytes` for each lane. All
    /// accesses to interleaved memory are of scalars of that size.
    pub interleaved: u32,
}

impl Place {
    /// Whether all lanes access the same scalar.
    pub fn is_same(&self) -> bool {
        self.step == Step::Same && !matches!(self.memory, Space::Private(_))
    }
}
