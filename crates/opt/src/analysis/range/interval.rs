//! Intervals of the bits of a number, as u32, for u32, i32 and bool alike, and what operations make of them.
//!
//! Sums and products have the same bits with and without a sign. Operations that look at the sign do as unsigned ones
//! where no operand is negative; elsewhere nothing is known of what they give.

use vyre_ir::Op;

/// The largest number that is not negative as an i32.
pub const POSITIVE: u32 = i32::MAX as u32;

/// From `low` to `high`, both included.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct Interval {
    pub low: u32,
    pub high: u32,
}

impl Interval {
    pub const FULL: Interval = Interval::new(0, u32::MAX);

    pub const fn new(low: u32, high: u32) -> Interval {
        Interval { low, high }
    }

    pub fn one(n: u32) -> Interval {
        Interval::new(n, n)
    }

    /// The only number in it.
    pub fn single(self) -> Option<u32> {
        (self.low == self.high).then_some(self.low)
    }

    pub fn hull(self, other: Interval) -> Interval {
        Interval::new(self.low.min(other.low), self.high.max(other.high))
    }

    /// What is in both; `None` if nothing is.
    pub fn meet(self, other: Interval) -> Option<Interval> {
        let (low, high) = (self.low.max(other.low), self.high.min(other.high));
        (low <= high).then_some(Interval::new(low, high))
    }

    pub fn contains(self, other: Interval) -> bool {
        self.low <= other.low && other.high <= self.high
    }

    /// Whether all of it is negative as an i32, or none of it.
    fn sign(self) -> Option<bool> {
        match self {
            _ if self.high <= POSITIVE => Some(false),
            _ if self.low > POSITIVE => Some(true),
            _ => None,
        }
    }

    /// All numbers of it moved around the circle of 32 bits, if they stay in order.
    pub fn rotate(self, by: u32) -> Option<Interval> {
        let (low, high) = (self.low.wrapping_add(by), self.high.wrapping_add(by));
        (low <= high).then_some(Interval::new(low, high))
    }
}

/// Whether an operation on these operands looks at no sign, or at none that is set.
pub fn is_plain(signed: bool, args: &[Interval]) -> bool {
    !signed || args.iter().all(|x| x.high <= POSITIVE)
}

/// What an operation on integers of 32 bits gives.
pub fn word(op: Op, signed: bool, args: &[Interval]) -> Interval {
    let plain = is_plain(signed, args);
    match (op, args) {
        (Op::Add, &[a, b]) => add(a, b),
        (Op::Sub, &[a, b]) if a.low >= b.high => Interval::new(a.low - b.high, a.high - b.low),
        // Also where every difference is negative.
        (Op::Sub, &[a, b]) if a.high < b.low => {
            Interval::new(a.low.wrapping_sub(b.high), a.high.wrapping_sub(b.low))
        }
        (Op::Mul, &[a, b]) => mul(a, b),
        (Op::MulHi, &[a, b]) if plain => {
            let half = |x: u32, y: u32| ((x as u64 * y as u64) >> 32) as u32;
            Interval::new(half(a.low, b.low), half(a.high, b.high))
        }
        (Op::Div, &[a, b]) if plain => {
            // By zero the dividend stays.
            let high = a.high.checked_div(b.low).unwrap_or(a.high);
            Interval::new(a.low / b.high.max(1), high)
        }
        (Op::Rem, &[a, b]) if plain => match a.high < b.low {
            true => a,
            false => Interval::new(0, a.high.min(b.high.saturating_sub(1))),
        },
        (Op::Min, &[a, b]) if plain => Interval::new(a.low.min(b.low), a.high.min(b.high)),
        (Op::Max, &[a, b]) if plain => Interval::new(a.low.max(b.low), a.high.max(b.high)),
        // The larger of two of which one is not negative is not negative.
        (Op::Max, &[a, b]) => match (a.sign(), b.sign()) {
            (Some(false), _) => Interval::new(a.low, POSITIVE),
            (_, Some(false)) => Interval::new(b.low, POSITIVE),
            _ => Interval::FULL,
        },
        // The magnitude of the smallest number is 2^31.
        (Op::Abs, &[a]) => {
            if a.high <= POSITIVE {
                a
            } else {
                Interval::new(0, POSITIVE + 1)
            }
        }
        (Op::And, &[a, b]) => match (a.single(), b.single()) {
            (Some(a), Some(b)) => Interval::one(a & b),
            _ => Interval::new(0, a.high.min(b.high)),
        },
        (Op::Or, &[a, b]) => Interval::new(a.low.max(b.low), bits(a.high | b.high)),
        (Op::Xor, &[a, b]) => Interval::new(0, bits(a.high | b.high)),
        (Op::Not, &[a]) => Interval::new(!a.high, !a.low),
        (Op::Neg, &[a]) if a.low > 0 => Interval::new(a.high.wrapping_neg(), a.low.wrapping_neg()),
        (Op::Shl, &[a, n]) => shl(a, n),
        (Op::Shr, &[a, n]) if is_plain(signed, &[a]) => match n.single().map(|n| n % 32) {
            Some(n) => Interval::new(a.low >> n, a.high >> n),
            None if n.high < 32 => Interval::new(a.low >> n.high, a.high >> n.low),
            None => Interval::new(0, a.high),
        },
        (Op::CountOnes | Op::LeadingZeros | Op::TrailingZeros, _) => Interval::new(0, 32),
        _ => Interval::FULL,
    }
}

/// All bits up to the highest one.
fn bits(x: u32) -> u32 {
    u32::MAX.checked_shr(x.leading_zeros()).unwrap_or(0)
}

/// A sum of which only some wrap can be anything.
fn add(a: Interval, b: Interval) -> Interval {
    let (low, wraps_low) = a.low.overflowing_add(b.low);
    let (high, wraps_high) = a.high.overflowing_add(b.high);
    if wraps_low == wraps_high { Interval::new(low, high) } else { Interval::FULL }
}

fn mul(a: Interval, b: Interval) -> Interval {
    match a.high.checked_mul(b.high) {
        Some(high) => Interval::new(a.low * b.low, high),
        // Multiples of a power of two stay that when they wrap.
        None => {
            let zeros = |x: Interval| x.single().map_or(0, |n| n.trailing_zeros().min(31));
            Interval::new(0, u32::MAX << (zeros(a) + zeros(b)).min(31))
        }
    }
}

fn shl(a: Interval, n: Interval) -> Interval {
    let Some(most) = n.single().map(|n| n % 32).or((n.high < 32).then_some(n.high)) else {
        return Interval::FULL;
    };
    let least = n.single().map_or(n.low, |n| n % 32);
    match (a.high as u64) << most <= u32::MAX as u64 {
        true => Interval::new(a.low << least, a.high << most),
        false => Interval::new(0, u32::MAX << least),
    }
}

/// What a comparison of integers of 32 bits gives: 0, 1, or either.
pub fn compare(op: Op, signed: bool, a: Interval, b: Interval) -> Interval {
    // Numbers of one sign are in the order of their bits; else the one without it is larger.
    let (a, b) = match (signed, a.sign(), b.sign()) {
        (false, ..) => (a, b),
        (_, Some(x), Some(y)) if x == y => (a, b),
        (_, Some(x), Some(y)) => (Interval::one(!x as u32), Interval::one(!y as u32)),
        _ if matches!(op, Op::Eq | Op::Ne) => (a, b),
        _ => return Interval::new(0, 1),
    };
    let known = match op {
        Op::Lt if a.high < b.low => Some(true),
        Op::Lt if a.low >= b.high => Some(false),
        Op::Le if a.high <= b.low => Some(true),
        Op::Le if a.low > b.high => Some(false),
        Op::Eq | Op::Ne if a.meet(b).is_none() => Some(op == Op::Ne),
        Op::Eq | Op::Ne if a.single().is_some() && a == b => Some(op == Op::Eq),
        _ => None,
    };
    known.map_or(Interval::new(0, 1), |is| Interval::one(is as u32))
}
