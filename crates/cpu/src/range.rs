//! How large an index can be: enough to leave out bounds checks on arrays of fixed size.
//!
//! A bound is one on the bits as an unsigned number, for u32 and i32 alike: sums and products have the same bits in
//! both, and a bound below 2^31 says that an i32 is not negative.

use vyre_ir::{Attr, Op, Program, Scalar, SideTable, Value};

/// How many operations back to look.
const DEPTH: u32 = 8;

/// The largest number that is not negative as an i32.
const POSITIVE: u32 = i32::MAX as u32;

/// What is known where code is being made: from counting loops and conditions around it.
pub(crate) struct Limits {
    known: SideTable<Value, u32>,
}

impl Limits {
    pub fn new() -> Limits {
        Limits { known: SideTable::new(u32::MAX) }
    }

    /// Sets what is known of a value; gives what was known.
    pub fn set(&mut self, value: Value, largest: u32) -> u32 {
        std::mem::replace(&mut self.known[value], largest)
    }

    /// What a condition says when it is true: a value and its largest number.
    pub fn implied(&self, p: &Program, condition: Value) -> Option<(Value, u32)> {
        let data = p.producer(condition)?;
        let (&[a, b], true) = (&data.args[..], matches!(data.op, Op::Lt | Op::Le)) else { return None };
        let limit = self.largest(p, b);
        let largest = if data.op == Op::Lt { limit.checked_sub(1)? } else { limit };
        // A signed comparison says nothing about the bits of a number that may be negative.
        let sound = match p.ty(a).scalar {
            Scalar::U32 => true,
            Scalar::I32 => limit <= POSITIVE && self.largest(p, a) <= POSITIVE,
            _ => false,
        };
        (sound && p.ty(a).lanes == 1 && largest < self.known[a]).then_some((a, largest))
    }

    /// The largest number that the bits of a u32 or i32 can be.
    pub fn largest(&self, p: &Program, value: Value) -> u32 {
        self.bound(p, value, DEPTH)
    }

    fn bound(&self, p: &Program, value: Value, depth: u32) -> u32 {
        let ty = p.ty(value);
        if !matches!(ty.scalar, Scalar::U32 | Scalar::I32) || ty.lanes != 1 {
            return u32::MAX;
        }
        if let Some(bits) = p.splat_constant(value) {
            return bits as u32;
        }
        self.known[value].min(if depth > 0 { self.computed(p, value, depth) } else { u32::MAX })
    }

    fn computed(&self, p: &Program, value: Value, depth: u32) -> u32 {
        let Some(data) = p.producer(value) else { return u32::MAX };
        let arg = |i: usize| self.bound(p, data.args[i], depth - 1);
        let known = |i: usize| p.splat_constant(data.args[i]).map(|bits| bits as u32);
        // Operations that look at the sign do as unsigned ones where there is none.
        let unsigned = p.ty(value).scalar == Scalar::U32;
        let plain = |x: u32, y: u32| unsigned || x <= POSITIVE && y <= POSITIVE;
        let invocations = p.workgroup_invocations().min(u32::MAX as u64) as u32;
        match data.op {
            Op::LocalId => match data.attr {
                Attr::Axis(axis) => p.workgroup_size[axis as usize].saturating_sub(1),
                _ => u32::MAX,
            },
            Op::LocalIndex => invocations.saturating_sub(1),
            Op::SubgroupLane => crate::subgroup::SIZE - 1,
            Op::SubgroupId => invocations.saturating_sub(1) / crate::subgroup::SIZE,
            // A sum or product that can wrap can be anything.
            Op::Add => arg(0).saturating_add(arg(1)),
            Op::Mul => arg(0).saturating_mul(arg(1)),
            Op::And => arg(0).min(arg(1)),
            Op::Or | Op::Xor => u32::MAX.checked_shr((arg(0) | arg(1)).leading_zeros()).unwrap_or(0),
            Op::Min if plain(arg(0), arg(1)) => arg(0).min(arg(1)),
            Op::Max if plain(arg(0), arg(1)) => arg(0).max(arg(1)),
            Op::Div if plain(arg(0), arg(1)) => arg(0),
            Op::Rem if plain(arg(0), arg(1)) => {
                known(1).filter(|n| *n > 0).map_or(arg(0), |n| arg(0).min(n - 1))
            }
            Op::Shr if plain(arg(0), 0) => arg(0) >> (known(1).unwrap_or(0) % 32),
            Op::Shl => match known(1) {
                Some(n) if n < 32 && arg(0).leading_zeros() >= n => arg(0) << n,
                _ => u32::MAX,
            },
            Op::Select => arg(1).max(arg(2)),
            Op::Convert | Op::Bitcast => match p.ty(data.args[0]).scalar {
                Scalar::Bool => 1,
                Scalar::U8 => 0xff,
                Scalar::U16 => 0xffff,
                Scalar::U32 | Scalar::I32 => arg(0),
                _ => u32::MAX,
            },
            _ => u32::MAX,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vyre_ir::Builder;

    #[test]
    fn bounds() {
        let mut b = Builder::new("p", [16, 4, 1]);
        let (x, w) = (b.axis(Op::LocalId, 0), b.axis(Op::WorkgroupId, 0));
        let [c3, c7, c30] = [3, 7, 30].map(|n| b.u32(n));
        let big = b.u32(1 << 20);
        let five = b.bits(Scalar::I32, 5);
        let minus = b.bits(Scalar::I32, -5i32 as u32 as u64);
        let wi = b.convert(w, Scalar::I32);
        let wb = b.convert(w, Scalar::U8);
        let cases = [
            (Op::Add, x, c7, 22),
            (Op::Mul, x, c7, 105),
            (Op::And, w, c30, 30),
            (Op::Or, x, c30, 31),
            (Op::Rem, w, c7, 6),
            (Op::Rem, w, x, u32::MAX),
            (Op::Div, x, w, 15),
            (Op::Shl, x, c3, 120),
            (Op::Shl, big, c30, u32::MAX),
            (Op::Shr, big, c3, 1 << 17),
            (Op::Min, w, c7, 7),
            (Op::Max, x, c30, 30),
            (Op::Mul, big, big, u32::MAX),
            (Op::Min, wi, five, u32::MAX),
            (Op::Max, wi, minus, u32::MAX),
            (Op::Add, minus, five, u32::MAX),
            (Op::Rem, wi, five, u32::MAX),
        ];
        let values: Vec<Value> = cases.iter().map(|&(op, a, c, _)| b.op(op, &[a, c])).collect();
        let narrow = b.convert(wb, Scalar::U32);
        let (less, signed) = (b.op(Op::Lt, &[w, c7]), b.op(Op::Lt, &[wi, five]));
        let not_above = b.op(Op::Le, &[w, c7]);
        let p = b.finish();
        let mut limits = Limits::new();
        for (&(op, _, _, expected), value) in cases.iter().zip(values) {
            assert_eq!(limits.largest(&p, value), expected, "{op:?}");
        }
        assert_eq!(limits.largest(&p, narrow), 255);
        assert_eq!(limits.implied(&p, less), Some((w, 6)));
        assert_eq!(limits.implied(&p, not_above), Some((w, 7)));
        assert_eq!(limits.implied(&p, signed), None);
        limits.set(wi, 100);
        assert_eq!(limits.implied(&p, signed), Some((wi, 4)));
    }
}
