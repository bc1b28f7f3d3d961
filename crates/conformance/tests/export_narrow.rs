//! Every operation on the types that the output languages lack (i8, u8, bf16), out as WGSL and in again, against the
//! rows: on every operand of 8 bits, every pair of those, every bf16, and elsewhere on special numbers, random ones,
//! and those next to where rounding changes.

use vyre_conformance::fuzz::{Outcome, exports};
use vyre_conformance::random::Random;
use vyre_conformance::tools::in_parallel;
use vyre_conformance::trial::{PATIENCE, Trial};
use vyre_ir::lane::convert;
use vyre_ir::types::{NUM, STORED};
use vyre_ir::{
    Access, Attr, Buffer, BufferDecl, Builder, Effect, Memory, OPS, Op, Rule, Scalar, Sig, Type, Value, eval,
};

const NARROW: [Scalar; 3] = [Scalar::I8, Scalar::U8, Scalar::BF16];
const DRAWN: usize = 20_000;

/// How a type is stored: truth as a word.
fn stored(scalar: Scalar) -> Scalar {
    if STORED.has(scalar) { scalar } else { Scalar::U32 }
}

fn buffer(b: &mut Builder, element: Scalar, access: Access) -> Buffer {
    let binding = b.p.buffers.len() as u32;
    let element = element.into();
    b.buffer(BufferDecl {
        name: format!("buffer_{binding}"),
        group: 0,
        binding,
        memory: Memory::Storage,
        access,
        element,
        ..BufferDecl::default()
    })
}

/// This invocation's value of the type.
fn own(b: &mut Builder, ty: Type) -> Value {
    let kept = ty.with(stored(ty.scalar));
    let from = buffer(b, kept.scalar, Access::Read);
    let index = place(b, ty);
    let value = b.load(Op::Load, from, index, kept);
    if kept == ty { value } else { b.convert(value, ty.scalar) }
}

/// Makes a value the result of this invocation.
fn keep(b: &mut Builder, to: Buffer, value: Value) {
    let ty = b.ty(value);
    let value = if STORED.has(ty.scalar) { value } else { b.convert(value, Scalar::U32) };
    let index = place(b, ty);
    b.store(Op::Store, to, index, value);
}

fn place(b: &mut Builder, ty: Type) -> Value {
    let (id, lanes) = (b.axis(Op::GlobalId, 0), b.u32(ty.lanes as u32));
    b.op(Op::Mul, &[id, lanes])
}

/// A number that is next to one where rounding to bf16 changes, or the opposite of a product and next to that.
fn near(random: &mut Random, scalar: Scalar, before: &[u64]) -> u64 {
    if scalar == Scalar::BF16 {
        let sig = Sig { operand: scalar, result: scalar };
        let like = match *before {
            [a, b] => eval::evaluate(Op::Mul, sig, &[a, b]).unwrap() ^ 0x8000,
            _ => random.next(),
        };
        let nearby = [0, 1, u64::MAX, (random.below(24) as u64).wrapping_sub(12).wrapping_mul(0x80)];
        return like.wrapping_add(random.of(&nearby));
    }
    let low = random.next() & 0x7fff;
    let [low, high] = [low, low + 1].map(|x| f64::from_bits(convert(Scalar::BF16, Scalar::F64, x)));
    let middle = if random.below(2) == 0 { (low + high) / 2.0 } else { (low + high) / -2.0 };
    convert(Scalar::F64, scalar, middle.to_bits()).wrapping_add(random.of(&[0, 0, 1, u64::MAX]))
}

/// All operands that there are, or some.
fn operands(types: &[Scalar]) -> Vec<Vec<u64>> {
    let bits: u32 = types.iter().map(|s| s.bits()).sum();
    if bits <= 17 {
        let split = |mut all: u64| {
            let next = |s: &Scalar| {
                let one = all & s.mask();
                all >>= s.bits();
                one
            };
            types.iter().map(next).collect()
        };
        return (0..1 << bits).map(split).collect();
    }
    let mut random = Random::new(bits as u64);
    let tuple = |_| {
        let mut tuple = Vec::new();
        for &scalar in types {
            let bits = match random.below(4) {
                0 => random.constant(scalar),
                1 => random.next(),
                2 if scalar.is_int() => {
                    (random.next() & scalar.mask()) >> random.below(scalar.bits() as usize)
                }
                _ => near(&mut random, scalar, &tuple),
            };
            tuple.push(bits & scalar.mask());
        }
        tuple
    };
    (0..DRAWN).map(tuple).collect()
}

/// Compares `out[i] = op(a[i], b[i], c[i])` for all operands.
fn compare(op: Op, types: &[Scalar], result: Scalar, lanes: u8) {
    const THREADS: usize = 64;
    let mut tuples = operands(types);
    if op == Op::Bitcast && types == [Scalar::F16] {
        tuples.retain(|t| t[0] & 0x7fff <= 0x7c00); // a NaN of f16 becomes quiet on its way through f32
    }
    let whole = tuples.len().next_multiple_of(THREADS * lanes as usize);
    tuples.resize(whole, tuples[0].clone());
    let mut b = Builder::new("row", [THREADS as u32, 1, 1]);
    let args: Vec<Value> = types.iter().map(|&s| own(&mut b, Type::new(s, lanes))).collect();
    let out = buffer(&mut b, stored(result), Access::ReadWrite);
    let value = b.value(op, Attr::None, &args, Type::new(result, lanes));
    keep(&mut b, out, value);
    // A store would hide what is out of the type's range.
    let wide = match result {
        Scalar::I8 => Scalar::I32,
        Scalar::U8 => Scalar::U32,
        Scalar::BF16 => Scalar::F32,
        other => other,
    };
    if wide != result {
        let (out, value) = (buffer(&mut b, wide, Access::ReadWrite), b.convert(value, wide));
        keep(&mut b, out, value);
    }
    let bytes = |bits: u64, s: Scalar| bits.to_le_bytes().into_iter().take(stored(s).bytes() as usize);
    let mut contents: Vec<Vec<u8>> = types
        .iter()
        .enumerate()
        .map(|(i, &s)| tuples.iter().flat_map(|t| bytes(t[i], s)).collect())
        .collect();
    for kept in [result, wide].into_iter().take(1 + (wide != result) as usize) {
        contents.push(tuples.iter().flat_map(|_| bytes(0xaaaa_aaaa, kept)).collect());
    }
    let grid = [(whole / THREADS / lanes as usize) as u32, 1, 1];
    agrees(&Trial { program: b.finish(), grid, contents, patience: PATIENCE });
}

fn agrees(trial: &Trial) {
    match exports(trial) {
        Ok(Outcome::Agrees(_)) => {}
        Ok(_) => panic!("it is refused:\n{}", trial.program),
        Err(problem) => panic!("{}\n{}", problem.what, trial.program),
    }
}

#[test]
fn every_row() {
    let mut rows = Vec::new();
    for info in OPS.iter().filter(|info| info.effect == Effect::Pure && info.eval.is_some()) {
        for from in Scalar::ALL {
            let (types, results) = match info.rule {
                Rule::Same(class, n) if class.has(from) => (vec![from; n as usize], vec![from]),
                Rule::Compare(class) if class.has(from) => (vec![from; 2], vec![Scalar::Bool]),
                Rule::Shift(class) if class.has(from) => (vec![from, Scalar::U32], vec![from]),
                Rule::Select => (vec![Scalar::Bool, from, from], vec![from]),
                Rule::Convert => (vec![from], Scalar::ALL.to_vec()),
                Rule::Bitcast if NUM.has(from) => {
                    (vec![from], NUM.scalars().filter(|s| s.bits() == from.bits()).collect())
                }
                _ => continue,
            };
            let takes_another = matches!(info.rule, Rule::Convert | Rule::Bitcast);
            for to in results.into_iter().filter(|to| !takes_another || *to != from) {
                if NARROW.contains(&from) || NARROW.contains(&to) {
                    rows.push((info.op, types.clone(), to));
                }
            }
        }
    }
    assert!(rows.len() > 120, "{} signatures", rows.len());
    in_parallel(&rows, |(op, types, to)| {
        for lanes in [1, 3] {
            compare(*op, types, *to, lanes);
        }
    });
}

/// Some invocations of each subgroup, with numbers whose sums and products depend on their order.
#[test]
fn every_subgroup_operation() {
    let mut tried = 0;
    for info in OPS {
        let operands = match info.rule {
            Rule::Same(_, 1) if info.effect == Effect::Converges => 1,
            Rule::Lane(_) => 2,
            _ => continue,
        };
        for ty in NARROW.into_iter().flat_map(|s| [Type::new(s, 1), Type::new(s, 2)]) {
            if matches!(info.rule, Rule::Same(class, _) | Rule::Lane(class) if !class.has(ty.scalar)) {
                continue;
            }
            let mut b = Builder::new("row", [40, 1, 1]);
            let takes_part = own(&mut b, Scalar::Bool.into());
            let value = own(&mut b, ty);
            let lane = own(&mut b, Scalar::U32.into());
            let out = buffer(&mut b, ty.scalar, Access::ReadWrite);
            b.if_(
                takes_part,
                |b| {
                    let result = b.op(info.op, &[value, lane][..operands]);
                    keep(b, out, result);
                    vec![]
                },
                |_| vec![],
            );
            let mut random = Random::new(info.op as u64);
            let mut words = |n: u32, most: usize| -> Vec<u8> {
                (0..n).flat_map(|_| (random.below(most) as u32).to_le_bytes()).collect()
            };
            let (chosen, lanes) = (words(80, 3), words(80, 9));
            let numbers = (0..80 * ty.lanes).flat_map(|_| {
                let size = convert(Scalar::F64, ty.scalar, (random.below(400) as f64 / 100.0).to_bits());
                let bits = if ty.scalar.is_int() { random.next() } else { size };
                bits.to_le_bytes().into_iter().take(ty.scalar.bytes() as usize)
            });
            let numbers: Vec<u8> = numbers.collect();
            let contents = vec![chosen, numbers.clone(), lanes, numbers];
            agrees(&Trial { program: b.finish(), grid: [2, 1, 1], contents, patience: PATIENCE });
            tried += 1;
        }
    }
    assert!(tried > 60, "{tried} signatures");
}

/// Elements of one byte, and of three, in words: the last is stored, those behind it are not there.
#[test]
fn lengths_of_bytes() {
    for lanes in [1, 3] {
        let mut b = Builder::new("row", [1, 1, 1]);
        let element = Type::new(Scalar::U8, lanes);
        let bytes = buffer(&mut b, Scalar::U8, Access::ReadWrite);
        b.p.buffers[bytes].element = element;
        let out = buffer(&mut b, Scalar::U32, Access::ReadWrite);
        let (length, wide) = (b.length(bytes), b.u32(lanes as u32));
        let end = b.op(Op::Mul, &[length, wide]);
        let last = b.op(Op::Sub, &[end, wide]);
        for (i, at) in [last, end].into_iter().enumerate() {
            let old = b.load(Op::Load, bytes, at, element);
            let new = b.bits(element, 0x5a);
            b.store(Op::Store, bytes, at, new);
            let first = if lanes == 1 { old } else { b.extract(old, 0) };
            let (first, place) = (b.convert(first, Scalar::U32), b.u32(1 + i as u32));
            b.store(Op::Store, out, place, first);
        }
        let zero = b.u32(0);
        b.store(Op::Store, out, zero, length);
        let contents = vec![(1..=12).collect(), vec![0xaa; 12]];
        agrees(&Trial { program: b.finish(), grid: [1, 1, 1], contents, patience: PATIENCE });
    }
}
