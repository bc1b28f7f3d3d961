//! No access that is proven in bounds is ever out of bounds, nor is one that is if buffers fit, and they do: random programs, as they are and optimized, on the
//! interpreter in checked mode.
//!
//! A checked run ends at the first access out of bounds. That access is then taken out of the program, and it runs
//! again, until nothing is left to report.

use vyre::ir::program::{Access, Attr, Buffer, BufferDecl, Memory};
use vyre::ir::text::relocate;
use vyre::ir::{Builder, Entity, Inst, Op, Program, Region, Scalar, Type, Value};
use vyre::opt::analysis::ranges;
use vyre::opt::{Target, optimize};
use vyre::{BackendError, BindingPlan, Device, DispatchConfig, Grid};
use vyre_conformance::random::{self, Options, Random};
use vyre_conformance::tools::in_parallel;

/// The program without an access: a load gives 0, an atomic has index 0.
fn without(p: &Program, access: Inst, zero: Value) -> Program {
    let mut p = p.clone();
    match p.insts[access].op {
        Op::Load => {
            let data = &mut p.insts[access];
            (data.op, data.attr) = (Op::Const, Attr::Bits([0; 4]));
            data.args.clear();
        }
        Op::Store => {
            let regions: Vec<Region> = p.regions.keys().collect();
            for region in regions {
                p.regions[region].insts.retain(|&inst| inst != access);
            }
        }
        _ => p.insts[access].args[0] = zero,
    }
    p
}

/// What became of programs.
#[derive(Default, Debug)]
struct Counts {
    accesses: usize,
    proven: usize,
    /// How many more are because buffers fit.
    fit: usize,
    reports: usize,
}

/// Runs a program until nothing is reported any more; its first instruction is the constant 0.
fn check(device: &Device, program: &Program, contents: &[Vec<u8>], grid: [u32; 3], counts: &mut Counts) {
    let config = DispatchConfig { checked: true, grid: Grid::Workgroups(grid), ..DispatchConfig::default() };
    let plan = BindingPlan::build(program).unwrap();
    let inputs: Vec<&[u8]> = plan.inputs().map(|b| &contents[b.buffer_index][..]).collect();
    let mut p = relocate(program);
    for reports in 0.. {
        let ranges = ranges(&p);
        let bytes = |buffer: Buffer| contents[buffer.index()].len() as u64;
        let invocations = [0, 1, 2].map(|axis| grid[axis] * p.workgroup_size[axis]);
        let fits = |inst: Inst| ranges.fit(inst).is_some_and(|fit| fit.holds(bytes, invocations));
        let mut accesses = Vec::new();
        p.walk(p.body, &mut |inst| accesses.extend(p.accessed(&p.insts[inst]).map(|_| inst)));
        if reports == 0 {
            counts.accesses += accesses.len();
            counts.proven += accesses.iter().filter(|&&inst| ranges.in_bounds(inst)).count();
            counts.fit += accesses.iter().filter(|&&inst| fits(inst)).count();
        }
        match device.compile(&p, &config).unwrap().dispatch(&inputs, &config) {
            Ok(_) => return,
            Err(BackendError::OutOfBounds { access }) => {
                let place = access.diagnostic.labels[0].loc;
                let found = accesses.into_iter().find(|&inst| p.insts[inst].loc == place);
                let inst = found.expect("the report says where the access is");
                assert!(!ranges.in_bounds(inst) && !fits(inst), "{access}\n{p}");
                counts.reports += 1;
                let first = p.regions[p.body].insts[0];
                p = relocate(&without(&p, inst, p.insts[first].results[0]));
            }
            Err(error) => panic!("{error}\n{p}"),
        }
    }
}

/// The program with the constant 0 as its first instruction.
fn with_zero(p: &Program) -> Program {
    let mut p = p.clone();
    let ty = Scalar::U32.into();
    let inst = p.insts.push(vyre::ir::InstData {
        op: Op::Const,
        attr: Attr::Bits([0; 4]),
        args: Default::default(),
        results: Default::default(),
        regions: Default::default(),
        loc: Default::default(),
    });
    let zero = p.values.push(vyre::ir::ValueData { ty, def: vyre::ir::Def::Result(inst) });
    p.insts[inst].results.push(zero);
    p.regions[p.body].insts.insert(0, inst);
    p
}

fn check_both(device: &Device, p: &Program, contents: &[Vec<u8>], grid: [u32; 3], counts: &mut Counts) {
    let optimized = optimize(p, &Target::SCALAR);
    for p in [p, &optimized] {
        check(device, &with_zero(p), contents, grid, counts);
    }
}

#[test]
fn random_programs() {
    let device = Device::open("cpu-ref").unwrap();
    let mut counts = Counts::default();
    for seed in 0..150 {
        let p = random::program(seed, &Options { math: false, subgroups: false, ..Options::default() });
        check_both(&device, &p, &random::inputs(seed, &p), random::grid(seed), &mut counts);
    }
    assert!(counts.reports > 200 && counts.proven > 400, "{counts:?}");
}

/// Makes programs that compute indices, compare them with lengths and with each other, and use them.
struct Generator {
    b: Builder,
    random: Random,
    buffers: Vec<Buffer>,
    pool: Vec<Value>,
}

impl Generator {
    fn program(seed: u64) -> Program {
        let mut g = Generator {
            b: Builder::new("indices", [8, 2, 1]),
            random: Random::new(seed),
            buffers: vec![],
            pool: vec![],
        };
        let words: Type = Scalar::U32.into();
        for (name, memory, element, count) in [
            ("a", Memory::Storage, words, 0),
            ("v", Memory::Storage, Type::new(Scalar::U32, 4), 0),
            ("f", Memory::Storage, words, 12),
            ("t", Memory::Workgroup, words, 16),
        ] {
            let binding = g.buffers.len() as u32 * memory.is_bound() as u32;
            let access = Access::ReadWrite;
            g.buffers.push(g.b.buffer(BufferDecl {
                name: name.into(),
                binding,
                memory,
                access,
                element,
                count,
                ..BufferDecl::default()
            }));
        }
        g.pool.extend([0, 1].map(|axis| g.b.axis(Op::LocalId, axis)));
        g.pool.push(g.b.axis(Op::GlobalId, 0));
        g.pool.push(g.b.index(Op::LocalIndex));
        g.pool.push(g.b.axis(Op::WorkgroupId, 0));
        for buffer in [g.buffers[0], g.buffers[1]] {
            g.pool.push(g.b.length(buffer));
        }
        let groups = g.b.axis(Op::NumWorkgroups, 0);
        g.pool.push(groups);
        g.block(14, 3);
        g.b.finish()
    }

    fn get(&mut self) -> Value {
        if self.random.below(4) == 0 {
            let number = [0, 1, 2, 3, 4, 7, 8, 11, 16, 0x7fff_ffff, u32::MAX - 1, u32::MAX];
            let number = self.random.of(&number);
            return self.b.u32(number);
        }
        match self.random.below(2) {
            0 => self.random.of(&self.pool.clone()),
            _ => self.pool[self.pool.len() - 1 - self.random.below(self.pool.len().min(4))],
        }
    }

    fn condition(&mut self, depth: usize) -> Value {
        let (a, c) = (self.get(), self.get());
        match self.random.below(8) {
            0 if depth > 0 => {
                let (a, c) = (self.condition(depth - 1), self.condition(depth - 1));
                let op = self.random.of(&[Op::And, Op::And, Op::Or]);
                self.b.op(op, &[a, c])
            }
            1 if depth > 0 => {
                let a = self.condition(depth - 1);
                self.b.op(Op::Not, &[a])
            }
            2 => {
                let op = self.random.of(&[Op::Eq, Op::Ne]);
                self.b.op(op, &[a, c])
            }
            3 => {
                let [a, c] = [a, c].map(|v| self.b.convert(v, Scalar::I32));
                let op = self.random.of(&[Op::Lt, Op::Le]);
                self.b.op(op, &[a, c])
            }
            n => self.b.op(if n < 7 { Op::Lt } else { Op::Le }, &[a, c]),
        }
    }

    fn computed(&mut self) -> Value {
        let (a, c) = (self.get(), self.get());
        let small = self.random.below(3) as u32;
        match self.random.below(16) {
            0 => {
                let c = self.b.u32(small + 1);
                let op = self.random.of(&[Op::Div, Op::Mul, Op::Rem]);
                self.b.op(op, &[a, c])
            }
            1 => {
                let n = self.b.u32(small);
                let op = self.random.of(&[Op::Shl, Op::Shr]);
                self.b.op(op, &[a, n])
            }
            2 => {
                let op = self.random.of(&[Op::And, Op::Or, Op::Xor, Op::Div, Op::MulHi]);
                self.b.op(op, &[a, c])
            }
            3 => {
                let condition = self.condition(1);
                self.b.op(Op::Select, &[condition, a, c])
            }
            4 => {
                let [a, c] = [a, c].map(|v| self.b.convert(v, Scalar::I32));
                let op = self.random.of(&[Op::Min, Op::Max, Op::Sub, Op::Rem, Op::Div, Op::Shr]);
                let c = if op == Op::Shr { self.b.convert(c, Scalar::U32) } else { c };
                let value = self.b.op(op, &[a, c]);
                self.b.convert(value, Scalar::U32)
            }
            5 => {
                let to = self.random.of(&[Scalar::U8, Scalar::I8, Scalar::U16]);
                let narrow = self.b.convert(a, to);
                self.b.convert(narrow, Scalar::U32)
            }
            6 => {
                let buffer = self.random.of(&self.buffers.clone());
                self.b.load(Op::Load, buffer, a, Scalar::U32.into())
            }
            7 => {
                let op = self.random.of(&[Op::Not, Op::CountOnes, Op::LeadingZeros]);
                self.b.op(op, &[a])
            }
            8..12 => {
                let op = self.random.of(&[Op::Min, Op::Max, Op::Rem]);
                self.b.op(op, &[a, c])
            }
            n => {
                let c = if small > 0 { self.b.u32(small) } else { c };
                self.b.op(if n < 14 { Op::Add } else { Op::Sub }, &[a, c])
            }
        }
    }

    fn block(&mut self, statements: usize, depth: usize) {
        for _ in 0..statements {
            match self.random.below(10) {
                0 | 1 if depth > 0 => {
                    let condition = self.condition(2);
                    let [then, otherwise] = [(); 2].map(|()| self.inside(&[], depth - 1, |g| vec![g.get()]));
                    let result = self.b.branch(condition, then, otherwise)[0];
                    self.pool.push(result);
                }
                2 if depth > 0 => self.repeat(depth - 1),
                3..7 => {
                    let value = self.computed();
                    self.pool.push(value);
                }
                _ => self.access(),
            }
        }
    }

    fn access(&mut self) {
        let (buffer, index) = (self.random.of(&self.buffers.clone()), self.get());
        let scalar = self.random.of(&[Scalar::U32, Scalar::U32, Scalar::U16, Scalar::U64]);
        let ty = Type::new(scalar, self.random.of(&[1, 1, 2, 4]));
        match self.random.below(3) {
            0 => {
                let value = self.b.bits(ty, 1);
                self.b.store(Op::Store, buffer, index, value);
            }
            1 => {
                let one = self.b.u32(1);
                self.b.atomic(Op::AtomicAdd, buffer, index, one);
            }
            _ => _ = self.b.load(Op::Load, buffer, index, ty),
        }
    }

    /// A region with a block in it that yields what `ends` gives.
    fn inside(
        &mut self,
        params: &[Type],
        depth: usize,
        ends: impl FnOnce(&mut Self) -> Vec<Value>,
    ) -> Region {
        let region = self.b.open(params);
        self.b.enter(region);
        let outside = self.pool.len();
        self.pool.extend(self.b.p.regions[region].params.iter().rev().copied().collect::<Vec<_>>());
        self.block(4, depth);
        let yielded = ends(self);
        self.b.end(&yielded);
        self.pool.truncate(outside);
        region
    }

    /// A loop of few turns, whatever else its condition is.
    fn repeat(&mut self, depth: usize) {
        let zero = self.b.u32(0);
        let init = [self.get(), self.get(), zero];
        let body = self.inside(&[Scalar::U32.into(); 3], depth, |g| {
            let params = g.b.p.regions[g.b.at()].params.clone();
            let one = g.b.u32(1);
            let turns = g.b.op(Op::Add, &[params[2], one]);
            let some = g.b.u32(5);
            let few = g.b.op(Op::Lt, &[turns, some]);
            let stepped = match g.random.below(3) {
                0 => g.computed(),
                1 => {
                    let step = g.b.u32(1 + g.random.below(3) as u32);
                    g.b.op(Op::Add, &[params[0], step])
                }
                _ => g.b.op(Op::Shr, &[params[0], one]),
            };
            g.pool.push(stepped);
            let more = g.condition(2);
            let go_on = g.b.op(Op::And, &[few, more]);
            vec![go_on, stepped, g.get(), turns]
        });
        let results = self.b.repeat(&init, body);
        self.pool.extend(results);
    }
}

#[test]
fn programs_about_indices() {
    let device = Device::open("cpu-ref").unwrap();
    let seeds: Vec<u64> = (0..250).collect();
    let all = in_parallel(&seeds, |&seed| {
        let mut counts = Counts::default();
        let p = Generator::program(seed);
        let mut random = Random::new(!seed);
        let lengths = [1 + random.below(6), 4 * (1 + random.below(3)), 12, 0];
        let contents = lengths.map(|n| {
            let words = (0..n).map(|_| match random.below(3) {
                0 => [0x7fff_ffff, 0x8000_0000, u32::MAX][random.below(3)],
                _ => random.below(20) as u32,
            });
            words.flat_map(u32::to_le_bytes).collect::<Vec<u8>>()
        });
        check_both(&device, &p, &contents, [2, 1, 1], &mut counts);
        counts
    });
    let sum = |of: fn(&Counts) -> usize| all.iter().map(of).sum::<usize>();
    let (reports, proven) = (sum(|counts| counts.reports), sum(|counts| counts.proven));
    let fit = sum(|counts| counts.fit);
    assert!(reports > 1000 && proven > 500 && fit > 50, "{reports} reports, {proven} proven, {fit} fit");
}
