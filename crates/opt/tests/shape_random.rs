//! Shapes of values against what the invocations of random programs compute.

use std::collections::HashMap;
use vyre_ir::eval::evaluate;
use vyre_ir::{
    Access, Attr, Buffer, BufferDecl, Builder, Inst, Memory, Op, Program, Region, Scalar, Type, Value,
};
use vyre_opt::analysis::Shape::{Affine, Uniform, Varying};
use vyre_opt::analysis::{Gang, shapes};

/// A fixed sequence that looks random.
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 33) as usize % n
    }

    fn of<T: Copy>(&mut self, items: &[T]) -> T {
        items[self.below(items.len())]
    }
}

/// Makes programs of u32, i32 and bool with loops of few turns.
struct Generator {
    b: Builder,
    random: Random,
    read: Buffer,
    own: Buffer,
    pool: Vec<Value>,
}

const WORDS: [Scalar; 2] = [Scalar::U32, Scalar::I32];

impl Generator {
    fn program(seed: u64, size: [u32; 3]) -> Program {
        let mut b = Builder::new("random", size);
        let mut buffer = |name: &str, memory, access| {
            let (name, element, count) = (name.into(), Scalar::U32.into(), 64);
            b.buffer(BufferDecl { name, memory, access, element, count, ..BufferDecl::default() })
        };
        let read = buffer("r", Memory::Storage, Access::Read);
        let own = buffer("q", Memory::Private, Access::ReadWrite);
        let pool = vec![b.index(Op::LocalIndex), b.axis(Op::LocalId, 0), b.axis(Op::LocalId, 1)];
        let mut g = Generator { b, random: Random(seed), read, own, pool };
        g.pool.push(g.b.axis(Op::GlobalId, 0));
        g.pool.push(g.b.axis(Op::WorkgroupId, 0));
        g.block(20, 3);
        g.b.finish()
    }

    fn get(&mut self, scalar: Scalar) -> Value {
        let fit: Vec<Value> =
            self.pool.iter().copied().filter(|&v| self.b.ty(v) == scalar.into()).rev().take(12).collect();
        if fit.is_empty() || self.random.below(4) == 0 {
            let number = [0, 1, 2, 4, 8, 12, 16, 31, u32::MAX][self.random.below(9)];
            return self.b.bits(scalar, number as u64 & scalar.mask());
        }
        self.random.of(&fit)
    }

    fn block(&mut self, statements: usize, depth: usize) {
        for _ in 0..statements {
            let scalar = self.random.of(&WORDS);
            let (a, c) = (self.get(scalar), self.get(scalar));
            let value = match self.random.below(14) {
                0 if depth > 0 => self.branch(depth - 1),
                1 if depth > 0 => self.repeat(depth - 1),
                2 => {
                    let (from, index) = (self.random.of(&[self.read, self.own]), self.get(Scalar::U32));
                    self.b.load(Op::Load, from, index, Scalar::U32.into())
                }
                3 => {
                    let op = self.random.of(&[Op::Eq, Op::Ne, Op::Lt, Op::Le]);
                    self.b.op(op, &[a, c])
                }
                4 => {
                    let condition = self.get(Scalar::Bool);
                    self.b.op(Op::Select, &[condition, a, c])
                }
                5 => {
                    let to = self.random.of(&WORDS);
                    self.b.convert(a, to)
                }
                6 => {
                    let n = self.get(Scalar::U32);
                    let op = self.random.of(&[Op::Shl, Op::Shr]);
                    self.b.op(op, &[a, n])
                }
                7 => {
                    let a = self.get(Scalar::I32);
                    self.b.op(Op::Neg, &[a])
                }
                8 => self.b.op(Op::Not, &[a]),
                9 => {
                    let op = self.random.of(&[Op::Div, Op::Rem, Op::And, Op::Or, Op::Xor, Op::Min]);
                    self.b.op(op, &[a, c])
                }
                n => self.b.op([Op::Add, Op::Sub, Op::Mul][n % 3], &[a, c]),
            };
            self.pool.push(value);
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
        self.pool.extend(self.b.p.regions[region].params.clone());
        self.block(5, depth);
        let yielded = ends(self);
        self.b.end(&yielded);
        self.pool.truncate(outside);
        region
    }

    fn branch(&mut self, depth: usize) -> Value {
        let condition = self.get(Scalar::Bool);
        let [then, otherwise] = [(); 2].map(|()| self.inside(&[], depth, |g| vec![g.get(Scalar::U32)]));
        self.b.branch(condition, then, otherwise)[0]
    }

    fn repeat(&mut self, depth: usize) -> Value {
        let zero = self.b.u32(0);
        let init = [self.get(Scalar::U32), self.get(Scalar::U32), zero];
        let word = Scalar::U32.into();
        let body = self.inside(&[word; 3], depth, |g| {
            let counter = g.b.p.regions[g.b.at()].params[2];
            let one = g.b.u32(1);
            let next = g.b.op(Op::Add, &[counter, one]);
            let three = g.b.u32(3);
            let few = g.b.op(Op::Lt, &[next, three]);
            let more = g.get(Scalar::Bool);
            let go_on = g.b.op(Op::And, &[few, more]);
            vec![go_on, g.get(Scalar::U32), g.get(Scalar::U32), next]
        });
        self.b.repeat(&init, body)[0]
    }
}

/// A value, and the turns of the loops around it.
type Place = (Value, Vec<u32>);

/// Runs one invocation and writes down each value with the turns of the loops around it.
struct Invocation<'p> {
    p: &'p Program,
    local: [u32; 3],
    values: HashMap<Value, u64>,
    turns: Vec<u32>,
    seen: Vec<(Place, u64)>,
}

/// The workgroup that is run.
const GROUP: u32 = 5;

impl Invocation<'_> {
    fn set(&mut self, value: Value, bits: u64) {
        self.values.insert(value, bits);
        self.seen.push(((value, self.turns.clone()), bits));
    }

    fn region(&mut self, region: Region) -> Vec<u64> {
        for &inst in &self.p.regions[region].insts {
            if self.p.insts[inst].op == Op::Yield {
                return self.p.insts[inst].args.iter().map(|v| self.values[v]).collect();
            }
            let results = self.inst(inst);
            for (&value, bits) in self.p.insts[inst].results.iter().zip(results) {
                self.set(value, bits);
            }
        }
        unreachable!("a region ends in a yield")
    }

    fn inst(&mut self, inst: Inst) -> Vec<u64> {
        let (p, data) = (self.p, &self.p.insts[inst]);
        let [x, y, z] = self.local;
        let [nx, ny, _] = p.workgroup_size;
        let mut args: Vec<u64> = data.args.iter().map(|v| self.values[v]).collect();
        let bits = match (data.op, &data.attr) {
            (Op::Const, Attr::Bits(bits)) => bits[0],
            (Op::LocalId, Attr::Axis(axis)) => self.local[*axis as usize] as u64,
            (Op::GlobalId, Attr::Axis(0)) => (GROUP * nx + x) as u64,
            (Op::WorkgroupId, Attr::Axis(0)) => GROUP as u64,
            (Op::LocalIndex, _) => (x + nx * (y + ny * z)) as u64,
            // Contents that depend on the place, and for private memory on who looks.
            (Op::Load, Attr::Buffer(buffer)) => {
                let own = p.buffers[*buffer].memory == Memory::Private;
                (args[0] * 7 + if own { (x * 13 + y * 31 + z * 5) as u64 } else { 3 }) % 64
            }
            (Op::If, _) => return self.region(data.regions[(args[0] == 0) as usize]),
            (Op::Loop, _) => {
                self.turns.push(0);
                loop {
                    let params = &p.regions[data.regions[0]].params;
                    params.iter().zip(&args).for_each(|(&param, &bits)| self.set(param, bits));
                    let yielded = self.region(data.regions[0]);
                    args = yielded[1..].to_vec();
                    if yielded[0] == 0 {
                        break;
                    }
                    *self.turns.last_mut().expect("pushed above") += 1;
                }
                self.turns.pop();
                return args;
            }
            _ => evaluate(data.op, p.sig(data), &args).expect("a row with semantics"),
        };
        vec![bits]
    }
}

#[test]
fn random_programs_compute_what_the_shapes_say() {
    let (mut sequences, mut same) = (0, 0);
    for seed in 0..600 {
        let size = [[16, 4, 1], [13, 1, 1], [8, 8, 1], [4, 2, 4], [6, 3, 1]][seed as usize % 5];
        let axes = [[0, 1, 2], [1, 0, 2], [2, 0, 1]][seed as usize / 5 % 3];
        let gang = Gang { width: [4, 8, 16][seed as usize / 15 % 3], axes, subgroup: 8 };
        let p = Generator::program(seed, size);
        let table = shapes(&p, gang);
        // Of each gang the values, by place in the gang.
        let mut seen: HashMap<(u32, Place), Vec<(u32, u32)>> = HashMap::new();
        for position in 0..size.iter().product::<u32>() {
            let [fast, middle, _] = axes.map(|axis| size[axis]);
            let mut local = [0; 3];
            local[axes[0]] = position % fast;
            local[axes[1]] = position / fast % middle;
            local[axes[2]] = position / fast / middle;
            let mut one = Invocation { p: &p, local, values: HashMap::new(), turns: vec![], seen: vec![] };
            one.region(p.body);
            for (place, bits) in one.seen {
                seen.entry((position / gang.width, place))
                    .or_default()
                    .push((position % gang.width, bits as u32));
            }
        }
        for ((_, (value, turns)), found) in seen {
            let (first, bits) = found[0];
            let stride = match table[value] {
                Uniform => 0,
                Affine(stride) => stride,
                Varying => continue,
            };
            assert!(table[value] != Affine(0));
            *(if stride == 0 { &mut same } else { &mut sequences }) += found.len() - 1;
            for &(lane, other) in &found {
                let expected = bits.wrapping_add(stride.wrapping_mul(lane - first));
                assert!(other == expected, "seed {seed}: {value} in {turns:?} by {stride}: {found:?}\n{p}");
            }
        }
    }
    assert!(sequences > 50_000 && same > 1_000_000, "{sequences} {same}");
}
