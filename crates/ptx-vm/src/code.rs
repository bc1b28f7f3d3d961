//! The compact form of a kernel: what the step loop reads. No names, no tables to look things up in.

use crate::convert::Conversion;
use crate::types::{Format, Type};
use std::sync::Arc;

/// A register that does not exist.
pub(crate) const NONE: u32 = u32::MAX;

/// What an instruction reads: a register, a constant of the kernel, or a special register.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub(crate) struct Source(pub(crate) u32);

impl Source {
    const CONSTANT: u32 = 1 << 31;
    const SPECIAL: u32 = 1 << 30;
    pub(crate) const NONE: Source = Source(u32::MAX);

    pub(crate) fn register(index: u32) -> Source {
        Source(index)
    }
    pub(crate) fn constant(index: u32) -> Source {
        Source(Source::CONSTANT | index)
    }
    pub(crate) fn special(special: Special) -> Source {
        Source(Source::SPECIAL | special as u32)
    }
    #[inline(always)]
    pub(crate) fn as_register(self) -> Option<u32> {
        (self.0 < Source::SPECIAL).then_some(self.0)
    }
    #[inline(always)]
    pub(crate) fn as_constant(self) -> Option<u32> {
        (self.0 & Source::CONSTANT != 0).then_some(self.0 & !Source::CONSTANT)
    }
    /// The number of a special register; only of sources that are neither of the others.
    pub(crate) fn as_special(self) -> u32 {
        self.0 & !Source::SPECIAL
    }
    /// The same source in a kernel whose registers and constants begin later.
    pub(crate) fn moved(self, registers: u32, constants: u32) -> Source {
        if self == Source::NONE {
            self
        } else if self.as_register().is_some() {
            Source(self.0 + registers)
        } else if self.as_constant().is_some() {
            Source(self.0 + constants)
        } else {
            self
        }
    }
}

/// Special registers.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
#[repr(u32)]
pub(crate) enum Special {
    TidX,
    TidY,
    TidZ,
    NtidX,
    NtidY,
    NtidZ,
    CtaidX,
    CtaidY,
    CtaidZ,
    NctaidX,
    NctaidY,
    NctaidZ,
    Laneid,
    Warpid,
    Nwarpid,
    Smid,
    Nsmid,
    LanemaskEq,
    LanemaskLt,
    LanemaskLe,
    LanemaskGt,
    LanemaskGe,
    Clock,
    ClockHigh,
    Clock64,
    Globaltimer,
    GlobaltimerLow,
    GlobaltimerHigh,
    Gridid,
    DynamicShared,
    TotalShared,
    Zero,
    One,
}

/// A number that a kernel refers to.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub(crate) enum Constant {
    Value(u64),
    /// The address of a variable of the module, plus something.
    Address(u32, i64),
}

/// Whether an instruction runs.
#[derive(Copy, Clone, Debug)]
pub(crate) struct Guard {
    /// A predicate; [`NONE`]: always.
    pub(crate) register: u32,
    pub(crate) when: bool,
}

#[derive(Copy, Clone, PartialEq, Eq, Debug, Default)]
pub(crate) enum Rounding {
    #[default]
    Nearest,
    Zero,
    Down,
    Up,
    /// Ties away from zero.
    Away,
}

#[derive(Copy, Clone, PartialEq, Eq, Debug, Default)]
pub(crate) enum Comparison {
    #[default]
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    /// Neither is a NaN.
    Numbers,
    /// One is a NaN.
    Nan,
}

/// What changes a pure operation.
#[derive(Copy, Clone, Debug, Default)]
pub(crate) struct Flags {
    /// Bits of an integer.
    pub(crate) width: u8,
    pub(crate) signed: bool,
    pub(crate) format: Format,
    pub(crate) rounding: Rounding,
    /// Whether subnormal inputs and results are zero.
    pub(crate) flush: bool,
    pub(crate) saturate: bool,
    /// Whether minima and maxima are NaN where an input is.
    pub(crate) nan: bool,
    pub(crate) xor_sign: bool,
    pub(crate) relu: bool,
    pub(crate) comparison: Comparison,
    /// Whether a comparison with a NaN holds.
    pub(crate) unordered: bool,
    /// Of the second input, where it can be another.
    pub(crate) other_signed: bool,
    /// A choice that the operation explains.
    pub(crate) mode: u8,
}

pub(crate) type Unary = fn(u64, Flags) -> u64;
pub(crate) type Binary = fn(u64, u64, Flags) -> u64;
pub(crate) type Ternary = fn(u64, u64, u64, Flags) -> u64;
pub(crate) type Quaternary = fn(u64, u64, u64, u64, Flags) -> u64;

#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub(crate) enum Combine {
    None,
    And,
    Or,
    Xor,
}

#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub(crate) enum Space {
    Generic,
    Global,
    Shared,
    Local,
    Param,
    Const,
}

/// How strong a memory operation is, and what it orders.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub(crate) enum Order {
    Weak,
    Relaxed,
    Acquire,
    Release,
    AcquireRelease,
}

impl Order {
    pub(crate) fn acquires(self) -> bool {
        matches!(self, Order::Acquire | Order::AcquireRelease)
    }
    pub(crate) fn releases(self) -> bool {
        matches!(self, Order::Release | Order::AcquireRelease)
    }
}

/// Who sees a strong operation as strong.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Scope {
    Block,
    Device,
    System,
}

/// A load or store.
#[derive(Copy, Clone, Debug)]
pub(crate) struct Access {
    pub(crate) space: Space,
    pub(crate) order: Order,
    pub(crate) scope: Scope,
    /// Bytes of an element.
    pub(crate) bytes: u8,
    /// Elements.
    pub(crate) count: u8,
    pub(crate) signed: bool,
    /// `.nc`: through a cache that nothing keeps up to date.
    pub(crate) non_coherent: bool,
}

#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub(crate) enum AtomicOp {
    Add,
    Min,
    Max,
    And,
    Or,
    Xor,
    Exchange,
    CompareExchange,
    Increment,
    Decrement,
}

/// What every lane of a warp does together.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub(crate) enum Collective {
    WarpBarrier,
    ShuffleUp,
    ShuffleDown,
    ShuffleXor,
    ShuffleIndex,
    VoteAny,
    VoteAll,
    VoteUniform,
    VoteBallot,
    MatchAny,
    MatchAll,
    Reduce(AtomicOp, Type),
    Elect,
    LoadMatrix { count: u8, transposed: bool },
    Multiply { k: u8, format: Format, wide: bool },
}

/// What a block's barrier computes.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub(crate) enum BarrierKind {
    Sync,
    Arrive,
    And,
    Or,
    Popc,
}

/// What an instruction does.
#[derive(Clone, Debug)]
pub(crate) enum Op {
    Unary(Unary, Flags),
    Binary(Binary, Flags),
    Ternary(Ternary, Flags),
    Quaternary(Quaternary, Flags),
    Move,
    Cvt(Box<Conversion>),
    /// Two conversions to the halves of the result, the first to the upper one; with a third source, above its lower half.
    CvtPair(Box<Conversion>),
    /// `setp`: `d` and, if there is one, its second destination from `a`, `b` and the predicate `c`.
    Compare {
        test: Binary,
        flags: Flags,
        combine: Combine,
    },
    /// Both inputs of a `setp` of f16x2 half by half, to two predicates.
    ComparePair {
        flags: Flags,
        combine: Combine,
    },
    /// Adds with carry: whether it reads the flag, whether it writes it, whether it subtracts.
    Carry {
        reads: bool,
        writes: bool,
        subtracts: bool,
        flags: Flags,
    },
    /// A multiplication and an addition with carry.
    MadCarry {
        high: bool,
        reads: bool,
        writes: bool,
        flags: Flags,
    },
    /// Shuffle destinations from pieces of so many bits.
    Pack(u8),
    Unpack(u8),
    Load(Access),
    Store(Access),
    Atomic {
        op: AtomicOp,
        kind: Type,
        access: Access,
        returns: bool,
    },
    Fence(Scope, Order),
    /// The address in one space of one in generic space, or back.
    Convert {
        space: Space,
        to_generic: bool,
    },
    IsSpace(Space),
    Branch(u32),
    BranchIndex(Box<[u32]>),
    Call(Call),
    Return,
    Exit,
    Trap,
    Nothing,
    /// Nothing, but asks for another thread's turn.
    Yield,
    Barrier {
        kind: BarrierKind,
        aligned: bool,
        negated: bool,
    },
    Collective {
        kind: Collective,
        negated: bool,
    },
    /// Lanes of the warp that run: depends on the schedule.
    ActiveMask,
    Unsupported(&'static str),
}

/// A call of a function.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    /// Name, until linked.
    pub(crate) name: String,
    /// Where its code begins, once linked.
    pub(crate) target: u32,
    pub(crate) arguments: Vec<Place>,
    pub(crate) results: Vec<Place>,
    /// Where the function has them: as many as the others, once linked.
    pub(crate) formal_arguments: Vec<Place>,
    pub(crate) formal_results: Vec<Place>,
}

/// Where an argument of a call is.
#[derive(Copy, Clone, Debug)]
pub(crate) enum Place {
    Register(u32),
    Value(Source),
    /// A variable in a thread's own memory: which, and its bytes. Once linked, where it begins.
    Memory(u32, u32),
}

/// An instruction. Unused sources are [`Source::NONE`], an unused destination is [`NONE`].
#[derive(Clone, Debug)]
pub(crate) struct Instruction {
    pub(crate) op: Op,
    pub(crate) guard: Guard,
    pub(crate) destination: u32,
    pub(crate) sources: [Source; 4],
    /// Of addresses.
    pub(crate) offset: i64,
    pub(crate) more_destinations: Box<[u32]>,
    pub(crate) more_sources: Box<[Source]>,
    pub(crate) line: u32,
    /// Index of a place in the source text, or [`NONE`].
    pub(crate) place: u32,
}

impl Instruction {
    pub(crate) fn new(op: Op) -> Instruction {
        Instruction {
            op,
            guard: Guard { register: NONE, when: true },
            destination: NONE,
            sources: [Source::NONE; 4],
            offset: 0,
            more_destinations: Box::default(),
            more_sources: Box::default(),
            line: 0,
            place: NONE,
        }
    }
    pub(crate) fn to(mut self, destination: u32) -> Instruction {
        self.destination = destination;
        self
    }
    pub(crate) fn from<const N: usize>(mut self, sources: [Source; N]) -> Instruction {
        self.sources[..N].copy_from_slice(&sources);
        self
    }
}

/// A variable of the module or of a function.
#[derive(Clone, Debug)]
pub(crate) struct Variable {
    pub(crate) name: String,
    pub(crate) space: Space,
    pub(crate) bytes: u64,
    pub(crate) align: u32,
    pub(crate) initial: Vec<u8>,
    /// `.extern .shared`: as large as the launch says.
    pub(crate) dynamic: bool,
    /// Whether it is a parameter of the kernel, not a thread's own memory.
    pub(crate) of_entry: bool,
}

/// A variable that a kernel names.
#[derive(Debug)]
pub(crate) struct Placed {
    /// Its number in the module.
    pub(crate) number: u32,
    pub(crate) variable: Variable,
    /// Where it lies in its space, if that is known before a launch.
    pub(crate) begin: u64,
}

/// A kernel, linked.
#[derive(Debug)]
pub(crate) struct Code {
    pub(crate) instructions: Vec<Instruction>,
    /// Of registers.
    pub(crate) types: Vec<Type>,
    /// What registers are called: a name, its first register, and how many have numbers behind it, 0 for a name alone.
    pub(crate) names: Vec<(String, u32, u32)>,
    pub(crate) constants: Vec<Constant>,
    /// Variables that it names, in order of their numbers.
    pub(crate) variables: Vec<Placed>,
    /// Of variables in shared memory: begin and end.
    pub(crate) shared: Vec<(u64, u64)>,
    /// Of shared memory, where the dynamic part begins.
    pub(crate) dynamic_shared: u64,
    pub(crate) has_dynamic_shared: bool,
    /// Bytes of a thread's own memory.
    pub(crate) local_bytes: u64,
    /// File, line, column.
    pub(crate) places: Arc<[(String, usize, usize)]>,
    /// The text, for reports.
    pub(crate) text: Arc<str>,
    /// Which module it is of; its variables live as long as the memory.
    pub(crate) module: u64,
    /// Whether some load is `.nc`.
    pub(crate) non_coherent: bool,
}
