//! Floating-point instructions and conversions against plain Rust, over special values.
//!
//! What Rust does not round itself is expected of exact sums: a result and the error of the result, both in f64.

mod device;

use device::table::Table;
use std::cmp::Ordering;

/// An exact number: a value and a much smaller rest.
#[derive(Copy, Clone, Debug)]
struct Exact(f64, f64);

fn exact_sum(a: f64, b: f64) -> Exact {
    let sum = a + b;
    let (from_a, from_b) = (sum - b, sum - (sum - b));
    Exact(sum, (a - from_a) + (b - from_b))
}

impl Exact {
    fn compare(self, other: f64) -> Ordering {
        match self.0.partial_cmp(&other).expect("numbers") {
            Ordering::Equal => self.1.partial_cmp(&0.0).expect("numbers"),
            other => other,
        }
    }
}

/// The magnitudes of a format in order are its bits in order; `one_more` is where infinity would be a number.
#[derive(Copy, Clone)]
struct Format {
    bits: u32,
    infinity: u64,
    one_more: f64,
    value: fn(u64) -> f64,
    nan: u64,
}

const F16: Format = Format {
    bits: 16,
    infinity: 0x7c00,
    one_more: 65_536.0,
    value: |bits| {
        let (exponent, fraction) = (bits >> 10 & 31, (bits & 0x3ff) as f64);
        if exponent == 0 {
            fraction * 2f64.powi(-24)
        } else {
            (1024.0 + fraction) * 2f64.powi(exponent as i32 - 25)
        }
    },
    nan: 0x7fff,
};
const BF16: Format = Format {
    bits: 16,
    infinity: 0x7f80,
    one_more: f64::from_bits(0x47f0_0000_0000_0000),
    value: |bits| f64::from(f32::from_bits((bits as u32) << 16)),
    nan: 0x7fff,
};
const F32: Format = Format {
    bits: 32,
    infinity: 0x7f80_0000,
    one_more: f64::from_bits(0x47f0_0000_0000_0000),
    value: |bits| f64::from(f32::from_bits(bits as u32)),
    nan: 0x7fff_ffff,
};

#[derive(Copy, Clone, PartialEq)]
enum Direction {
    Nearest,
    Zero,
    Down,
    Up,
}
use Direction::{Down, Nearest, Up, Zero};

const DIRECTIONS: [(&str, Direction); 4] = [("rn", Nearest), ("rz", Zero), ("rm", Down), ("rp", Up)];

impl Format {
    fn sign(self) -> u64 {
        1 << (self.bits - 1)
    }

    fn decode(self, bits: u64) -> f64 {
        let magnitude = bits & (self.sign() - 1);
        let value = match magnitude.cmp(&self.infinity) {
            Ordering::Less => (self.value)(magnitude),
            Ordering::Equal => f64::INFINITY,
            Ordering::Greater => f64::NAN,
        };
        if bits & self.sign() != 0 { -value } else { value }
    }

    /// Rounds an exact number by looking for its neighbors.
    fn round(self, exact: Exact, direction: Direction) -> u64 {
        if exact.0.is_nan() {
            return self.nan;
        }
        let negative = exact.0.is_sign_negative();
        let sign = if negative { self.sign() } else { 0 };
        if exact.0.is_infinite() {
            return sign | self.infinity;
        }
        let magnitude = if negative { Exact(-exact.0, -exact.1) } else { exact };
        let at = |bits: u64| if bits == self.infinity { self.one_more } else { (self.value)(bits) };
        let (mut low, mut high) = (0, self.infinity);
        while low < high {
            let middle = (low + high).div_ceil(2);
            if magnitude.compare(at(middle)) == Ordering::Less { high = middle - 1 } else { low = middle }
        }
        if low == self.infinity || magnitude.compare(at(low)) == Ordering::Equal {
            let to_infinity = low < self.infinity
                || direction == Nearest
                || (direction == Up) != negative && direction != Zero;
            return sign | if to_infinity { low } else { self.infinity - 1 };
        }
        let up = match direction {
            Zero => false,
            Down => negative,
            Up => !negative,
            Nearest => match magnitude.compare(f64::midpoint(at(low), at(low + 1))) {
                Ordering::Less => false,
                Ordering::Equal => low & 1 == 1,
                Ordering::Greater => true,
            },
        };
        sign | (low + u64::from(up))
    }
}

fn f32s() -> Vec<u64> {
    let mut out: Vec<u64> = [
        0.0f32,
        1.0,
        1.5,
        0.1,
        3.402_823_5e38,
        1.175_494_4e-38,
        1e-45,
        5e-39,
        16_777_217.0,
        f32::INFINITY,
        f32::NAN,
        2.5,
        1.000_000_1,
        7.3e-20,
    ]
    .iter()
    .map(|value| u64::from(value.to_bits()))
    .collect();
    out.extend(out.clone().iter().map(|bits| bits ^ 1 << 31));
    out
}

fn f64s() -> Vec<u64> {
    let mut out: Vec<u64> =
        [0.0, 1.0, 0.1, 1e300, 4.9e-324, 2.2e-308, f64::INFINITY, f64::NAN, 3.0, 1.000_000_000_000_000_2]
            .iter()
            .map(|value: &f64| value.to_bits())
            .collect();
    out.extend(out.clone().iter().map(|bits| bits ^ 1 << 63));
    out
}

fn f16s() -> Vec<u64> {
    let magnitudes =
        [0u64, 1, 2, 0x3ff, 0x400, 0x3c00, 0x3c01, 0x3555, 0x4248, 0x7bff, 0x7c00, 0x7e00, 0x0fff, 0x6801];
    magnitudes.iter().flat_map(|bits| [*bits, bits | 0x8000]).collect()
}

fn bf16s() -> Vec<u64> {
    let magnitudes =
        [0u64, 1, 0x7f, 0x80, 0x3f80, 0x3f81, 0x3eab, 0x4049, 0x7f7f, 0x7f80, 0x7fc0, 0x4b80, 0x0100, 0x2f01];
    magnitudes.iter().flat_map(|bits| [*bits, bits | 0x8000]).collect()
}

fn product(lists: &[Vec<u64>]) -> Vec<Vec<u64>> {
    lists.iter().fold(vec![Vec::new()], |rows, list| {
        rows.iter()
            .flat_map(|row| list.iter().map(move |value| [row.as_slice(), &[*value]].concat()))
            .collect()
    })
}

fn single(bits: u64) -> f32 {
    f32::from_bits(bits as u32)
}

fn of_single(value: f32) -> u64 {
    if value.is_nan() { 0x7fff_ffff } else { u64::from(value.to_bits()) }
}

fn of_double(value: f64) -> u64 {
    if value.is_nan() { 0x7ff8_0000_0000_0000 } else { value.to_bits() }
}

/// Sums that are zero, which have no sign of their own.
fn zero_sum(a: f64, b: f64, direction: Direction) -> f64 {
    if a == 0.0 && b == 0.0 && a.is_sign_negative() && b.is_sign_negative()
        || direction == Down && !(a == 0.0 && b == 0.0 && a.is_sign_positive() && b.is_sign_positive())
    {
        -0.0
    } else {
        0.0
    }
}

fn expected_sum(format: Format, a: f64, b: f64, direction: Direction) -> u64 {
    let exact = if a.is_finite() && b.is_finite() { exact_sum(a, b) } else { Exact(a + b, 0.0) };
    let exact = if exact.0 == 0.0 && exact.1 == 0.0 { Exact(zero_sum(a, b, direction), 0.0) } else { exact };
    format.round(exact, direction)
}

#[test]
fn single_precision() {
    let mut table = Table::default();
    let pairs = product(&[f32s(), f32s()]);
    let triples = product(&[f32s(), f32s(), f32s()]);
    for (name, direction) in DIRECTIONS {
        let two = &[32, 32];
        table.row(&format!("add.{name}.f32 $d, $0, $1"), 32, two, &pairs, |x| {
            expected_sum(F32, F32.decode(x[0]), F32.decode(x[1]), direction)
        });
        table.row(&format!("sub.{name}.f32 $d, $0, $1"), 32, two, &pairs, |x| {
            expected_sum(F32, F32.decode(x[0]), -F32.decode(x[1]), direction)
        });
        table.row(&format!("mul.{name}.f32 $d, $0, $1"), 32, two, &pairs, |x| {
            F32.round(Exact(F32.decode(x[0]) * F32.decode(x[1]), 0.0), direction)
        });
        table.row(&format!("div.{name}.f32 $d, $0, $1"), 32, two, &pairs, |x| {
            let (a, b) = (F32.decode(x[0]), F32.decode(x[1]));
            let quotient = a / b;
            let rest = if quotient.is_finite() && b.is_finite() {
                (-quotient).mul_add(b, a) * b.signum()
            } else {
                0.0
            };
            F32.round(Exact(quotient, rest), direction)
        });
        let ones = product(&[f32s()]);
        table.row(&format!("sqrt.{name}.f32 $d, $0"), 32, &[32], &ones, |x| {
            let a = F32.decode(x[0]);
            let root = a.sqrt();
            let rest = if root.is_finite() && root > 0.0 { (-root).mul_add(root, a) } else { 0.0 };
            F32.round(Exact(root, rest), direction)
        });
        table.row(&format!("rcp.{name}.f32 $d, $0"), 32, &[32], &ones, |x| {
            let a = F32.decode(x[0]);
            let quotient = 1.0 / a;
            let rest = if quotient.is_finite() && a.is_finite() {
                (-quotient).mul_add(a, 1.0) * a.signum()
            } else {
                0.0
            };
            F32.round(Exact(quotient, rest), direction)
        });
        table.row(&format!("fma.{name}.f32 $d, $0, $1, $2"), 32, &[32; 3], &triples, |x| {
            expected_sum(F32, F32.decode(x[0]) * F32.decode(x[1]), F32.decode(x[2]), direction)
        });
    }
    let flush = |bits: u64| if (1..1 << 23).contains(&(bits & 0x7fff_ffff)) { bits & 1 << 31 } else { bits };
    table.row("add.rn.ftz.f32 $d, $0, $1", 32, &[32, 32], &pairs, |x| {
        flush(of_single(single(flush(x[0])) + single(flush(x[1]))))
    });
    table.row("mul.rn.ftz.f32 $d, $0, $1", 32, &[32, 32], &pairs, |x| {
        flush(of_single(single(flush(x[0])) * single(flush(x[1]))))
    });
    table.row("add.rn.sat.f32 $d, $0, $1", 32, &[32, 32], &pairs, |x| {
        let sum = single(x[0]) + single(x[1]);
        // The lower bound takes NaN and -0 as well.
        of_single(if sum > 0.0 { sum.min(1.0) } else { 0.0 })
    });
    table.check("single");
}

#[test]
fn double_precision() {
    let mut table = Table::default();
    let pairs = product(&[f64s(), f64s()]);
    let no_nan: Vec<Vec<u64>> = pairs
        .iter()
        .filter(|x| !f64::from_bits(x[0]).is_nan() && !f64::from_bits(x[1]).is_nan())
        .cloned()
        .collect();
    let value = |bits: u64| f64::from_bits(bits);
    table.row("add.rn.f64 $d, $0, $1", 64, &[64, 64], &no_nan, |x| of_double(value(x[0]) + value(x[1])));
    table.row("sub.rn.f64 $d, $0, $1", 64, &[64, 64], &no_nan, |x| of_double(value(x[0]) - value(x[1])));
    table.row("mul.rn.f64 $d, $0, $1", 64, &[64, 64], &no_nan, |x| of_double(value(x[0]) * value(x[1])));
    table.row("div.rn.f64 $d, $0, $1", 64, &[64, 64], &no_nan, |x| of_double(value(x[0]) / value(x[1])));
    let ones: Vec<Vec<u64>> =
        product(&[f64s()]).into_iter().filter(|x| !f64::from_bits(x[0]).is_nan()).collect();
    table.row("sqrt.rn.f64 $d, $0", 64, &[64], &ones, |x| of_double(value(x[0]).sqrt()));
    table.row("rcp.rn.f64 $d, $0", 64, &[64], &ones, |x| of_double(1.0 / value(x[0])));
    let triples = product(&[f64s(), f64s(), vec![1f64.to_bits(), (-1f64).to_bits(), 1e-300f64.to_bits()]]);
    let triples: Vec<Vec<u64>> =
        triples.into_iter().filter(|x| x.iter().all(|bits| !value(*bits).is_nan())).collect();
    table.row("fma.rn.f64 $d, $0, $1, $2", 64, &[64; 3], &triples, |x| {
        of_double(value(x[0]).mul_add(value(x[1]), value(x[2])))
    });
    // Around a result, the exact one lies where the error of the nearest says.
    let plain: Vec<u64> =
        [1.0, 0.1, 3.0, 1e10, -2.7, 123.456, -1e-5, 1.000_000_000_000_000_2].map(f64::to_bits).to_vec();
    let plain = product(&[plain.clone(), plain]);
    let directed = |result: f64, rest: f64, direction: Direction| {
        let rest = if rest == 0.0 { Ordering::Equal } else { rest.partial_cmp(&0.0).expect("a number") };
        let toward_up = direction == Up || direction == Zero && result < 0.0;
        of_double(match (rest, toward_up) {
            (Ordering::Greater, true) => result.next_up(),
            (Ordering::Less, false) => result.next_down(),
            _ => result,
        })
    };
    for (name, direction) in &DIRECTIONS[1..] {
        table.row(&format!("mul.{name}.f64 $d, $0, $1"), 64, &[64, 64], &plain, |x| {
            let product = value(x[0]) * value(x[1]);
            directed(product, value(x[0]).mul_add(value(x[1]), -product), *direction)
        });
        table.row(&format!("div.{name}.f64 $d, $0, $1"), 64, &[64, 64], &plain, |x| {
            let quotient = value(x[0]) / value(x[1]);
            directed(
                quotient,
                (-quotient).mul_add(value(x[1]), value(x[0])) * value(x[1]).signum(),
                *direction,
            )
        });
        let apart: Vec<Vec<u64>> = plain.iter().filter(|x| value(x[0]) != -value(x[1])).cloned().collect();
        table.row(&format!("add.{name}.f64 $d, $0, $1"), 64, &[64, 64], &apart, |x| {
            let Exact(sum, rest) = exact_sum(value(x[0]), value(x[1]));
            directed(sum, rest, *direction)
        });
    }
    table.check("double");
}

#[test]
fn half_precision() {
    let mut table = Table::default();
    for (kind, format, values) in [("f16", F16, f16s()), ("bf16", BF16, bf16s())] {
        let pairs = product(&[values.clone(), values.clone()]);
        let triples = product(&[values.clone(), values.clone(), values.clone()]);
        let value = |bits: u64| format.decode(bits);
        table.row(&format!("add.rn.{kind} $d, $0, $1"), 16, &[16, 16], &pairs, |x| {
            expected_sum(format, value(x[0]), value(x[1]), Nearest)
        });
        table.row(&format!("sub.rn.{kind} $d, $0, $1"), 16, &[16, 16], &pairs, |x| {
            expected_sum(format, value(x[0]), -value(x[1]), Nearest)
        });
        table.row(&format!("mul.rn.{kind} $d, $0, $1"), 16, &[16, 16], &pairs, |x| {
            format.round(Exact(value(x[0]) * value(x[1]), 0.0), Nearest)
        });
        let fused = |x: &[u64]| expected_sum(format, value(x[0]) * value(x[1]), value(x[2]), Nearest);
        table.row(&format!("fma.rn.{kind} $d, $0, $1, $2"), 16, &[16; 3], &triples, fused);
        table.row(&format!("fma.rn.relu.{kind} $d, $0, $1, $2"), 16, &[16; 3], &triples, |x| {
            let result = fused(x);
            if result & 0x8000 != 0 { 0 } else { result }
        });
        table.row(
            &format!("fma.rn.{kind}x2 $d, $0, $1, $2"),
            32,
            &[32; 3],
            &triples
                .iter()
                .map(|x| vec![x[0] | x[1] << 16, x[1] | x[2] << 16, x[2] | x[0] << 16])
                .collect::<Vec<_>>(),
            |x| {
                let half = |shift: u32| {
                    fused(&[x[0] >> shift & 0xffff, x[1] >> shift & 0xffff, x[2] >> shift & 0xffff])
                };
                half(0) | half(16) << 16
            },
        );
        extremes(&mut table, kind, 16, format, &pairs);
        comparisons(&mut table, kind, 16, format, &pairs);
        let ones = product(&[values.iter().copied().filter(|bits| !value(*bits).is_nan()).collect()]);
        table.row(&format!("neg.{kind} $d, $0"), 16, &[16], &ones, |x| x[0] ^ 0x8000);
        table.row(&format!("abs.{kind} $d, $0"), 16, &[16], &ones, |x| x[0] & 0x7fff);
    }
    table.check("half");
}

fn extremes(table: &mut Table, kind: &str, bits: u32, format: Format, pairs: &[Vec<u64>]) {
    let pick = move |x: &[u64], least: bool, nan: bool| {
        let (a, b) = (format.decode(x[0]), format.decode(x[1]));
        if a.is_nan() && b.is_nan() || nan && (a.is_nan() || b.is_nan()) {
            return format.nan;
        }
        if a.is_nan() {
            return x[1];
        }
        if b.is_nan() {
            return x[0];
        }
        let first = if a == b { (x[0] & format.sign() != 0) == least } else { (a < b) == least };
        if first { x[0] } else { x[1] }
    };
    table.row(&format!("min.{kind} $d, $0, $1"), bits, &[bits; 2], pairs, move |x| pick(x, true, false));
    table.row(&format!("max.{kind} $d, $0, $1"), bits, &[bits; 2], pairs, move |x| pick(x, false, false));
    table.row(&format!("min.NaN.{kind} $d, $0, $1"), bits, &[bits; 2], pairs, move |x| pick(x, true, true));
    table.row(&format!("max.NaN.{kind} $d, $0, $1"), bits, &[bits; 2], pairs, move |x| pick(x, false, true));
}

fn comparisons(table: &mut Table, kind: &str, bits: u32, format: Format, pairs: &[Vec<u64>]) {
    type Holds = fn(f64, f64) -> bool;
    let all: [(&str, Holds); 14] = [
        ("eq", |a, b| a == b),
        ("ne", |a, b| a.partial_cmp(&b).is_some_and(Ordering::is_ne)),
        ("lt", |a, b| a < b),
        ("le", |a, b| a <= b),
        ("gt", |a, b| a > b),
        ("ge", |a, b| a >= b),
        ("equ", |a, b| a.partial_cmp(&b).is_none_or(Ordering::is_eq)),
        ("neu", |a, b| a != b),
        ("ltu", |a, b| a.partial_cmp(&b).is_none_or(Ordering::is_lt)),
        ("leu", |a, b| a.partial_cmp(&b).is_none_or(Ordering::is_le)),
        ("gtu", |a, b| a.partial_cmp(&b).is_none_or(Ordering::is_gt)),
        ("geu", |a, b| a.partial_cmp(&b).is_none_or(Ordering::is_ge)),
        ("num", |a, b| !a.is_nan() && !b.is_nan()),
        ("nan", |a, b| a.is_nan() || b.is_nan()),
    ];
    for (name, holds) in all {
        table.row(&format!("setp.{name}.{kind} $d, $0, $1"), 1, &[bits; 2], pairs, move |x| {
            u64::from(holds(format.decode(x[0]), format.decode(x[1])))
        });
    }
}

#[test]
fn comparisons_and_signs() {
    let mut table = Table::default();
    let pairs = product(&[f32s(), f32s()]);
    extremes(&mut table, "f32", 32, F32, &pairs);
    comparisons(&mut table, "f32", 32, F32, &pairs);
    table.row("min.xorsign.abs.f32 $d, $0, $1", 32, &[32, 32], &pairs, |x| {
        let (a, b) = (single(x[0]).abs(), single(x[1]).abs());
        let least = a.min(b);
        if least.is_nan() { F32.nan } else { u64::from(least.to_bits()) | (x[0] ^ x[1]) & 1 << 31 }
    });
    table.row("copysign.f32 $d, $0, $1", 32, &[32, 32], &pairs, |x| x[0] & 1 << 31 | x[1] & 0x7fff_ffff);
    let ones = product(&[f32s()]);
    type Holds = fn(f32) -> bool;
    let tests: [(&str, Holds); 6] = [
        ("finite", f32::is_finite),
        ("infinite", f32::is_infinite),
        ("number", |a| !a.is_nan()),
        ("notanumber", f32::is_nan),
        ("normal", f32::is_normal),
        ("subnormal", |a| a.is_subnormal() || a == 0.0),
    ];
    for (name, holds) in tests {
        table.row(&format!("testp.{name}.f32 $d, $0"), 1, &[32], &ones, move |x| {
            u64::from(holds(single(x[0])))
        });
    }
    table.check("comparisons");
}

#[test]
fn between_floats() {
    let mut table = Table::default();
    let singles =
        || product(&[f32s().into_iter().chain((0..40).map(|i| 0x3f80_0fff + i * 0x0123_4567)).collect()]);
    let cases = singles();
    for (name, direction) in [DIRECTIONS[0], DIRECTIONS[1]] {
        for (kind, format) in [("f16", F16), ("bf16", BF16)] {
            table.row(&format!("cvt.{name}.{kind}.f32 $d, $0"), 16, &[32], &cases, |x| {
                format.round(Exact(F32.decode(x[0]), 0.0), direction)
            });
        }
    }
    let pairs = product(&[f32s(), f32s()]);
    table.row("cvt.rn.f16x2.f32 $d, $0, $1", 32, &[32, 32], &pairs, |x| {
        let half = |bits| F16.round(Exact(F32.decode(bits), 0.0), Nearest);
        half(x[0]) << 16 | half(x[1])
    });
    table.row("cvt.rn.relu.bf16x2.f32 $d, $0, $1", 32, &[32, 32], &pairs, |x| {
        let half = |bits| {
            let result = BF16.round(Exact(F32.decode(bits), 0.0), Nearest);
            if result & 0x8000 != 0 { 0 } else { result }
        };
        half(x[0]) << 16 | half(x[1])
    });
    let all_halves = product(&[(0..0x1_0000u64).step_by(7).collect()]);
    table.row("cvt.f32.f16 $d, $0", 32, &[16], &all_halves, |x| of_single(F16.decode(x[0]) as f32));
    table.row("cvt.f32.bf16 $d, $0", 32, &[16], &all_halves, |x| of_single(BF16.decode(x[0]) as f32));
    table.row("cvt.f64.f16 $d, $0", 64, &[16], &all_halves, |x| of_double(F16.decode(x[0])));
    let doubles: Vec<u64> = f64s()
        .into_iter()
        .chain(
            (0..60)
                .map(|i: u64| 0x3e8f_ffff_f000_0001u64.wrapping_add(i.wrapping_mul(0x0013_4567_89ab_cdef))),
        )
        .collect();
    let doubles = product(&[doubles.into_iter().filter(|bits| !f64::from_bits(*bits).is_nan()).collect()]);
    for (name, direction) in DIRECTIONS {
        table.row(&format!("cvt.{name}.f32.f64 $d, $0"), 32, &[64], &doubles, |x| {
            F32.round(Exact(f64::from_bits(x[0]), 0.0), direction)
        });
    }
    table.row("cvt.rn.f16.f64 $d, $0", 16, &[64], &doubles, |x| {
        F16.round(Exact(f64::from_bits(x[0]), 0.0), Nearest)
    });
    table.row("cvt.f64.f32 $d, $0", 64, &[32], &cases, |x| of_double(f64::from(single(x[0]))));
    table.row("cvt.sat.f32.f32 $d, $0", 32, &[32], &cases, |x| {
        let a = single(x[0]);
        of_single(if a > 0.0 { a.min(1.0) } else { 0.0 })
    });
    type Whole = fn(f32) -> f32;
    let integral: [(&str, Whole); 4] =
        [("rni", f32::round_ties_even), ("rzi", f32::trunc), ("rmi", f32::floor), ("rpi", f32::ceil)];
    let near = product(&[[
        0.5f32,
        1.5,
        2.5,
        -0.5,
        -1.5,
        0.499_999_97,
        8_388_607.5,
        -3.7,
        3.2,
        1e30,
        -0.0,
        f32::NAN,
    ]
    .map(|a| u64::from(a.to_bits()))
    .to_vec()]);
    for (name, f) in integral {
        table.row(&format!("cvt.{name}.f32.f32 $d, $0"), 32, &[32], &near, move |x| {
            of_single(f(single(x[0])))
        });
    }
    table.check("between_floats");
}

#[test]
fn between_floats_and_integers() {
    let mut table = Table::default();
    let numbers = [
        0.0,
        -0.0,
        0.5,
        1.5,
        2.5,
        -0.5,
        -1.5,
        254.5,
        255.5,
        256.0,
        -129.0,
        32_767.5,
        65_535.5,
        2_147_483_647.0,
        2_147_483_648.0,
        4_294_967_295.0,
        4_294_967_296.0,
        -2_147_483_649.0,
        9.3e18,
        1.9e19,
        -9.3e18,
        1e30,
        -1e30,
        f64::INFINITY,
        f64::NEG_INFINITY,
        f64::NAN,
    ];
    let singles = product(&[numbers.map(|a| u64::from((a as f32).to_bits())).to_vec()]);
    let doubles = product(&[numbers.map(f64::to_bits).to_vec()]);
    let halves = product(&[f16s()]);
    type Whole = fn(f64) -> f64;
    let whole: [(&str, Whole); 4] =
        [("rni", f64::round_ties_even), ("rzi", f64::trunc), ("rmi", f64::floor), ("rpi", f64::ceil)];
    macro_rules! to_integers {
        ($($kind:literal $type:ty, $bits:literal;)*) => {$(
            for (name, f) in whole {
                let long = $bits == 64;
                // PTX ISA, cvt: a NaN gives the highest bit where a side has 64 bits, else 0.
                let convert = move |a: f64, long: bool| {
                    if a.is_nan() && long { 1 << ($bits - 1) } else { f(a) as $type as u64 }
                };
                table.row(&format!("cvt.{name}.{}.f32 $d, $0", $kind), $bits, &[32], &singles, move |x| {
                    convert(F32.decode(x[0]), long)
                });
                table.row(&format!("cvt.{name}.{}.f64 $d, $0", $kind), $bits, &[64], &doubles, move |x| {
                    convert(f64::from_bits(x[0]), true)
                });
                table.row(&format!("cvt.{name}.{}.f16 $d, $0", $kind), $bits, &[16], &halves, move |x| {
                    convert(F16.decode(x[0]), long)
                });
            }
        )*};
    }
    to_integers! { "u16" u16, 16; "s16" i16, 16; "u32" u32, 32; "s32" i32, 32; "u64" u64, 64; "s64" i64, 64; }
    let integers = || {
        product(&[vec![
            0,
            1,
            2,
            0x7fff_ffff,
            0x8000_0000,
            0xffff_ffff,
            0x0100_0001,
            0x0100_0003,
            u64::MAX,
            1 << 63,
            (1 << 63) - 1,
            0x0020_0000_0000_0001,
            0x7fff_ff40_0000_0001,
            2049,
            65_520,
            65_519,
        ]])
    };
    for (name, direction) in DIRECTIONS {
        let cases = integers();
        // An integer of 64 bits in two f64: its upper and its lower half.
        let exact = |value: i128| {
            let high = (value >> 32 << 32) as f64;
            exact_sum(high, (value & 0xffff_ffff) as f64)
        };
        table.row(&format!("cvt.{name}.f32.u64 $d, $0"), 32, &[64], &cases, |x| {
            F32.round(exact(i128::from(x[0])), direction)
        });
        table.row(&format!("cvt.{name}.f32.s64 $d, $0"), 32, &[64], &cases, |x| {
            F32.round(exact(i128::from(x[0] as i64)), direction)
        });
        table.row(&format!("cvt.{name}.f32.s32 $d, $0"), 32, &[32], &cases, |x| {
            F32.round(exact(i128::from(x[0] as i32)), direction)
        });
    }
    let cases = integers();
    table.row("cvt.rn.f64.u64 $d, $0", 64, &[64], &cases, |x| (x[0] as f64).to_bits());
    table.row("cvt.rn.f64.s32 $d, $0", 64, &[32], &cases, |x| f64::from(x[0] as i32).to_bits());
    table.row("cvt.rn.f16.u32 $d, $0", 16, &[32], &cases, |x| F16.round(Exact(x[0] as f64, 0.0), Nearest));
    table.row("cvt.rn.f16.s64 $d, $0", 16, &[64], &cases, |x| {
        F16.round(Exact(x[0] as i64 as f64, 0.0), Nearest)
    });
    table.row("cvt.rn.bf16.u32 $d, $0", 16, &[32], &cases, |x| BF16.round(Exact(x[0] as f64, 0.0), Nearest));
    table.check("to_integers");
}

#[test]
fn between_integers() {
    let mut table = Table::default();
    let cases = product(&[vec![
        0,
        1,
        0x7f,
        0x80,
        0xff,
        0x100,
        0x7fff,
        0x8000,
        0xffff,
        0x7fff_ffff,
        0x8000_0000,
        0xffff_ffff,
        u64::MAX,
        1 << 63,
    ]]);
    table.row("cvt.u32.u8 $d, $0", 32, &[32], &cases, |x| x[0] & 0xff);
    table.row("cvt.s32.s8 $d, $0", 32, &[32], &cases, |x| x[0] as i8 as i32 as u64);
    table.row("cvt.s64.s32 $d, $0", 64, &[32], &cases, |x| x[0] as i32 as i64 as u64);
    table.row("cvt.u64.u32 $d, $0", 64, &[32], &cases, |x| x[0]);
    table.row("cvt.u16.u64 $d, $0", 16, &[64], &cases, |x| x[0] & 0xffff);
    // A result narrower than its register fills it by its sign.
    table.row("cvt.s8.s32 $d, $0", 32, &[32], &cases, |x| x[0] as i8 as i32 as u64);
    table.row("cvt.u8.u32 $d, $0", 32, &[32], &cases, |x| x[0] & 0xff);
    table.row("cvt.sat.u8.s32 $d, $0", 32, &[32], &cases, |x| (x[0] as i32).clamp(0, 255) as u64);
    table.row("cvt.sat.s16.s64 $d, $0", 16, &[64], &cases, |x| (x[0] as i64).clamp(-32_768, 32_767) as u64);
    table.row("cvt.sat.s32.u32 $d, $0", 32, &[32], &cases, |x| x[0].min(0x7fff_ffff));
    let packed = product(&[
        vec![0, 5, 255, 256, 0xffff_ffff, 0x8000_0000],
        vec![1, 300, 0xffff_fff0],
        vec![0x1234_5678],
    ]);
    table.row("cvt.pack.sat.u8.s32.b32 $d, $0, $1, $2", 32, &[32; 3], &packed, |x| {
        let byte = |value: u64| (value as i32).clamp(0, 255) as u64;
        (x[2] & 0xffff) << 16 | byte(x[0]) << 8 | byte(x[1])
    });
    table.row("cvt.pack.sat.s16.s32 $d, $0, $1", 32, &[32; 2], &packed, |x| {
        let half = |value: u64| (value as i32).clamp(-32_768, 32_767) as u64 & 0xffff;
        half(x[0]) << 16 | half(x[1])
    });
    table.check("between_integers");
}
