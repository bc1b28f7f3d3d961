//! How large an unsigned value can be: enough to leave out bounds checks on arrays of fixed size.

use vyre_ir::{Attr, Op, Program, Scalar, Value};

/// How many operations back to look.
const DEPTH: u32 = 8;

/// The largest number that a u32 value can be.
pub(crate) fn largest(p: &Program, value: Value) -> u32 {
    bound(p, value, DEPTH)
}

fn bound(p: &Program, value: Value, depth: u32) -> u32 {
    let ty = p.ty(value);
    if let Some(bits) = p.splat_constant(value)
        && ty.scalar == Scalar::U32
    {
        return bits as u32;
    }
    let (Some(data), true) = (p.producer(value), depth > 0 && ty.scalar == Scalar::U32) else {
        return u32::MAX;
    };
    let arg = |i: usize| bound(p, data.args[i], depth - 1);
    let known = |i: usize| p.splat_constant(data.args[i]).map(|bits| bits as u32);
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
        Op::And | Op::Min => arg(0).min(arg(1)),
        Op::Max => arg(0).max(arg(1)),
        Op::Or | Op::Xor => u32::MAX.checked_shr((arg(0) | arg(1)).leading_zeros()).unwrap_or(0),
        Op::Div => arg(0),
        Op::Rem => known(1).filter(|n| *n > 0).map_or(arg(0), |n| arg(0).min(n - 1)),
        Op::Shr => arg(0) >> (known(1).unwrap_or(0) % 32),
        Op::Shl => match known(1) {
            Some(n) if n < 32 && arg(0).leading_zeros() >= n => arg(0) << n,
            _ => u32::MAX,
        },
        Op::Select => arg(1).max(arg(2)),
        Op::Convert => match p.ty(data.args[0]).scalar {
            Scalar::Bool => 1,
            Scalar::U8 => 0xff,
            Scalar::U16 => 0xffff,
            _ => u32::MAX,
        },
        _ => u32::MAX,
    }
}
