//! Every row of the op table, for every scalar, on edge cases: the code against the row's own semantics.

mod common;

use vyre_driver::Cancel;
use vyre_ir::{Access, Attr, Builder, Info, OPS, Op, Program, Rule, Scalar, Sig, Value, eval};

/// Numbers that matter to a type: limits, ties, signs, specials, and some of no meaning.
fn operands(scalar: Scalar) -> Vec<u64> {
    let mask = scalar.mask();
    let mut list = vec![0, 1, 2, 3, 5, 7, 8, 15, 31, 32, 33, 63, 64, 100, 0x5555_5555_5555_5555];
    list.extend([
        mask,
        mask - 1,
        mask >> 1,
        (mask >> 1) + 1,
        (mask >> 1).wrapping_sub(1),
        0xdead_beef_cafe_f00d,
    ]);
    if scalar.is_float() {
        let numbers = [
            1.0,
            -1.0,
            0.5,
            -0.5,
            1.5,
            2.5,
            -2.5,
            3.49,
            127.5,
            255.9,
            -128.9,
            32767.5,
            65535.9,
            65504.0,
            2147483648.0,
            4294967296.0,
            -2147483904.0,
            9.3e18,
            1.9e19,
            -9.3e18,
            3.4e38,
            1e300,
            1e-40,
            1e-7,
            16777217.0,
            0.1,
            -7.3,
            f64::INFINITY,
            f64::NEG_INFINITY,
            f64::NAN,
            -0.0,
        ];
        list.extend(numbers.map(|n: f64| vyre_ir::lane::convert(Scalar::F64, scalar, n.to_bits())));
    }
    let mut seed = 0x9e37_79b9_7f4a_7c15u64;
    for _ in 0..6 {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        list.push(seed);
    }
    list.iter_mut().for_each(|bits| *bits &= mask);
    list.sort();
    list.dedup();
    list
}

fn is_nan(scalar: Scalar, bits: u64) -> bool {
    scalar.is_float() && f64::from_bits(vyre_ir::lane::convert(scalar, Scalar::F64, bits)).is_nan()
}

fn check(info: &Info, sig: Sig, args: &[u64], got: u64) {
    let want = eval::evaluate(info.op, sig, args).expect("the row has semantics");
    let same = got == want || is_nan(sig.result, got) && is_nan(sig.result, want);
    assert!(same, "{} {sig:?} of {args:x?}: {got:x}, not {want:x}", info.name);
}

/// Scalars of a buffer as bits.
fn words(bytes: &[u8], scalar: Scalar) -> Vec<u64> {
    let word = |c: &[u8]| c.iter().rev().fold(0, |bits, &byte| bits << 8 | byte as u64);
    bytes.chunks_exact(stored(scalar).bytes() as usize).map(word).collect()
}

/// Bits as a buffer of scalars.
fn bytes(words: impl Iterator<Item = u64>, scalar: Scalar) -> Vec<u8> {
    words.flat_map(|w| w.to_le_bytes()[..stored(scalar).bytes() as usize].to_vec()).collect()
}

/// How a type is stored: truth as a word, so that it is in vectors.
fn stored(scalar: Scalar) -> Scalar {
    if scalar == Scalar::Bool { Scalar::U32 } else { scalar }
}

/// `out[i] = op(a[i], b[i], c[i])`.
fn program(op: Op, types: &[Scalar], result: Scalar) -> Program {
    let mut b = Builder::new("row", [64, 1, 1]);
    let inputs: Vec<_> =
        types.iter().map(|&s| common::storage(&mut b, "in", stored(s), Access::Read)).collect();
    let out = common::storage(&mut b, "out", stored(result), Access::ReadWrite);
    let i = b.axis(Op::GlobalId, 0);
    let args: Vec<Value> = types
        .iter()
        .zip(inputs)
        .map(|(&s, buffer)| {
            let x = b.load(Op::Load, buffer, i, stored(s).into());
            if s == Scalar::Bool { b.convert(x, s) } else { x }
        })
        .collect();
    let mut x = b.value(op, Attr::None, &args, result.into());
    if result == Scalar::Bool {
        x = b.convert(x, stored(result));
    }
    b.store(Op::Store, out, i, x);
    b.finish()
}

/// All signatures of a row: the operand types and the result's.
fn signatures(op: Op) -> Vec<(Vec<Scalar>, Scalar)> {
    use Scalar::{Bool, U32};
    let all = Scalar::ALL;
    match op.info().rule {
        Rule::Same(class, n) => class.scalars().map(|s| (vec![s; n as usize], s)).collect(),
        Rule::Compare(class) => class.scalars().map(|s| (vec![s; 2], Bool)).collect(),
        Rule::Shift(class) => class.scalars().map(|s| (vec![s, U32], s)).collect(),
        Rule::Select => all.iter().map(|&s| (vec![Bool, s, s], s)).collect(),
        Rule::Convert => all
            .iter()
            .flat_map(|&from| all.iter().filter(move |&&to| to != from).map(move |&to| (vec![from], to)))
            .collect(),
        Rule::Bitcast => all
            .iter()
            .flat_map(|&from| {
                let same = move |to: &&Scalar| **to != from && to.bits() == from.bits() && from != Bool;
                all.iter().filter(same).map(move |&to| (vec![from], to))
            })
            .collect(),
        _ => vec![],
    }
}

/// All combinations of operands; for three, every `k`-th.
fn tuples(types: &[Scalar]) -> Vec<Vec<u64>> {
    let mut tuples = vec![vec![]];
    for &s in types {
        let list = operands(s);
        tuples = tuples
            .into_iter()
            .flat_map(|t: Vec<u64>| list.iter().map(move |&x| [t.clone(), vec![x]].concat()))
            .collect();
    }
    let step = if types.len() > 2 { 7 } else { 1 };
    tuples.into_iter().step_by(step).collect()
}

#[test]
fn every_row_and_scalar() {
    let mut tried = 0;
    for info in OPS {
        if info.effect != vyre_ir::Effect::Pure || info.eval.is_none() {
            continue;
        }
        for (types, result) in signatures(info.op) {
            let operand = types[if info.op == Op::Select { 1 } else { 0 }];
            let (tuples, sig) = (tuples(&types), Sig { operand, result });
            let mut buffers: Vec<Vec<u8>> =
                types.iter().enumerate().map(|(i, &s)| bytes(tuples.iter().map(|t| t[i]), s)).collect();
            buffers.push(bytes(tuples.iter().map(|_| 0xaa), result));
            let p = program(info.op, &types, result);
            // Which NaN it is may depend on the gang.
            for gang in [1, 4, 8, 16] {
                let workgroups = [tuples.len().div_ceil(64) as u32, 1, 1];
                common::run_in_gangs(&p, gang, workgroups, &mut buffers, &Cancel::default())
                    .unwrap_or_else(|e| panic!("{e}\n{p}"));
                for (tuple, got) in tuples.iter().zip(words(&buffers[types.len()], result)) {
                    check(info, sig, tuple, got);
                }
            }
            tried += 1;
        }
    }
    assert!(tried > 450, "{tried} signatures");
}

/// Rows that are compiled differently when the second operand is known: `out[i, k] = op(a[i], constant k)`.
#[test]
fn constant_operands() {
    for op in [Op::Div, Op::Rem, Op::Min, Op::Max, Op::Shl, Op::Shr] {
        for (types, result) in signatures(op) {
            let (list, constants) = (operands(types[0]), operands(types[1]));
            let mut b = Builder::new("row", [1, 1, 1]);
            let input = common::storage(&mut b, "in", types[0], Access::Read);
            let out = common::storage(&mut b, "out", result, Access::ReadWrite);
            let i = b.axis(Op::GlobalId, 0);
            let x = b.load(Op::Load, input, i, types[0].into());
            let width = b.u32(constants.len() as u32);
            let row = b.op(Op::Mul, &[i, width]);
            for (k, &constant) in constants.iter().enumerate() {
                let (y, k) = (b.bits(types[1], constant), b.u32(k as u32));
                let at = b.op(Op::Add, &[row, k]);
                let z = b.op(op, &[x, y]);
                b.store(Op::Store, out, at, z);
            }
            let p = b.finish();
            let outputs = bytes((0..list.len() * constants.len()).map(|_| 0xaa), result);
            let mut buffers = [bytes(list.iter().copied(), types[0]), outputs];
            common::try_run(&p, [list.len() as u32, 1, 1], &mut buffers)
                .unwrap_or_else(|e| panic!("{e}\n{p}"));
            let sig = Sig { operand: types[0], result };
            for (n, got) in words(&buffers[1], result).into_iter().enumerate() {
                let args = [list[n / constants.len()], constants[n % constants.len()]];
                check(op.info(), sig, &args, got);
            }
        }
    }
}
