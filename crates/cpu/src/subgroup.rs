//! What subgroup operations mean, for the lanes of one subgroup.

use crate::form::Slot;
use crate::shim::unpack;
use smallvec::SmallVec;
use vyre_ir::program::number_bits;
use vyre_ir::{Op, Scalar, Sig, eval};

/// How the values of active lanes are combined, in their order.
pub(crate) enum Fold {
    All(Op),
    Inclusive(Op),
    /// The first lane gets this number.
    Exclusive(Op, f64),
}

impl Fold {
    /// What an operation combines, if it does.
    pub fn of(op: Op) -> Option<Fold> {
        use Fold::*;
        Some(match op {
            Op::SubgroupAll | Op::SubgroupAnd => All(Op::And),
            Op::SubgroupAny | Op::SubgroupOr => All(Op::Or),
            Op::SubgroupXor => All(Op::Xor),
            Op::SubgroupAdd => All(Op::Add),
            Op::SubgroupMul => All(Op::Mul),
            Op::SubgroupMin => All(Op::Min),
            Op::SubgroupMax => All(Op::Max),
            Op::SubgroupInclusiveAdd => Inclusive(Op::Add),
            Op::SubgroupInclusiveMul => Inclusive(Op::Mul),
            Op::SubgroupExclusiveAdd => Exclusive(Op::Add, 0.0),
            Op::SubgroupExclusiveMul => Exclusive(Op::Mul, 1.0),
            _ => return None,
        })
    }
}

/// What the active lanes get, of which there are some, in ascending order: their operands are `value`, and for shuffles
/// `other`. Ballots are not here, because they give several numbers.
pub(crate) fn results(
    op: Op,
    scalar: Scalar,
    active: &[usize],
    value: impl Fn(usize) -> u64,
    other: impl Fn(usize) -> u64,
) -> SmallVec<[u64; 16]> {
    let sig = Sig { operand: scalar, result: scalar };
    let join = |op, x, y| eval::evaluate(op, sig, &[x, y]).unwrap_or(0);
    let first = active[0];
    let mut results: SmallVec<[u64; 16]> = SmallVec::with_capacity(active.len());
    match Fold::of(op) {
        Some(Fold::All(op)) => {
            let all = active[1..].iter().fold(value(first), |all, &lane| join(op, all, value(lane)));
            results.resize(active.len(), all);
        }
        Some(Fold::Inclusive(op)) => {
            for (i, &lane) in active.iter().enumerate() {
                let next = if i == 0 { value(lane) } else { join(op, results[i - 1], value(lane)) };
                results.push(next);
            }
        }
        Some(Fold::Exclusive(op, start)) => {
            for i in 0..active.len() {
                results.push(match i {
                    0 => number_bits(scalar, start),
                    1 => value(first),
                    _ => join(op, results[i - 1], value(active[i - 1])),
                });
            }
        }
        None => {
            for &lane in active {
                let own = lane as u64;
                let from = match op {
                    Op::SubgroupBroadcastFirst => Some(first as u64),
                    Op::SubgroupShuffle => Some(other(lane)),
                    Op::SubgroupShuffleXor => Some(own ^ other(lane)),
                    Op::SubgroupShuffleUp => own.checked_sub(other(lane)),
                    Op::SubgroupShuffleDown => own.checked_add(other(lane)),
                    _ => None,
                };
                let from = from.filter(|&from| active.iter().any(|&lane| lane as u64 == from));
                results.push(from.map_or(0, |from| value(from as usize)));
            }
        }
    }
    results
}

/// What all active lanes get of a ballot.
pub(crate) fn ballot(active: &[usize], value: impl Fn(usize) -> u64) -> [u64; 4] {
    let mut words = [0; 4];
    for &lane in active {
        words[lane / 32] |= (value(lane) & 1) << (lane % 32);
    }
    words
}

/// An operation for generated code: `a` and `b` are arrays of operands with an [element](Slot::bytes) for each of `count`
/// lanes, `to` of results; for a ballot there are four, one after another. Where not all lanes of `active`, a set of
/// bits, get the same, the others get anything.
///
/// # Safety
/// The memory must be as large as the scalars of `packed` and `count` say.
pub(crate) unsafe extern "C" fn run(
    packed: u64,
    count: u64,
    active: u64,
    a: *const u8,
    b: *const u8,
    to: *mut u8,
) {
    let (op, sig) = unpack(packed);
    let active: SmallVec<[usize; 16]> = (0..count as usize).filter(|lane| active >> lane & 1 == 1).collect();
    if active.is_empty() {
        return;
    }
    let get = |base: *const u8, scalar: Scalar, lane: usize| {
        let size = Slot::bytes(scalar);
        // SAFETY: the lane is one of those the memory is for; the caller's promise.
        let bits = unsafe {
            let at = base.add(lane * size as usize);
            if size == 8 {
                at.cast::<u64>().read_unaligned()
            } else {
                at.cast::<u32>().read_unaligned() as u64
            }
        };
        bits & scalar.mask()
    };
    let set = |array: usize, lane: usize, bits: u64| {
        let size = Slot::bytes(sig.result) as usize;
        // SAFETY: as above.
        unsafe {
            let at = to.add((array * count as usize + lane) * size);
            if size == 8 {
                at.cast::<u64>().write_unaligned(bits);
            } else {
                at.cast::<u32>().write_unaligned(in_lane(sig.result, bits));
            }
        }
    };
    let value = |lane| get(a, sig.operand, lane);
    if op == Op::SubgroupBallot {
        for (i, word) in ballot(&active, value).into_iter().enumerate() {
            (0..count as usize).for_each(|lane| set(i, lane, word));
        }
        return;
    }
    let results = results(op, sig.operand, &active, value, |lane| get(b, Scalar::U32, lane));
    (0..count as usize).for_each(|lane| set(0, lane, results[0]));
    for (&lane, &bits) in active.iter().zip(&results) {
        set(0, lane, bits);
    }
}

/// A number as it is in a lane of 32 bits in generated code.
fn in_lane(scalar: Scalar, bits: u64) -> u32 {
    let above = 32 - scalar.bits();
    match scalar {
        Scalar::Bool => (bits as u32 & 1).wrapping_neg(),
        _ if scalar.is_signed() => (((bits as u32) << above) as i32 >> above) as u32,
        _ => bits as u32,
    }
}
