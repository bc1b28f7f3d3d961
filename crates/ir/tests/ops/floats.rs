//! f16 and bf16, against the exact result rounded by search: the formats are small enough to list.
//!
//! The exact result is never computed as such; what is asked is how it compares with a number of few bits (a value of
//! the format or the middle between two), which f64 can answer exactly.

use crate::{Random, run};
use std::cmp::Ordering;
use vyre_ir::{Op, Scalar, types::INT};

/// A format by its definition: bits of the fraction and of the exponent.
struct Format {
    scalar: Scalar,
    fraction: u32,
    bias: i32,
    /// Every finite value that is not negative, by its bits; then the power of two above them.
    values: Vec<f64>,
}

impl Format {
    fn new(scalar: Scalar, fraction: u32) -> Format {
        let bias = (1 << (14 - fraction)) - 1;
        let mut format = Format { scalar, fraction, bias, values: Vec::new() };
        format.values = (0..=format.infinity()).map(|bits| format.magnitude(bits)).collect();
        format
    }

    fn infinity(&self) -> u64 {
        ((1 << (15 - self.fraction)) - 1) << self.fraction
    }

    /// The value of bits without a sign; what would be infinity is the power of two that its bits spell.
    fn magnitude(&self, bits: u64) -> f64 {
        let (exponent, fraction) = ((bits >> self.fraction) as i32, bits & ((1 << self.fraction) - 1));
        let implied = if exponent > 0 { 1 << self.fraction } else { 0 };
        (fraction + implied) as f64 * 2f64.powi(exponent.max(1) - self.bias - self.fraction as i32)
    }

    /// The value of all bits.
    fn value(&self, bits: u64) -> f64 {
        let magnitude = bits & 0x7fff;
        let value = match magnitude.cmp(&self.infinity()) {
            Ordering::Less => self.values[magnitude as usize],
            Ordering::Equal => f64::INFINITY,
            Ordering::Greater => f64::NAN,
        };
        if bits >> 15 == 1 { -value } else { value }
    }

    /// The bits nearest to a number of which is known its sign and how its magnitude compares with another.
    fn nearest(&self, negative: bool, compare: impl Fn(f64) -> Ordering) -> u64 {
        // Before this position the values are not above the number; value 0 never is.
        let at = self.values.partition_point(|&v| compare(v) != Ordering::Less) - 1;
        let bits = match self.values.get(at + 1) {
            None => at,
            Some(&above) => match compare((self.values[at] + above) / 2.0) {
                Ordering::Less => at,
                Ordering::Greater => at + 1,
                Ordering::Equal => at + at % 2,
            },
        };
        bits as u64 | (negative as u64) << 15
    }

    /// The bits nearest to `high + low`, where `high` is that sum rounded to f64.
    fn nearest_sum(&self, high: f64, low: f64) -> u64 {
        if !high.is_finite() {
            return self.special(high);
        }
        let low = if high < 0.0 { -low } else { low };
        self.nearest(high.is_sign_negative(), |m| {
            high.abs().partial_cmp(&m).unwrap().then(low.partial_cmp(&0.0).unwrap())
        })
    }

    /// The bits of an infinity or NaN.
    fn special(&self, x: f64) -> u64 {
        let magnitude = if x.is_nan() { self.infinity() + 1 } else { self.infinity() };
        magnitude | (x.is_sign_negative() as u64) << 15
    }

    fn round(&self, x: f64) -> f64 {
        self.value(self.nearest_sum(x, 0.0))
    }

    /// Whether two results agree: all NaNs are one.
    fn same(&self, a: u64, b: u64) -> bool {
        a == b || self.value(a).is_nan() && self.value(b).is_nan()
    }
}

fn formats() -> [Format; 2] {
    [Format::new(Scalar::F16, 10), Format::new(Scalar::BF16, 7)]
}

/// A sum and its rounding error (Knuth's TwoSum), exact where nothing overflows.
fn two_sum(a: f64, b: f64) -> (f64, f64) {
    let sum = a + b;
    let b_part = sum - a;
    (sum, (a - (sum - b_part)) + (b - b_part))
}

fn expected(f: &Format, op: Op, [a, b, c]: [f64; 3]) -> u64 {
    let sum = |a: f64, b: f64| match two_sum(a, b) {
        (high, _) if !high.is_finite() => f.special(high),
        (high, low) => f.nearest_sum(high, low),
    };
    match op {
        Op::Add => sum(a, b),
        Op::Sub => sum(a, -b),
        Op::Mul => f.nearest_sum(a * b, 0.0),
        Op::Fma => sum(a * b, c),
        Op::Div if (a / b).is_finite() && a != 0.0 && b.is_finite() => {
            f.nearest((a < 0.0) != (b < 0.0), |m| a.abs().partial_cmp(&(m * b.abs())).unwrap())
        }
        Op::Div => f.nearest_sum(a / b, 0.0),
        Op::Rem => {
            let quotient = f.value(expected(f, Op::Div, [a, b, c]));
            let product = f.round(b * quotient.trunc());
            sum(a, -product)
        }
        Op::Sqrt if a > 0.0 && a.is_finite() => f.nearest(false, |m| a.partial_cmp(&(m * m)).unwrap()),
        Op::Sqrt => f.nearest_sum(if a == 0.0 || a == f64::INFINITY { a } else { f64::NAN }, 0.0),
        _ => unreachable!(),
    }
}

#[test]
fn arithmetic() {
    for f in formats() {
        let specials = [
            0,
            1,
            2,
            f.infinity() / 2,
            f.infinity() - 1,
            f.infinity(),
            f.infinity() + 1,
            (1 << f.fraction) - 1,
            1 << f.fraction,
            (f.bias as u64) << f.fraction,
            ((f.bias as u64) << f.fraction) + 1,
        ];
        let specials: Vec<u64> = specials.into_iter().flat_map(|bits| [bits, bits | 0x8000]).collect();
        let mut random = Random(f.fraction as u64);
        let mut operands: Vec<[u64; 3]> = Vec::new();
        for &a in &specials {
            for &b in &specials {
                operands.extend(specials.iter().map(|&c| [a, b, c]));
            }
        }
        for _ in 0..60_000 {
            let r = random.next();
            let [a, b, c] = [r & 0xffff, r >> 16 & 0xffff, r >> 32 & 0xffff];
            operands.push([a, b, c]);
            // Exponents close to each other, where sums are inexact and ties happen.
            let near = |x: u64| (x & 0x83ff) | (a & 0x7c00);
            operands.push([a, near(b), near(c)]);
        }
        for bits in operands {
            let values = bits.map(|bits| f.value(bits));
            for (op, n) in
                [(Op::Add, 2), (Op::Sub, 2), (Op::Mul, 2), (Op::Div, 2), (Op::Rem, 2), (Op::Fma, 3)]
            {
                let (got, want) = (run(op, f.scalar, f.scalar, &bits[..n]), expected(&f, op, values));
                assert!(f.same(got, want), "{op:?} {} {values:?}: {got:#x}, not {want:#x}", f.scalar);
            }
        }
    }
}

/// Rows of one operand, on every value.
#[test]
fn every_value() {
    for f in formats() {
        let s = f.scalar;
        for bits in 0..0x10000 {
            let x = f.value(bits);
            let check = |op: Op, want: u64| {
                let got = run(op, s, s, &[bits]);
                assert!(f.same(got, want), "{op:?} {s} {x}: {got:#x}, not {want:#x}");
            };
            check(Op::Sqrt, expected(&f, Op::Sqrt, [x, 0.0, 0.0]));
            check(Op::Floor, f.nearest_sum(x.floor(), 0.0));
            check(Op::Ceil, f.nearest_sum(x.ceil(), 0.0));
            check(Op::Trunc, f.nearest_sum(x.trunc(), 0.0));
            check(Op::Round, f.nearest_sum(x.round_ties_even(), 0.0));
            // The sign changes even of a NaN.
            assert_eq!(run(Op::Neg, s, s, &[bits]), bits ^ 0x8000);
            assert_eq!(run(Op::Abs, s, s, &[bits]), bits & 0x7fff);
            let wide = f64::from_bits(run(Op::Convert, s, Scalar::F64, &[bits]));
            assert!(
                wide == x && wide.is_sign_negative() == x.is_sign_negative() || wide.is_nan() && x.is_nan()
            );
            let single = f32::from_bits(run(Op::Convert, s, Scalar::F32, &[bits]) as u32) as f64;
            assert!(single == x || single.is_nan() && x.is_nan());
            for to in INT.scalars() {
                let (low, high) = match to.is_signed() {
                    true => (-(1i128 << (to.bits() - 1)), (1i128 << (to.bits() - 1)) - 1),
                    false => (0, (1i128 << to.bits()) - 1),
                };
                let want = if x.is_nan() { 0 } else { (x.trunc() as i128).clamp(low, high) };
                assert_eq!(run(Op::Convert, s, to, &[bits]), want as u64 & to.mask(), "{s} {x} to {to}");
            }
            let order = [(Op::Eq, x == 1.0), (Op::Ne, x != 1.0), (Op::Lt, x < 1.0), (Op::Le, x <= 1.0)];
            for (op, want) in order {
                let one = (f.bias as u64) << f.fraction;
                assert_eq!(run(op, s, Scalar::Bool, &[bits, one]), want as u64, "{op:?} {s} {x}");
            }
        }
    }
}

/// From wider floats: at and next to every value and every middle.
#[test]
fn narrowing() {
    for f in formats() {
        for (i, &value) in f.values.iter().enumerate() {
            let middle = f.values.get(i + 1).map_or(value * 2.0, |above| (value + above) / 2.0);
            for x in [value, middle] {
                for x in [x, x.next_up(), x.next_down(), -x, -x.next_up(), x * 1.0000001] {
                    let (got, want) =
                        (run(Op::Convert, Scalar::F64, f.scalar, &[x.to_bits()]), f.nearest_sum(x, 0.0));
                    assert_eq!(got, want, "f64 {x:e} to {}", f.scalar);
                    let single = x as f32;
                    let got = run(Op::Convert, Scalar::F32, f.scalar, &[single.to_bits() as u64]);
                    assert_eq!(got, f.nearest_sum(single as f64, 0.0), "f32 {single:e} to {}", f.scalar);
                }
            }
        }
    }
}

/// From integers: at and next to every integral value and middle.
#[test]
fn from_integers() {
    for f in formats() {
        let mut numbers: Vec<i128> = (0..300).collect();
        for pair in f.values.windows(2).filter(|pair| pair[0] >= 64.0 && pair[0] < 2e19) {
            for x in [pair[0], (pair[0] + pair[1]) / 2.0] {
                numbers.extend([-1, 0, 1].map(|d| x as i128 + d));
            }
        }
        for from in INT.scalars() {
            for &n in &numbers {
                for n in [n, -n] {
                    let bits = n as u64 & from.mask();
                    let back = if from.is_signed() {
                        (bits << (64 - from.bits())) as i64 as i128 >> (64 - from.bits())
                    } else {
                        bits as i128
                    };
                    if back != n {
                        continue;
                    }
                    // Below 2^53 f64 is exact; above, the middles are integers.
                    let compare = |m: f64| match n.unsigned_abs() {
                        n if n < 1 << 53 => (n as f64).partial_cmp(&m).unwrap(),
                        n => n.cmp(&(m as u128)),
                    };
                    let got = run(Op::Convert, from, f.scalar, &[bits]);
                    assert_eq!(got, f.nearest(n < 0, compare), "{from} {n} to {}", f.scalar);
                }
            }
        }
    }
}
