//! The program: a tree of regions whose instructions are in static single assignment form.
//!
//! Every instruction is the same record: operation, attribute, operands, results, regions. Code that does not care
//! about a particular operation (printing, parsing, cloning, dead code, value numbering, liveness) matches on none.
//!
//! Invariants, checked by [`crate::verify::verify`]:
//! - a value is defined once, before its uses, in the same region or an enclosing one;
//! - a region has one entry and one exit: its last instruction, a `yield`, and no other;
//! - instructions of a region run in order; only `Pure` ones may be moved;
//! - barriers are in control flow that is uniform across the workgroup.

use crate::diagnostic::{Loc, Source};
use crate::dialect::Call;
use crate::entity::{Arena, entity};
use crate::op::{Effect, Op, Rule, Sig};
use crate::types::{Scalar, Type};
use smallvec::SmallVec;
use std::sync::Arc;

entity!(
    /// A value: the result of an instruction or a parameter of a region.
    Value,
    "%"
);
entity!(
    /// An instruction.
    Inst,
    "inst"
);
entity!(
    /// A region.
    Region,
    "region"
);
entity!(
    /// A buffer of the program.
    Buffer,
    "buffer"
);

/// A compute program: buffers and a body that every invocation of the grid runs.
#[derive(Clone, Debug)]
pub struct Program {
    /// The entry point's name.
    pub name: String,
    /// Invocations of a workgroup along x, y, z; each at least 1.
    pub workgroup_size: [u32; 3],
    /// Memory the program sees.
    pub buffers: Arena<Buffer, BufferDecl>,
    /// Instructions, in no particular order; regions say which run.
    pub insts: Arena<Inst, InstData>,
    /// Regions.
    pub regions: Arena<Region, RegionData>,
    /// Values.
    pub values: Arena<Value, ValueData>,
    /// The outermost region: no parameters, yields nothing.
    pub body: Region,
    /// The text that locations point into.
    pub source: Option<Arc<Source>>,
}

/// Where a buffer lives and who shares it.
#[derive(Copy, Clone, PartialEq, Eq, Hash, Debug)]
pub enum Memory {
    /// Device memory shared by all invocations, bound from outside.
    Storage,
    /// Small read-only device memory, bound from outside.
    Uniform,
    /// Device memory that keeps its contents from dispatch to dispatch, bound from outside.
    Persistent,
    /// Shared by a workgroup; zero at its start.
    Workgroup,
    /// One for each invocation; zero at its start.
    Private,
}

impl Memory {
    /// Every kind, in the order of the enumeration.
    pub const ALL: [Memory; 5] =
        [Memory::Storage, Memory::Uniform, Memory::Persistent, Memory::Workgroup, Memory::Private];

    /// The name in text form.
    pub fn name(self) -> &'static str {
        match self {
            Memory::Storage => "storage",
            Memory::Uniform => "uniform",
            Memory::Persistent => "persistent",
            Memory::Workgroup => "workgroup",
            Memory::Private => "private",
        }
    }
    /// Whether the host binds it.
    pub fn is_bound(self) -> bool {
        matches!(self, Memory::Storage | Memory::Uniform | Memory::Persistent)
    }
}

/// What the program may do with a buffer.
#[derive(Copy, Clone, PartialEq, Eq, Hash, Debug)]
pub enum Access {
    /// Read only.
    Read,
    /// Write only.
    Write,
    /// Both, and atomics.
    ReadWrite,
}

impl Access {
    /// Every access, in the order of the enumeration.
    pub const ALL: [Access; 3] = [Access::Read, Access::Write, Access::ReadWrite];

    /// The name in text form.
    pub fn name(self) -> &'static str {
        match self {
            Access::Read => "read",
            Access::Write => "write",
            Access::ReadWrite => "read_write",
        }
    }
    /// Whether stores and atomics are allowed.
    pub fn writes(self) -> bool {
        self != Access::Read
    }
    /// Whether loads are allowed.
    pub fn reads(self) -> bool {
        self != Access::Write
    }
}

/// How a program goes through a buffer, as far as it helps to know where the memory should lie.
#[derive(Copy, Clone, Default, PartialEq, Eq, Hash, Debug)]
pub enum CacheLocality {
    /// Each element once, in order.
    Streaming,
    /// What was accessed is soon accessed again, or nothing is known.
    #[default]
    Temporal,
    /// Anywhere in it.
    Random,
}

impl CacheLocality {
    /// Every locality, in the order of the enumeration.
    pub const ALL: [CacheLocality; 3] =
        [CacheLocality::Streaming, CacheLocality::Temporal, CacheLocality::Random];

    /// The name in text form.
    pub fn name(self) -> &'static str {
        match self {
            CacheLocality::Streaming => "streaming",
            CacheLocality::Temporal => "temporal",
            CacheLocality::Random => "random",
        }
    }
}

/// What a program says of a bound buffer to make runs faster. Results are the same without.
#[derive(Copy, Clone, Default, PartialEq, Eq, Hash, Debug)]
pub struct MemoryHints {
    /// The axis (0, 1, 2) along which neighboring invocations access neighboring elements, if that is not x. A device
    /// runs neighbors along it together.
    pub coalesce_axis: Option<u8>,
    /// What the buffer's address should be a multiple of: a power of two, 0 for nothing in particular. Whether a
    /// device can do it is for the binding plan to say.
    pub preferred_alignment: u32,
    /// How the program goes through it.
    pub cache_locality: CacheLocality,
}

impl MemoryHints {
    /// Nothing is said.
    pub fn is_default(&self) -> bool {
        *self == MemoryHints::default()
    }
}

/// A buffer: what it holds, how much, and where it is bound.
///
/// The element type is how the host and the command line see the buffer; it is the unit of `count`, of `length` and
/// of its binding. An access states its own type and counts its index in scalars of that type, so one buffer can
/// hold a structure of mixed types: its element is then `u32`. Its size in bytes is a multiple of the element's.
///
/// ```
/// use vyre_ir::{Access, BufferDecl, CacheLocality, MemoryHints};
/// let table = BufferDecl {
///     name: "table".into(),
///     access: Access::ReadWrite,
///     hints: MemoryHints { cache_locality: CacheLocality::Random, ..MemoryHints::default() },
///     ..BufferDecl::default()
/// };
/// assert_eq!(table.count, 0); // sized at run time
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BufferDecl {
    /// Name, unique in the program.
    pub name: String,
    /// Bind group; 0 for memory that is not bound.
    pub group: u32,
    /// Binding in the group; 0 for memory that is not bound.
    pub binding: u32,
    /// Where it lives.
    pub memory: Memory,
    /// What the program may do.
    pub access: Access,
    /// What it holds.
    pub element: Type,
    /// Number of elements; 0 when it is sized at run time (only memory that is bound).
    pub count: u64,
    /// Whether the host reads it back although its access alone would not say so, and does not provide it.
    pub output: bool,
    /// Whether the host reads it back after the run although neither its access nor `output` says so: whoever runs
    /// next in a pipeline takes the bytes from there. Only memory that is bound.
    pub live_out: bool,
    /// Where it should lie and how it is accessed. Only memory that is bound has any.
    pub hints: MemoryHints,
}

/// Storage for reading `u32`, sized at run time, at group 0 and binding 0, without a name.
impl Default for BufferDecl {
    fn default() -> BufferDecl {
        BufferDecl {
            name: String::new(),
            group: 0,
            binding: 0,
            memory: Memory::Storage,
            access: Access::Read,
            element: Scalar::U32.into(),
            count: 0,
            output: false,
            live_out: false,
            hints: MemoryHints::default(),
        }
    }
}

impl BufferDecl {
    /// Size in bytes of a buffer whose count is declared.
    pub fn static_bytes(&self) -> Option<u64> {
        if self.count == 0 { None } else { self.count.checked_mul(self.element.bytes() as u64) }
    }
}

/// An instruction.
#[derive(Clone, Debug)]
pub struct InstData {
    /// What it does.
    pub op: Op,
    /// Its compile-time part.
    pub attr: Attr,
    /// Operands.
    pub args: SmallVec<[Value; 3]>,
    /// Results.
    pub results: SmallVec<[Value; 1]>,
    /// Regions of control flow.
    pub regions: SmallVec<[Region; 2]>,
    /// Where it came from.
    pub loc: Loc,
}

/// The compile-time part of an instruction.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Attr {
    /// Nothing.
    None,
    /// The value of a constant: the bits of each lane; lanes the type does not have are 0.
    Bits([u64; 4]),
    /// A lane of a vector.
    Lane(u8),
    /// An axis: 0, 1, 2.
    Axis(u8),
    /// A buffer.
    Buffer(Buffer),
    /// For a switch: which value goes to which region. No value twice; a region may have several.
    Cases(Arc<[Case]>),
    /// For a call: which operation of which dialect.
    Call(Arc<Call>),
}

/// A case of a switch.
#[derive(Copy, Clone, PartialEq, Eq, Hash, Debug)]
pub struct Case {
    /// The selector's bits.
    pub value: u64,
    /// The index of the region in the instruction; the last region is the default.
    pub region: u32,
}

/// A region.
#[derive(Clone, Debug, Default)]
pub struct RegionData {
    /// Values given on entry.
    pub params: SmallVec<[Value; 4]>,
    /// Instructions in order, a `yield` last.
    pub insts: Vec<Inst>,
}

/// A value.
#[derive(Copy, Clone, Debug)]
pub struct ValueData {
    /// Its type.
    pub ty: Type,
    /// What defines it.
    pub def: Def,
}

/// What defines a value.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Def {
    /// A result of an instruction.
    Result(Inst),
    /// A parameter of a region.
    Param(Region),
}

impl Program {
    /// A value's type.
    pub fn ty(&self, value: Value) -> Type {
        self.values[value].ty
    }

    /// The bits of each lane, if the value is a constant.
    pub fn constant(&self, value: Value) -> Option<[u64; 4]> {
        let Def::Result(inst) = self.values[value].def else { return None };
        match (self.insts[inst].op, &self.insts[inst].attr) {
            (Op::Const, Attr::Bits(bits)) => Some(*bits),
            _ => None,
        }
    }

    /// The value's bits, if it is a constant scalar or a constant whose lanes are all the same.
    pub fn splat_constant(&self, value: Value) -> Option<u64> {
        let bits = self.constant(value)?;
        let lanes = &bits[..self.ty(value).lanes as usize];
        lanes.iter().all(|b| *b == lanes[0]).then_some(lanes[0])
    }

    /// The instruction that gives the value, if one does.
    pub fn producer(&self, value: Value) -> Option<&InstData> {
        match self.values[value].def {
            Def::Result(inst) => Some(&self.insts[inst]),
            Def::Param(_) => None,
        }
    }

    /// The buffer an instruction accesses.
    pub fn buffer_of(&self, inst: &InstData) -> Option<Buffer> {
        match inst.attr {
            Attr::Buffer(buffer) => Some(buffer),
            _ => None,
        }
    }

    /// The type that a load, store or atomic reads or writes; `None` for other instructions.
    pub fn accessed(&self, inst: &InstData) -> Option<Type> {
        match inst.op.info().rule {
            Rule::Load => Some(self.ty(inst.results[0])),
            Rule::Store | Rule::Atomic(_) | Rule::CompareExchange(_) => Some(self.ty(inst.args[1])),
            _ => None,
        }
    }

    /// What an instruction does beside giving results: that of its row, but a read of memory that nobody writes while
    /// the program runs is `Pure`.
    pub fn effect(&self, inst: &InstData) -> Effect {
        match (inst.op, self.buffer_of(inst)) {
            (Op::Load, Some(buffer)) if !self.buffers[buffer].access.writes() => Effect::Pure,
            _ => inst.op.info().effect,
        }
    }

    /// What a call names; `None` for every other instruction.
    pub fn call<'a>(&self, inst: &'a InstData) -> Option<&'a Arc<Call>> {
        match &inst.attr {
            Attr::Call(call) => Some(call),
            _ => None,
        }
    }

    /// The types an instruction's evaluation is for.
    ///
    /// # Panics
    /// When the instruction has no operands or no results.
    pub fn sig(&self, inst: &InstData) -> Sig {
        let operand = inst.args[if inst.op == Op::Select { 1 } else { 0 }];
        Sig { operand: self.ty(operand).scalar, result: self.ty(inst.results[0]).scalar }
    }

    /// What a region yields.
    ///
    /// # Panics
    /// When the region is still being built.
    pub fn yielded(&self, region: Region) -> &[Value] {
        &self.insts[*self.regions[region].insts.last().expect("a region ends in a yield")].args
    }

    /// Every instruction under `region`, outermost first, in program order.
    pub fn walk(&self, region: Region, visit: &mut impl FnMut(Inst)) {
        for &inst in &self.regions[region].insts {
            visit(inst);
            for &inner in &self.insts[inst].regions {
                self.walk(inner, visit);
            }
        }
    }

    /// The first instruction that can run, in program order, with such an operation.
    pub fn find(&self, wanted: impl Fn(Op) -> bool) -> Option<Inst> {
        let mut found = None;
        self.walk(self.body, &mut |inst| {
            if found.is_none() && wanted(self.insts[inst].op) {
                found = Some(inst);
            }
        });
        found
    }

    /// Number of instructions that can run.
    pub fn size(&self) -> usize {
        let mut n = 0;
        self.walk(self.body, &mut |_| n += 1);
        n
    }

    /// The buffer of that name.
    pub fn buffer_named(&self, name: &str) -> Option<Buffer> {
        self.buffers.iter().find(|(_, b)| b.name == name).map(|(id, _)| id)
    }

    /// Invocations of a workgroup.
    pub fn workgroup_invocations(&self) -> u64 {
        self.workgroup_size.iter().map(|&n| n as u64).product()
    }

    /// The bytes from which an access of that type at scalar index `index` reads or writes, as (offset, size);
    /// computed without wrapping.
    pub fn access_bytes(ty: Type, index: u32) -> (u64, u64) {
        (index as u64 * ty.scalar.bytes() as u64, ty.bytes() as u64)
    }
}

/// Bits of a scalar constant as [`Attr::Bits`] of a vector of `ty`'s lanes.
pub fn splat_bits(ty: Type, bits: u64) -> [u64; 4] {
    let mut lanes = [0; 4];
    lanes[..ty.lanes as usize].fill(bits & ty.scalar.mask());
    lanes
}

/// The bits of a number as a constant of type `scalar`; the number must be exact in it.
pub fn number_bits(scalar: Scalar, number: f64) -> u64 {
    let bits = crate::lane::convert(Scalar::F64, scalar, number.to_bits());
    debug_assert!(
        number.is_nan()
            || crate::lane::convert(scalar, Scalar::F64, bits) == number.to_bits()
            || number == 0.0
            || scalar == Scalar::Bool,
        "{number} is not exact in {scalar}"
    );
    bits
}
