//! Integers, all types, against arithmetic in 128 bits and loops over bits.

use crate::{Random, run};
use vyre_ir::types::{INT, SIGNED};
use vyre_ir::{Op, Scalar};

/// The number that the bits of an integer type stand for.
fn number(s: Scalar, bits: u64) -> i128 {
    let sign = 1i128 << (s.bits() - 1);
    if s.is_signed() { (bits as i128 ^ sign) - sign } else { bits as i128 }
}

/// The bits that stand for a number after it wraps.
fn wrap(s: Scalar, number: i128) -> u64 {
    number.rem_euclid(1i128 << s.bits()) as u64
}

/// The product in two's complement of 128 bits, from the magnitudes.
fn product(x: i128, y: i128) -> u128 {
    let magnitude = x.unsigned_abs() * y.unsigned_abs();
    if (x < 0) != (y < 0) { magnitude.wrapping_neg() } else { magnitude }
}

/// A number from its bits, lowest first.
fn from_bits(width: u32, bit: impl Fn(u32) -> bool) -> u64 {
    (0..width).filter(|&i| bit(i)).fold(0, |bits, i| bits | 1 << i)
}

fn bit(bits: u64, i: u32) -> bool {
    bits >> i & 1 == 1
}

/// What a row of two operands must give.
fn binary(op: Op, s: Scalar, a: u64, b: u64) -> u64 {
    let (x, y, width) = (number(s, a), number(s, b), s.bits());
    match op {
        Op::Add => wrap(s, x + y),
        Op::Sub => wrap(s, x - y),
        Op::Mul => product(x, y) as u64 & s.mask(),
        Op::MulHi => (product(x, y) >> width) as u64 & s.mask(),
        Op::Div => wrap(s, if y == 0 { x } else { x / y }),
        Op::Rem => wrap(s, if y == 0 { 0 } else { x - x / y * y }),
        Op::Min => wrap(s, if x < y { x } else { y }),
        Op::Max => wrap(s, if x < y { y } else { x }),
        Op::And => from_bits(width, |i| bit(a, i) && bit(b, i)),
        Op::Or => from_bits(width, |i| bit(a, i) || bit(b, i)),
        Op::Xor => from_bits(width, |i| bit(a, i) != bit(b, i)),
        Op::Eq => (x == y) as u64,
        Op::Ne => (x != y) as u64,
        Op::Lt => (x < y) as u64,
        Op::Le => (x <= y) as u64,
        _ => unreachable!(),
    }
}

/// What a row of one operand must give.
fn unary(op: Op, s: Scalar, a: u64) -> u64 {
    let (x, width) = (number(s, a), s.bits());
    match op {
        Op::Neg => wrap(s, -x),
        Op::Abs => wrap(s, if x < 0 { -x } else { x }),
        Op::Not => from_bits(width, |i| !bit(a, i)),
        Op::CountOnes => (0..width).filter(|&i| bit(a, i)).count() as u64,
        Op::LeadingZeros => (0..width).rev().take_while(|&i| !bit(a, i)).count() as u64,
        Op::TrailingZeros => (0..width).take_while(|&i| !bit(a, i)).count() as u64,
        Op::ReverseBits => from_bits(width, |i| bit(a, width - 1 - i)),
        _ => unreachable!(),
    }
}

/// What a shift by `n` must give.
fn shift(op: Op, s: Scalar, a: u64, n: u64) -> u64 {
    let n = (n % s.bits() as u64) as u32;
    match op {
        Op::Shl => from_bits(s.bits(), |i| i >= n && bit(a, i - n)),
        Op::Shr => from_bits(s.bits(), |i| match i + n {
            from if from < s.bits() => bit(a, from),
            _ => s.is_signed() && bit(a, s.bits() - 1),
        }),
        _ => unreachable!(),
    }
}

/// Numbers at the edges of the type, and others.
fn samples(s: Scalar) -> Vec<u64> {
    let mut random = Random(s.bits() as u64);
    let edges = [0, 1, 2, 3, 5, 7, 10, -1, -2, -3, -7];
    let around_sign = [0, 1, -1, 2].map(|d| (1i128 << (s.bits() - 1)) + d);
    let mut samples: Vec<u64> = edges.into_iter().chain(around_sign).map(|n| wrap(s, n)).collect();
    samples.extend((0..60).map(|_| random.next() & s.mask()));
    // Random numbers of every length.
    samples.extend((0..s.bits()).map(|n| (random.next() & s.mask()) >> n));
    samples
}

#[test]
fn rows_on_integers() {
    let two = [
        Op::Add,
        Op::Sub,
        Op::Mul,
        Op::MulHi,
        Op::Div,
        Op::Rem,
        Op::Min,
        Op::Max,
        Op::And,
        Op::Or,
        Op::Xor,
        Op::Eq,
        Op::Ne,
        Op::Lt,
        Op::Le,
    ];
    let one = [Op::Not, Op::CountOnes, Op::LeadingZeros, Op::TrailingZeros, Op::ReverseBits];
    for s in INT.scalars() {
        let samples = if s.bits() == 8 { (0..256).collect() } else { samples(s) };
        for &a in &samples {
            let negatable = [Op::Neg, Op::Abs].into_iter().filter(|_| SIGNED.has(s));
            for op in one.into_iter().chain(negatable) {
                assert_eq!(run(op, s, s, &[a]), unary(op, s, a), "{op:?} {s} {a:#x}");
            }
            for &b in &samples {
                for op in two {
                    let result =
                        if matches!(op, Op::Eq | Op::Ne | Op::Lt | Op::Le) { Scalar::Bool } else { s };
                    assert_eq!(run(op, s, result, &[a, b]), binary(op, s, a, b), "{op:?} {s} {a:#x} {b:#x}");
                }
            }
            for n in (0..70).chain([255, 256, 1 << 16, (1 << 31) + 3, u32::MAX as u64]) {
                for op in [Op::Shl, Op::Shr] {
                    assert_eq!(run(op, s, s, &[a, n]), shift(op, s, a, n), "{op:?} {s} {a:#x} by {n}");
                }
            }
        }
    }
}

#[test]
fn conversions_between_integers() {
    for from in INT.scalars() {
        for to in INT.scalars() {
            for a in samples(from) {
                let expected = wrap(to, number(from, a));
                assert_eq!(run(Op::Convert, from, to, &[a]), expected, "{from} to {to}: {a:#x}");
            }
        }
    }
}
