//! Random programs, drawn from the op table: a new row is tried without being mentioned here.
//!
//! Every program verifies, ends, and gives the same bytes whatever the order of its invocations: each writes
//! its own part of a buffer, atomics are combinations that commute and whose old values nobody looks at, and
//! workgroup memory is read between barriers. Sign and payload of a NaN are unspecified, so a float whose
//! bits are about to be seen is replaced by 0 when it is NaN.

mod control;
mod counting;
mod dialect;
mod grid;
mod memory;
mod operations;
mod prng;
mod values;

use memory::sums_bytes;
pub use prng::Random;
use std::sync::Arc;
use vyre_ir::dialect::{OpDef, link};
use vyre_ir::eval::is_evaluable;
use vyre_ir::{
    Access, Buffer, BufferDecl, Builder, Effect, Info, Memory, OPS, Op, Program, Rule, Scalar, Type, Value,
};

/// What programs may contain.
#[derive(Clone, Debug)]
pub struct Options {
    /// Types of values; `bool` and `u32` are always among them.
    pub scalars: Vec<Scalar>,
    /// Whether values may be vectors.
    pub vectors: bool,
    /// Whether operations that are defined by an expansion may occur.
    pub math: bool,
    /// Whether operations between the invocations of a subgroup may occur.
    pub subgroups: bool,
    /// About how many statements the body has.
    pub statements: usize,
    /// How deep control flow is nested.
    pub depth: usize,
    /// Whether workgroups are larger, and of odd sizes.
    pub wide: bool,
    /// Whether the program waits for its grid, also in branches and loops.
    pub grid_syncs: bool,
    /// Whether there are operations of a dialect, made at random too. The program is linked to them.
    pub calls: bool,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            scalars: Scalar::ALL.to_vec(),
            vectors: true,
            math: true,
            subgroups: true,
            statements: 16,
            depth: 3,
            wide: false,
            grid_syncs: false,
            calls: false,
        }
    }
}

/// Bytes of each invocation in `data`: few, so that accesses meet.
const SLOT: u64 = 32;
/// Bytes of each invocation in `out`.
const OUT: u64 = 256;
/// Bytes of each invocation in workgroup memory.
const TILE: u64 = 16;
/// Bytes of private memory.
const PRIVATE: u64 = 48;
/// Scalar types of integer atomics.
const ATOMICS: [Scalar; 4] = [Scalar::I32, Scalar::U32, Scalar::I64, Scalar::U64];

/// A random program.
pub fn program(seed: u64, options: &Options) -> Program {
    let mut random = Random::new(seed);
    let size = match options.wide {
        false => [[1, 1, 1], [3, 1, 1], [8, 1, 1], [5, 2, 1], [4, 2, 2], [16, 1, 1]][random.below(6)],
        true => [[17, 1, 1], [37, 1, 1], [64, 1, 1], [7, 5, 1], [31, 3, 1], [6, 3, 4]][random.below(6)],
    };
    let mut b = Builder::new("random", size);
    let threads = size.iter().product::<u32>() as u64;
    let mut buffer = |name: &str, memory, access, element: Type, bytes: u64| {
        let bound = matches!(memory, Memory::Storage | Memory::Uniform);
        let binding = b.p.buffers.len() as u32 * bound as u32;
        let count = bytes / element.bytes() as u64;
        b.buffer(BufferDecl {
            name: name.into(),
            group: 0,
            binding,
            memory,
            access,
            element,
            count,
            ..BufferDecl::default()
        })
    };
    let u32x = |lanes| Type::new(Scalar::U32, lanes);
    let memory = Buffers {
        words: buffer("words", Memory::Storage, Access::Read, u32x(1), 0),
        floats: buffer("floats", Memory::Storage, Access::Read, Scalar::F32.into(), 0),
        uniform: buffer("uniform", Memory::Uniform, Access::Read, u32x(4), 32),
        data: buffer("data", Memory::Storage, Access::ReadWrite, u32x(1), 0),
        out: buffer("out", Memory::Storage, Access::ReadWrite, u32x(1), 0),
        sums: buffer("sums", Memory::Storage, Access::ReadWrite, u32x(1), sums_bytes()),
        tile: buffer("tile", Memory::Workgroup, Access::ReadWrite, u32x(1), TILE * threads),
        shared_sums: buffer("shared_sums", Memory::Workgroup, Access::ReadWrite, u32x(1), sums_bytes()),
        private: buffer("private", Memory::Private, Access::ReadWrite, u32x(1), PRIVATE),
    };
    // From a stream of its own, so that the rest of a seed's program does not depend on it.
    let axis = [None, None, Some(1), Some(2)][Random::new(!seed).below(4)];
    b.p.buffers[memory.words].hints.coalesce_axis = axis;
    let mut scalars = options.scalars.clone();
    scalars.extend([Scalar::Bool, Scalar::U32]);
    scalars.sort();
    scalars.dedup();
    let allowed = |info: &&Info| {
        (options.math || info.expand.is_none())
            && (is_evaluable(info.op) || matches!(info.rule, Rule::Axis | Rule::Index | Rule::Length))
            && (options.subgroups || !info.name.contains("subgroup"))
            && info.effect == Effect::Pure
    };
    let rows: Vec<Op> = OPS.iter().filter(allowed).map(|info| info.op).collect();
    let registry = options.calls.then(|| dialect::registry(&mut random, options, &scalars, &rows));
    let invocation = linear_id(&mut b, threads as u32);
    let mut g = Generator {
        b,
        random,
        options,
        scalars,
        rows,
        memory,
        invocation,
        threads,
        pool: vec![invocation],
        grid: options.grid_syncs,
        callable: registry.iter().flat_map(|registry| registry.iter().cloned()).collect(),
        pure: false,
    };
    for _ in 0..1 + g.random.below(3) {
        g.block(options.statements, options.depth, true);
        g.output();
    }
    let program = g.b.finish();
    match &registry {
        Some(registry) => {
            link(&program, registry).unwrap_or_else(|e| panic!("a random call does not fit: {}", e[0]))
        }
        None => program,
    }
}

/// The number of workgroups to run the program of a seed with.
pub fn grid(seed: u64) -> [u32; 3] {
    [[1, 1, 1], [2, 1, 1], [3, 2, 1], [2, 1, 2]][Random::new(!seed).below(4)]
}

/// The contents of every buffer before the run, indexed like the program's buffers; empty for memory that is
/// not bound.
pub fn inputs(seed: u64, program: &Program) -> Vec<Vec<u8>> {
    let mut random = Random::new(seed ^ 0x5eed);
    let invocations = grid(seed).iter().product::<u32>() as u64 * program.workgroup_invocations();
    let mut fill = |decl: &BufferDecl| {
        let bytes = match (decl.static_bytes(), decl.access.writes()) {
            _ if matches!(decl.memory, Memory::Workgroup | Memory::Private) => 0,
            (Some(bytes), _) => bytes,
            (None, true) => invocations * if decl.name == "out" { OUT } else { SLOT },
            (None, false) => (1 + random.below(40) as u64) * decl.element.bytes() as u64,
        };
        let scalar = decl.element.scalar;
        let bits = (0..bytes / scalar.bytes() as u64).map(|_| match random.below(3) {
            0 => random.constant(Scalar::F32),
            _ => random.constant(scalar),
        });
        bits.flat_map(|bits| bits.to_le_bytes().into_iter().take(scalar.bytes() as usize)).collect()
    };
    program.buffers.values().map(&mut fill).collect()
}

struct Buffers {
    words: Buffer,
    floats: Buffer,
    uniform: Buffer,
    data: Buffer,
    out: Buffer,
    sums: Buffer,
    tile: Buffer,
    shared_sums: Buffer,
    private: Buffer,
}

struct Generator<'o> {
    b: Builder,
    random: Random,
    options: &'o Options,
    scalars: Vec<Scalar>,
    memory: Buffers,
    /// Pure rows that the options allow.
    rows: Vec<Op>,
    /// Position of the invocation among all of the grid.
    invocation: Value,
    threads: u64,
    /// Values visible here.
    pool: Vec<Value>,
    /// Whether all invocations of the grid come here together, in programs that may wait for it.
    grid: bool,
    /// Operations of a dialect that may be called.
    callable: Vec<Arc<OpDef>>,
    /// Whether this is the body of one, which only computes.
    pure: bool,
}

impl Generator<'_> {
    /// Statements; `uniform` says whether all invocations of a workgroup come here together.
    fn block(&mut self, statements: usize, depth: usize, uniform: bool) {
        for _ in 0..statements {
            let kind =
                if self.pure { self.pure_kind() } else { self.random.below(if self.grid { 40 } else { 34 }) };
            match kind {
                0 | 1 if depth > 0 => self.branch(depth - 1, uniform),
                2 | 3 if depth > 0 => self.repeat(depth - 1, uniform),
                4 if depth > 0 => self.switch(depth - 1),
                5 if uniform => self.exchange(),
                6 if uniform => self.barrier(),
                7 if uniform => self.shared_sums(),
                8 | 9 => self.read(),
                10 | 11 => self.own_slot(),
                12 | 13 => self.private(),
                14 => self.atomic(),
                15 => self.vector(),
                16 if self.options.subgroups => self.subgroup(),
                17..20 => self.chain(),
                20 => self.twins(),
                21 => self.update(),
                22 => self.counting(),
                23 => self.guarded(),
                34 | 35 => self.grid_sync(),
                36 => self.grid_exchange(),
                37 => {
                    let value = self.agreed();
                    self.pool.push(value);
                }
                38 => self.grid_sums(),
                39 => self.tile_across(),
                24 | 25 if !self.callable.is_empty() => self.call(),
                _ => self.operation(),
            }
        }
    }
}

fn linear_id(b: &mut Builder, threads: u32) -> Value {
    let ids = [0, 1, 2].map(|axis| b.axis(Op::WorkgroupId, axis));
    let sizes = [0, 1].map(|axis| b.axis(Op::NumWorkgroups, axis));
    let mut id = ids[2];
    for axis in [1, 0] {
        id = b.op(Op::Mul, &[id, sizes[axis]]);
        id = b.op(Op::Add, &[id, ids[axis]]);
    }
    let threads = b.u32(threads);
    let first = b.op(Op::Mul, &[id, threads]);
    let local = b.index(Op::LocalIndex);
    b.op(Op::Add, &[first, local])
}
