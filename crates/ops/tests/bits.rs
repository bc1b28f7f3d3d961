//! Every operation of `bits` against loops over single bits or the standard library.

use vyre_ir::dialect::{DialectRegistry, evaluate};
use vyre_ops as _;

/// What an operation should give.
type Expected = fn([u32; 3]) -> Vec<u32>;

/// Bit `i` of each word at `i * words + k`, as 64 bits.
fn mix(words: &[u32]) -> u64 {
    let bit = |i: usize, k: usize| {
        let place = i * words.len() + k;
        if place < 64 { u64::from(words[k] >> i & 1) << place } else { 0 }
    };
    (0..32).flat_map(|i| (0..words.len()).map(move |k| (i, k))).map(|(i, k)| bit(i, k)).sum()
}

/// Bits `k`, `k + n`, `k + 2 n`, ... of `code`.
fn pick(code: u64, n: usize, k: usize) -> u32 {
    (0..)
        .map(|i| (i, i * n + k))
        .take_while(|(_, at)| *at < 64)
        .map(|(i, at)| ((code >> at & 1) as u32) << i)
        .sum()
}

fn places(mask: u32) -> impl Iterator<Item = (usize, u32)> {
    (0..32).filter(move |i| mask >> i & 1 == 1).enumerate()
}

const EXPECTED: &[(&str, Expected)] = &[
    ("bits.spread2", |[x, ..]| vec![mix(&[x & 0xffff, 0]) as u32]),
    ("bits.compact2", |[x, ..]| vec![pick(x.into(), 2, 0)]),
    ("bits.spread3", |[x, ..]| vec![mix(&[x & 0x3ff, 0, 0]) as u32]),
    ("bits.compact3", |[x, ..]| vec![pick((x & 0x3fff_ffff).into(), 3, 0)]),
    ("bits.morton2_encode", |[x, y, _]| vec![mix(&[x & 0xffff, y & 0xffff]) as u32]),
    ("bits.morton2_decode", |[code, ..]| (0..2).map(|k| pick(code.into(), 2, k)).collect()),
    ("bits.morton3_encode", |[x, y, z]| vec![mix(&[x & 0x3ff, y & 0x3ff, z & 0x3ff]) as u32]),
    ("bits.morton3_decode", |[code, ..]| (0..3).map(|k| pick((code & 0x3fff_ffff).into(), 3, k)).collect()),
    ("bits.interleave", |[x, y, _]| vec![mix(&[x, y]) as u32, (mix(&[x, y]) >> 32) as u32]),
    ("bits.deinterleave", |[low, high, _]| {
        (0..2).map(|k| pick(u64::from(high) << 32 | u64::from(low), 2, k)).collect()
    }),
    ("bits.gray_encode", |[x, ..]| {
        let bit = |i: u32| x.checked_shr(i).unwrap_or(0) & 1;
        vec![(0..32).map(|i| (bit(i) ^ bit(i + 1)) << i).sum()]
    }),
    ("bits.gray_decode", |[x, ..]| vec![(0..32).map(|i| ((x >> i).count_ones() & 1) << i).sum()]),
    ("bits.parity", |[x, ..]| vec![(0..32).map(|i| x >> i & 1).sum::<u32>() % 2]),
    ("bits.next_power_of_two", |[x, ..]| {
        vec![if x == 0 { 0 } else { x.checked_next_power_of_two().unwrap_or(0) }]
    }),
    ("bits.previous_power_of_two", |[x, ..]| vec![x.checked_ilog2().map_or(0, |exponent| 1 << exponent)]),
    ("bits.rotate_left", |[x, n, _]| vec![x.rotate_left(n % 32)]),
    ("bits.rotate_right", |[x, n, _]| vec![x.rotate_right(n % 32)]),
    ("bits.byte_swap", |[x, ..]| vec![x.swap_bytes()]),
    ("bits.deposit", |[x, mask, _]| vec![places(mask).map(|(i, place)| (x >> i & 1) << place).sum()]),
    ("bits.extract", |[x, mask, _]| vec![places(mask).map(|(i, place)| (x >> place & 1) << i).sum()]),
];

/// Words with ends, single bits, and any.
fn samples() -> Vec<u32> {
    let any = (0..60u32).map(|i| i.wrapping_mul(0x9e37_79b9) ^ i.wrapping_mul(0x85eb_ca6b).rotate_left(i));
    let single = (0..32).flat_map(|i| [1 << i, (1u32 << i) - 1, (1u32 << i) + 1]);
    any.chain(single).chain([u32::MAX, u32::MAX - 1]).collect()
}

#[test]
fn every_operation_gives_what_it_says() {
    let registry = DialectRegistry::try_global().unwrap();
    for (op, expected) in EXPECTED {
        let def = registry.find(op).unwrap_or_else(|| panic!("`{op}` is not registered"));
        let n = def.signature.operands.len();
        let samples = samples();
        for i in 0..samples.len() * if n > 1 { 20 } else { 1 } {
            let at = |step: usize| samples[i * step % samples.len()];
            let x = [at(1), samples[(i / samples.len() + i * 7) % samples.len()], at(11)];
            let operands: Vec<_> = x[..n].iter().map(|&word| [word.into(), 0, 0, 0]).collect();
            let got: Vec<u32> =
                evaluate(def, &[], &operands).unwrap().iter().map(|lanes| lanes[0] as u32).collect();
            assert_eq!(got, expected(x), "`{op}` of {:x?}", &x[..n]);
        }
    }
}

#[test]
fn every_operation_is_tried() {
    for def in DialectRegistry::try_global().unwrap().iter().filter(|def| def.dialect == "bits") {
        assert!(EXPECTED.iter().any(|(op, _)| *op == def.id), "`{}`", def.id);
    }
}
