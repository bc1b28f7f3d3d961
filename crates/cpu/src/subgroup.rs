//! Subgroup operations of a whole workgroup at once, on operands that its invocations left in memory.
//!
//! A subgroup is [`SIZE`] consecutive invocations by local index; the last one of a workgroup may be shorter. They
//! run where all invocations of the workgroup are, so the active lanes are those that exist.

use crate::shim::unpack;
use vyre_ir::{Op, Scalar, Sig, eval};

/// Invocations of a subgroup.
pub const SIZE: u32 = 8;

/// An operand or result: one scalar for each invocation, `stride` bytes apart; a stride of 0 is one for all.
#[derive(Copy, Clone)]
struct Lanes {
    base: *mut u8,
    stride: u64,
    scalar: Scalar,
}

impl Lanes {
    /// # Safety
    /// `invocation` must be one of those the memory is for.
    unsafe fn get(self, invocation: u64) -> u64 {
        // SAFETY: the caller's promise.
        unsafe {
            let at = self.base.add((invocation * self.stride) as usize);
            match self.scalar.bytes() {
                1 => at.read() as u64,
                2 => at.cast::<u16>().read_unaligned() as u64,
                4 => at.cast::<u32>().read_unaligned() as u64,
                _ => at.cast::<u64>().read_unaligned(),
            }
        }
    }

    /// # Safety
    /// As [`Lanes::get`].
    unsafe fn set(self, invocation: u64, bits: u64) {
        // SAFETY: the caller's promise.
        unsafe {
            let at = self.base.add((invocation * self.stride) as usize);
            match self.scalar.bytes() {
                1 => at.write(bits as u8),
                2 => at.cast::<u16>().write_unaligned(bits as u16),
                4 => at.cast::<u32>().write_unaligned(bits as u32),
                _ => at.cast::<u64>().write_unaligned(bits),
            }
        }
    }
}

/// Runs an operation for `count` invocations. `a` and `b` are its operands (`b` is null where it has one). The result
/// is one array of `count` scalars; for a ballot four arrays, one after another.
///
/// # Safety
/// The memory must be as large as the strides, the scalars of `packed`, and `count` say.
pub(crate) unsafe extern "C" fn run(
    packed: u64,
    count: u64,
    a: *mut u8,
    a_stride: u64,
    b: *mut u8,
    b_stride: u64,
    result: *mut u8,
) {
    let (op, sig) = unpack(packed);
    let a = Lanes { base: a, stride: a_stride, scalar: sig.operand };
    let b = Lanes { base: b, stride: b_stride, scalar: Scalar::U32 };
    let result = Lanes { base: result, stride: sig.result.bytes() as u64, scalar: sig.result };
    let mut first = 0;
    while first < count {
        let active = (count - first).min(SIZE as u64);
        let mut values = [0; SIZE as usize];
        let mut lanes = [0; SIZE as usize];
        for i in 0..active as usize {
            // SAFETY: `first + i` is below `count`; the caller's promise.
            unsafe {
                values[i] = a.get(first + i as u64);
                if !b.base.is_null() {
                    lanes[i] = b.get(first + i as u64);
                }
            }
        }
        let values = &values[..active as usize];
        for lane in 0..active {
            let bits = lane_result(op, sig, values, lane, lanes[lane as usize]);
            // SAFETY: as above.
            unsafe { result.set(first + lane, bits) };
            if op == Op::SubgroupBallot {
                for word in 1..4 {
                    // SAFETY: a ballot has four result arrays.
                    unsafe { result.set(word * count + first + lane, 0) };
                }
            }
        }
        first += active;
    }
}

/// What the invocation at `lane` gets, where `values` are the operands of the active lanes.
fn lane_result(op: Op, sig: Sig, values: &[u64], lane: u64, other: u64) -> u64 {
    let scalar = sig.operand;
    let fold = |op: Op, start: Option<u64>, values: &[u64]| {
        let step = |x: u64, &y: &u64| {
            eval::evaluate(op, Sig { operand: scalar, result: scalar }, &[x, y]).unwrap_or(0)
        };
        match (start, values) {
            (Some(start), _) => values.iter().fold(start, step),
            (None, [first, rest @ ..]) => rest.iter().fold(*first, step),
            (None, []) => 0,
        }
    };
    let number = |n: f64| vyre_ir::program::number_bits(scalar, n);
    let at = |lane: Option<u64>| lane.and_then(|l| values.get(l as usize)).copied().unwrap_or(0);
    let (before, through) = (&values[..lane as usize], &values[..=lane as usize]);
    match op {
        Op::SubgroupBallot => values.iter().enumerate().fold(0, |mask, (i, v)| mask | (v & 1) << i),
        Op::SubgroupAll => values.iter().all(|v| v & 1 == 1) as u64,
        Op::SubgroupAny => values.iter().any(|v| v & 1 == 1) as u64,
        Op::SubgroupAdd => fold(Op::Add, None, values),
        Op::SubgroupMul => fold(Op::Mul, None, values),
        Op::SubgroupMin => fold(Op::Min, None, values),
        Op::SubgroupMax => fold(Op::Max, None, values),
        Op::SubgroupAnd => fold(Op::And, None, values),
        Op::SubgroupOr => fold(Op::Or, None, values),
        Op::SubgroupXor => fold(Op::Xor, None, values),
        Op::SubgroupInclusiveAdd => fold(Op::Add, None, through),
        Op::SubgroupInclusiveMul => fold(Op::Mul, None, through),
        Op::SubgroupExclusiveAdd if before.is_empty() => number(0.0),
        Op::SubgroupExclusiveMul if before.is_empty() => number(1.0),
        Op::SubgroupExclusiveAdd => fold(Op::Add, None, before),
        Op::SubgroupExclusiveMul => fold(Op::Mul, None, before),
        Op::SubgroupBroadcastFirst => values[0],
        Op::SubgroupShuffle => at(Some(other)),
        Op::SubgroupShuffleXor => at(Some(lane ^ other)),
        Op::SubgroupShuffleUp => at(lane.checked_sub(other)),
        Op::SubgroupShuffleDown => at(lane.checked_add(other)),
        // Lowering refuses what is not here; see `fission`.
        _ => 0,
    }
}

/// Whether [`run`] knows the operation.
pub(crate) fn knows(op: Op) -> bool {
    use Op::*;
    matches!(
        op,
        SubgroupBallot
            | SubgroupAll
            | SubgroupAny
            | SubgroupAdd
            | SubgroupMul
            | SubgroupMin
            | SubgroupMax
            | SubgroupAnd
            | SubgroupOr
            | SubgroupXor
            | SubgroupInclusiveAdd
            | SubgroupInclusiveMul
            | SubgroupExclusiveAdd
            | SubgroupExclusiveMul
            | SubgroupBroadcastFirst
            | SubgroupShuffle
            | SubgroupShuffleXor
            | SubgroupShuffleUp
            | SubgroupShuffleDown
    )
}
