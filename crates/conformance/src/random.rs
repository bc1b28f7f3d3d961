//! Random programs, drawn from the op table: a new row is tried without being mentioned here.
//!
//! Every program verifies, ends, and gives the same bytes whatever the order of its invocations: each writes its own
//! part of a buffer, atomics are combinations that commute and whose old values nobody looks at, and workgroup memory is read
//! between barriers. Sign and payload of a NaN are unspecified, so a float whose bits are about to be seen is
//! replaced by 0 when it is NaN.

use smallvec::SmallVec;
use vyre_ir::eval::is_evaluable;
use vyre_ir::{
    Access, Buffer, BufferDecl, Builder, Case, Class, Effect, Info, Memory, OPS, Op, Program, Region, Rule,
    Scalar, Type, Value,
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
        }
    }
}

/// Bytes of each invocation in a writable buffer.
const SLOT: u64 = 64;
/// Bytes of each invocation in workgroup memory.
const TILE: u64 = 16;
/// Bytes of private memory.
const PRIVATE: u64 = 48;
/// Scalar types of integer atomics.
const ATOMICS: [Scalar; 4] = [Scalar::I32, Scalar::U32, Scalar::I64, Scalar::U64];

/// A random program.
pub fn program(seed: u64, options: &Options) -> Program {
    let mut random = Random::new(seed);
    let size = [[1, 1, 1], [3, 1, 1], [8, 1, 1], [5, 2, 1], [4, 2, 2], [16, 1, 1]][random.below(6)];
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
            output: false,
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
    let rows = OPS.iter().filter(allowed).map(|info| info.op).collect();
    let invocation = linear_id(&mut b, threads as u32);
    let mut g =
        Generator { b, random, options, scalars, rows, memory, invocation, threads, pool: vec![invocation] };
    for _ in 0..1 + g.random.below(3) {
        g.block(options.statements, options.depth, true);
        g.output();
    }
    g.b.finish()
}

/// The number of workgroups to run the program of a seed with.
pub fn grid(seed: u64) -> [u32; 3] {
    [[1, 1, 1], [2, 1, 1], [3, 2, 1], [2, 1, 2]][Random::new(!seed).below(4)]
}

/// The contents of every buffer before the run, indexed like the program's buffers; empty for memory that is not bound.
pub fn inputs(seed: u64, program: &Program) -> Vec<Vec<u8>> {
    let mut random = Random::new(seed ^ 0x5eed);
    let invocations = grid(seed).iter().product::<u32>() as u64 * program.workgroup_invocations();
    let mut fill = |decl: &BufferDecl| {
        let bytes = match (decl.static_bytes(), decl.access.writes()) {
            _ if matches!(decl.memory, Memory::Workgroup | Memory::Private) => 0,
            (Some(bytes), _) => bytes,
            (None, true) => invocations * SLOT,
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
}

impl Generator<'_> {
    /// Statements; `uniform` says whether all invocations of a workgroup come here together.
    fn block(&mut self, statements: usize, depth: usize, uniform: bool) {
        for _ in 0..statements {
            match self.random.below(28) {
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
                _ => self.operation(),
            }
        }
    }

    /// One of the rows that say what they compute.
    fn operation(&mut self) {
        let op = self.rows[self.random.below(self.rows.len())];
        self.row(op);
    }

    fn subgroup(&mut self) {
        let rows: Vec<_> = OPS.iter().filter(|info| info.effect == Effect::Converges).collect();
        let op = rows[self.random.below(rows.len())].op;
        self.row(op);
    }

    fn row(&mut self, op: Op) {
        let Some(ty) = self.operand_type(op) else { return };
        let lanes = |scalar| Type::new(scalar, ty.lanes);
        let value = match op.info().rule {
            Rule::Same(_, n) => {
                let args: Vec<Value> = (0..n).map(|_| self.of(ty)).collect();
                self.b.op(op, &args)
            }
            Rule::Compare(_) => {
                let args = [self.of(ty), self.of(ty)];
                self.b.op(op, &args)
            }
            Rule::Shift(_) => {
                let args = [self.of(ty), self.of(lanes(Scalar::U32))];
                self.b.op(op, &args)
            }
            Rule::Select => {
                let args = [self.of(lanes(Scalar::Bool)), self.of(ty), self.of(ty)];
                self.b.op(op, &args)
            }
            Rule::Lane(_) => {
                let args = [self.of(ty), self.of(Scalar::U32.into())];
                self.b.op(op, &args)
            }
            Rule::Ballot => {
                let arg = self.of(Scalar::Bool.into());
                self.b.op(op, &[arg])
            }
            Rule::Convert => {
                let to = self.scalar();
                let from = self.of(ty);
                self.b.convert(from, to)
            }
            Rule::Bitcast => {
                let same = |s: &Scalar| *s != Scalar::Bool && s.bits() == ty.scalar.bits();
                let to: Vec<Scalar> = self.scalars.iter().copied().filter(same).collect();
                let to = to[self.random.below(to.len())];
                let from = self.of(ty);
                let from = self.without_nan(from);
                self.b.bitcast(from, to)
            }
            Rule::Axis => self.b.axis(op, self.random.below(3) as u8),
            Rule::Index => self.b.index(op),
            Rule::Length => {
                let bound = [self.memory.words, self.memory.uniform, self.memory.sums, self.memory.data];
                self.b.length(bound[self.random.below(bound.len())])
            }
            _ => return,
        };
        self.pool.push(value);
    }

    /// A type for the first operand that the row takes; that of a value at hand if possible.
    fn operand_type(&mut self, op: Op) -> Option<Type> {
        let class = match op.info().rule {
            Rule::Same(class, _) | Rule::Compare(class) | Rule::Shift(class) | Rule::Lane(class) => class,
            Rule::Bitcast => vyre_ir::types::NUM,
            _ => vyre_ir::types::ANY,
        };
        for _ in 0..4 {
            let at_hand = self.at_hand();
            let ty = self.b.ty(at_hand);
            if class.has(ty.scalar) && self.random.below(8) > 0 {
                return Some(ty);
            }
        }
        self.any_type(class)
    }

    fn any_type(&mut self, class: Class) -> Option<Type> {
        let scalars: Vec<Scalar> = self.scalars.iter().copied().filter(|s| class.has(*s)).collect();
        let scalar = *scalars.get(self.random.below(scalars.len().max(1)))?;
        let lanes =
            if self.options.vectors && self.random.below(3) == 0 { 2 + self.random.below(3) } else { 1 };
        Some(Type::new(scalar, lanes as u8))
    }

    fn scalar(&mut self) -> Scalar {
        self.scalars[self.random.below(self.scalars.len())]
    }

    /// A type that memory can hold.
    fn stored_type(&mut self) -> Type {
        self.any_type(vyre_ir::types::STORED).expect("u32 is always allowed")
    }

    /// A value of the type: one at hand, one made from another at hand, or a constant.
    fn of(&mut self, ty: Type) -> Value {
        if self.random.below(5) == 0 {
            let mut lanes = [0; 4];
            let same = self.random.below(2) == 0;
            let first = self.random.constant(ty.scalar);
            for lane in &mut lanes[..ty.lanes as usize] {
                *lane = if same { first } else { self.random.constant(ty.scalar) };
            }
            return self.b.lanes(ty, lanes);
        }
        let start = self.recent();
        let fits = |v: &&Value| self.b.ty(**v) == ty;
        if let Some(&value) =
            self.pool[start..].iter().find(fits).or_else(|| self.pool[..start].iter().find(fits))
        {
            return value;
        }
        let from = self.pool[start];
        let from = self.b.convert(from, ty.scalar);
        let scalars = self.b.scalars(from);
        let lanes: SmallVec<[Value; 4]> =
            (0..ty.lanes).map(|_| scalars[self.random.below(scalars.len())]).collect();
        let value = self.b.compose(&lanes);
        self.pool.push(value);
        value
    }

    /// The place of a value at hand: often one of the last, so that computations build on each other.
    fn recent(&mut self) -> usize {
        let n = self.pool.len();
        if self.random.below(2) == 0 { self.random.below(n) } else { n - 1 - self.random.below(n.min(8)) }
    }

    fn at_hand(&mut self) -> Value {
        let place = self.recent();
        self.pool[place]
    }

    /// A condition, half the time a new one.
    fn bool(&mut self) -> Value {
        if self.random.below(2) == 0 {
            return self.of(Scalar::Bool.into());
        }
        let at_hand = self.at_hand();
        let lane = self.b.extract(at_hand, 0);
        let other = self.of(self.b.ty(lane));
        let op = match self.b.ty(lane).scalar {
            Scalar::Bool => [Op::Eq, Op::Ne][self.random.below(2)],
            _ => [Op::Lt, Op::Le, Op::Eq, Op::Ne][self.random.below(4)],
        };
        let value = self.b.op(op, &[lane, other]);
        self.pool.push(value);
        value
    }

    fn u32(&mut self) -> Value {
        self.of(Scalar::U32.into())
    }

    /// Putting vectors together and apart.
    fn vector(&mut self) {
        if !self.options.vectors {
            return;
        }
        let lanes = 2 + self.random.below(3) as u8;
        let scalar = self.scalar();
        let value = if self.random.below(2) == 0 {
            let parts: Vec<Value> = (0..lanes).map(|_| self.of(scalar.into())).collect();
            self.b.compose(&parts)
        } else {
            let vector = self.of(Type::new(scalar, lanes));
            self.b.extract(vector, self.random.below(lanes as usize) as u8)
        };
        self.pool.push(value);
    }

    /// The value, or 0 where it is NaN.
    fn without_nan(&mut self, value: Value) -> Value {
        let ty = self.b.ty(value);
        if !ty.scalar.is_float() {
            return value;
        }
        let number = self.b.op(Op::Eq, &[value, value]);
        let zero = self.b.bits(ty, 0);
        self.b.op(Op::Select, &[number, value, zero])
    }

    /// A value that can be stored so that its bits say nothing about a NaN.
    fn storable(&mut self) -> Value {
        let ty = self.stored_type();
        let value = self.of(ty);
        self.without_nan(value)
    }

    // ---- memory

    /// Reads what nobody writes, in bounds or not, in any type.
    fn read(&mut self) {
        let from = [self.memory.words, self.memory.floats, self.memory.uniform][self.random.below(3)];
        let ty = self.stored_type();
        let index = self.u32();
        let index = match self.random.below(4) {
            0 => index,
            _ => {
                let mask = self.b.u32(63);
                self.b.op(Op::And, &[index, mask])
            }
        };
        let value = self.b.load(Op::Load, from, index, ty);
        self.pool.push(value);
    }

    /// Index of a place for a `ty` among the `bytes` of each `owner`.
    fn index_in(&mut self, owner: Value, bytes: u64, ty: Type) -> Value {
        let size = ty.scalar.bytes() as u64;
        let places = (bytes - ty.bytes() as u64) / size + 1;
        let scale = self.b.u32((bytes / size) as u32);
        let place = self.b.u32(self.random.below(places as usize) as u32);
        let start = self.b.op(Op::Mul, &[owner, scale]);
        self.b.op(Op::Add, &[start, place])
    }

    /// An index that is in no buffer.
    fn outside(&mut self, index: Value) -> Value {
        let high = self.b.u32([0x8000_0000, 0xffff_0000, 0xffff_ffff][self.random.below(3)]);
        self.b.op(Op::Or, &[index, high])
    }

    fn own_slot(&mut self) {
        let value = self.storable();
        let ty = self.b.ty(value);
        let mut index = self.index_in(self.invocation, SLOT, ty);
        if self.random.below(8) == 0 {
            index = self.outside(index);
        }
        self.access(self.memory.data, index, value);
    }

    fn private(&mut self) {
        let value = self.storable();
        let index = self.u32();
        let mask = self.b.u32([7, 15, 63][self.random.below(3)]);
        let index = self.b.op(Op::And, &[index, mask]);
        self.access(self.memory.private, index, value);
    }

    /// Stores the value or loads one of its type.
    fn access(&mut self, buffer: Buffer, index: Value, value: Value) {
        if self.random.below(2) == 0 {
            self.b.store(Op::Store, buffer, index, value);
        } else {
            let value = self.b.load(Op::Load, buffer, index, self.b.ty(value));
            self.pool.push(value);
        }
    }

    /// Stores values for the host to see.
    fn output(&mut self) {
        for _ in 0..6 {
            let mut value = self.at_hand();
            if self.b.ty(value).scalar == Scalar::Bool {
                value = self.b.convert(value, Scalar::U32);
            }
            let value = self.without_nan(value);
            let ty = self.b.ty(value);
            let index = self.index_in(self.invocation, SLOT, ty);
            self.b.store(Op::Store, self.memory.out, index, value);
        }
    }

    /// An atomic operation, for whose place no other operation and no other type is used.
    fn atomic(&mut self) {
        let buffer = [self.memory.sums, self.memory.shared_sums][self.random.below(2)];
        let (op, row) = commuting()[self.random.below(commuting().len())];
        let kinds: Vec<usize> = (0..4).filter(|&k| self.scalars.contains(&ATOMICS[k])).collect();
        let kind = kinds[self.random.below(kinds.len())];
        let value = self.of(ATOMICS[kind].into());
        let mut index = self.sum_index(row, kind);
        if self.random.below(8) == 0 {
            index = self.outside(index);
        }
        self.b.atomic(op, buffer, index, value);
    }

    /// The index of one of the two places for a row of [`commuting`] and a type.
    fn sum_index(&mut self, row: usize, kind: usize) -> Value {
        let scale = 8 / ATOMICS[kind].bytes();
        let first = self.b.u32(((row * 4 + kind) * 2) as u32 * scale);
        let any = self.u32();
        let one = self.b.u32(1);
        let which = self.b.op(Op::And, &[any, one]);
        self.b.op(Op::Add, &[first, which])
    }

    // ---- between invocations, where control flow is uniform

    fn barrier(&mut self) {
        self.b.sync([Op::WorkgroupBarrier, Op::StorageBarrier][self.random.below(2)]);
    }

    /// Writes the own part of workgroup memory and reads a neighbor's, between barriers.
    fn exchange(&mut self) {
        let value = self.storable();
        let ty = self.b.ty(value);
        if ty.bytes() as u64 > TILE {
            return;
        }
        let me = self.b.index(Op::LocalIndex);
        let index = self.index_in(me, TILE, ty);
        self.b.store(Op::Store, self.memory.tile, index, value);
        if self.random.below(3) == 0 {
            let index = self.b.u32(self.random.below(TILE as usize * self.threads as usize) as u32);
            let value = self.b.load(Op::UniformLoad, self.memory.tile, index, ty);
            self.pool.push(value);
            return;
        }
        self.b.sync(Op::WorkgroupBarrier);
        let by = self.u32();
        let other = self.b.op(Op::Add, &[me, by]);
        let threads = self.b.u32(self.threads as u32);
        let other = self.b.op(Op::Rem, &[other, threads]);
        let index = self.index_in(other, TILE, ty);
        let value = self.b.load(Op::Load, self.memory.tile, index, ty);
        self.b.sync(Op::WorkgroupBarrier);
        self.pool.push(value);
    }

    /// Reads what atomics of the workgroup made.
    fn shared_sums(&mut self) {
        let row = self.random.below(commuting().len());
        let kinds: Vec<usize> = (0..4).filter(|&k| self.scalars.contains(&ATOMICS[k])).collect();
        let kind = kinds[self.random.below(kinds.len())];
        self.b.sync(Op::WorkgroupBarrier);
        let index = self.sum_index(row, kind);
        let value = self.b.load(Op::AtomicLoad, self.memory.shared_sums, index, ATOMICS[kind].into());
        self.b.sync(Op::WorkgroupBarrier);
        self.pool.push(value);
    }

    // ---- control flow

    /// A region that yields values of these types.
    fn region(&mut self, types: &[Type], statements: usize, depth: usize, uniform: bool) -> Region {
        let region = self.b.open(&[]);
        self.b.enter(region);
        let visible = self.pool.len();
        self.block(statements, depth, uniform);
        let results: Vec<Value> = types.iter().map(|&ty| self.of(ty)).collect();
        self.pool.truncate(visible);
        self.b.end(&results);
        region
    }

    fn result_types(&mut self) -> Vec<Type> {
        let n = self.random.below(4);
        (0..n).map(|_| self.any_type(vyre_ir::types::ANY).expect("bool is always allowed")).collect()
    }

    fn branch(&mut self, depth: usize, uniform: bool) {
        let together = uniform && self.random.below(2) == 0;
        let condition = if together { self.uniform_condition() } else { self.bool() };
        let types = self.result_types();
        let sides = [0; 2].map(|_| {
            let statements = self.random.below(5);
            self.region(&types, statements, depth, together)
        });
        let results = self.b.branch(condition, sides[0], sides[1]);
        self.pool.extend(results);
    }

    /// A condition that is the same for the whole workgroup.
    fn uniform_condition(&mut self) -> Value {
        let left = match self.random.below(3) {
            0 => self.b.axis(Op::WorkgroupId, 0),
            1 => self.b.axis(Op::NumWorkgroups, 1),
            _ => {
                let index = self.b.u32(self.random.below(10) as u32);
                self.b.load(Op::Load, self.memory.uniform, index, Scalar::U32.into())
            }
        };
        let right = self.b.u32(self.random.below(3) as u32);
        self.b.op([Op::Lt, Op::Eq, Op::Ne][self.random.below(3)], &[left, right])
    }

    fn switch(&mut self, depth: usize) {
        let selector = match self.random.below(3) {
            0 if self.scalars.contains(&Scalar::I32) => self.of(Scalar::I32.into()),
            1 => self.u32(),
            _ => {
                let (any, three) = (self.u32(), self.b.u32(3));
                self.b.op(Op::And, &[any, three])
            }
        };
        let types = self.result_types();
        let regions: Vec<Region> = (0..1 + self.random.below(4))
            .map(|_| {
                let statements = self.random.below(4);
                self.region(&types, statements, depth, false)
            })
            .collect();
        let mut values = vec![0, 1, 2, 3, 0xffff_ffff];
        let cases: Vec<Case> = (0..self.random.below(5))
            .map(|_| Case {
                value: values.swap_remove(self.random.below(values.len())),
                region: self.random.below(regions.len()) as u32,
            })
            .collect();
        let results = self.b.switch(selector, cases, &regions);
        self.pool.extend(results);
    }

    /// A loop of few iterations that also carries values, exchanges some (the classic trap when leaving static
    /// single assignment) and passes some on.
    fn repeat(&mut self, depth: usize, uniform: bool) {
        let together = uniform && self.random.below(2) == 0;
        let mut types = vec![Type::from(Scalar::U32)];
        for ty in self.result_types() {
            types.extend([ty; 2]);
        }
        let mut init = vec![self.b.u32(0)];
        init.extend(types[1..].iter().map(|&ty| self.of(ty)).collect::<Vec<_>>());
        let bound = self.u32();
        let body = self.b.open(&types);
        self.b.enter(body);
        let visible = self.pool.len();
        let params = self.b.p.regions[body].params.clone();
        self.pool.extend(&params);
        let statements = self.random.below(5);
        self.block(statements, depth, together);
        let one = self.b.u32(1);
        let next = self.b.op(Op::Add, &[params[0], one]);
        let mut again = if together {
            let limit = self.b.u32(1 + self.random.below(3) as u32);
            self.b.op(Op::Lt, &[next, limit])
        } else {
            let three = self.b.u32(3);
            let limit = self.b.op(Op::And, &[bound, three]);
            self.b.op(Op::Lt, &[next, limit])
        };
        if !together && self.random.below(2) == 0 {
            let also = self.bool();
            again = self.b.op(Op::And, &[again, also]);
        }
        let mut yields = vec![again, next];
        for pair in params[1..].chunks(2) {
            let new = self.of(self.b.ty(pair[0]));
            yields.extend(match self.random.below(5) {
                0 | 1 => [pair[1], pair[0]],
                2 => [pair[0], new],
                3 => [new, new],
                _ => [new, pair[0]],
            });
        }
        self.pool.truncate(visible);
        self.b.end(&yields);
        let results = self.b.repeat(&init, body);
        self.pool.extend(results);
    }
}

/// Atomics whose order does not matter while the old value is not used, with their numbers.
fn commuting() -> Vec<(Op, usize)> {
    let rows =
        OPS.iter().filter(|info| matches!(info.rule, Rule::Atomic(_)) && info.op != Op::AtomicExchange);
    rows.enumerate().map(|(i, info)| (info.op, i)).collect()
}

/// Two places of 8 bytes for each of [`commuting`] and each of [`ATOMICS`].
fn sums_bytes() -> u64 {
    (commuting().len() * ATOMICS.len() * 2 * 8) as u64
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

/// SplitMix64 (Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014).
struct Random(u64);

impl Random {
    fn new(seed: u64) -> Random {
        Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let x = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let x = (x ^ x >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^ x >> 31
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }

    /// The bits of a number of the type, most often one with which something special happens.
    fn constant(&mut self, scalar: Scalar) -> u64 {
        let (bits, mask) = (scalar.bits(), scalar.mask());
        if scalar.is_float() {
            let numbers = [
                0.0,
                -0.0,
                1.0,
                -1.0,
                0.5,
                2.0,
                -4.0,
                3.0,
                7.25,
                100.0,
                f64::INFINITY,
                f64::NEG_INFINITY,
                f64::NAN,
            ];
            return match self.below(4) {
                0 => self.next() & mask,
                1 => [1, 3, mask >> 1][self.below(3)],
                _ => vyre_ir::lane::convert(Scalar::F64, scalar, numbers[self.below(13)].to_bits()),
            };
        }
        let x = match self.below(8) {
            0 => self.next(),
            1 => mask >> 1,
            2 => 1 << (bits - 1),
            3 => (self.below(4) as u64).wrapping_neg(),
            4 => 1 << self.below(bits as usize),
            5 => bits as u64 - self.below(2) as u64,
            _ => self.below(6) as u64,
        };
        x & mask
    }
}
