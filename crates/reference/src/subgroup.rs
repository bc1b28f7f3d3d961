//! Operations across a subgroup: what they give to each active invocation.
//!
//! A subgroup is a run of consecutive local indices. Invocations that are not active do not take part. Reductions and
//! scans go through the lanes in order and start from the first active value, not from an identity, so a sum of one
//! value is that value, also for -0.

use crate::decode::{Place, eval_of, sig_of};
use crate::lockstep::Active;
use vyre_ir::op::Eval;
use vyre_ir::{Op, Scalar, Sig};

/// What a subgroup operation does.
#[derive(Copy, Clone)]
pub(crate) enum What {
    Ballot,
    /// All values combined.
    Reduce(Eval, Sig),
    /// The values up to this one combined.
    Inclusive(Eval, Sig),
    /// The values before this one combined; the bits of `first` for the first one.
    Exclusive {
        eval: Eval,
        sig: Sig,
        first: u64,
    },
    First,
    /// The value of the lane that the function makes of the own lane and the operand.
    Shuffle(fn(u64, u64) -> Option<u64>),
}

/// The meaning of a subgroup operation for a scalar type; `None` for other operations.
pub(crate) fn what(op: Op) -> Option<fn(Scalar) -> What> {
    fn reduce(op: Op, s: Scalar) -> What {
        What::Reduce(eval_of(op), sig_of(s))
    }
    fn inclusive(op: Op, s: Scalar) -> What {
        What::Inclusive(eval_of(op), sig_of(s))
    }
    fn exclusive(op: Op, s: Scalar, first: f64) -> What {
        What::Exclusive { eval: eval_of(op), sig: sig_of(s), first: vyre_ir::program::number_bits(s, first) }
    }
    Some(match op {
        Op::SubgroupBallot => |_| What::Ballot,
        Op::SubgroupAll => |s| reduce(Op::And, s),
        Op::SubgroupAny => |s| reduce(Op::Or, s),
        Op::SubgroupAdd => |s| reduce(Op::Add, s),
        Op::SubgroupMul => |s| reduce(Op::Mul, s),
        Op::SubgroupMin => |s| reduce(Op::Min, s),
        Op::SubgroupMax => |s| reduce(Op::Max, s),
        Op::SubgroupAnd => |s| reduce(Op::And, s),
        Op::SubgroupOr => |s| reduce(Op::Or, s),
        Op::SubgroupXor => |s| reduce(Op::Xor, s),
        Op::SubgroupInclusiveAdd => |s| inclusive(Op::Add, s),
        Op::SubgroupInclusiveMul => |s| inclusive(Op::Mul, s),
        Op::SubgroupExclusiveAdd => |s| exclusive(Op::Add, s, 0.0),
        Op::SubgroupExclusiveMul => |s| exclusive(Op::Mul, s, 1.0),
        Op::SubgroupBroadcastFirst => |_| What::First,
        Op::SubgroupShuffle => |_| What::Shuffle(|_, n| Some(n)),
        Op::SubgroupShuffleXor => |_| What::Shuffle(|lane, n| Some(lane ^ n)),
        Op::SubgroupShuffleUp => |_| What::Shuffle(u64::checked_sub),
        Op::SubgroupShuffleDown => |_| What::Shuffle(u64::checked_add),
        _ => return None,
    })
}

/// Performs the operation in every subgroup that has active invocations.
pub(crate) fn perform(
    cells: &mut [u64],
    active: Active<'_>,
    size: usize,
    what: What,
    args: [Place; 2],
    out: [Place; 4],
) {
    for group in active.list.chunk_by(|a, b| *a as usize / size == *b as usize / size) {
        let first = group[0] as usize / size * size;
        match what {
            What::Ballot => {
                let mut mask = [0; 4];
                for &i in group {
                    let lane = i as usize - first;
                    mask[lane / 32] |= (cells[args[0].at(i as usize)] & 1) << (lane % 32);
                }
                for &i in group {
                    for (out, bits) in out.into_iter().zip(mask) {
                        cells[out.at(i as usize)] = bits;
                    }
                }
            }
            What::Reduce(eval, sig) => {
                let values = group.iter().map(|&i| cells[args[0].at(i as usize)]);
                let total = values.reduce(|a, b| eval(sig, &[a, b])).expect("a group has a member");
                for &i in group {
                    cells[out[0].at(i as usize)] = total;
                }
            }
            What::Inclusive(eval, sig) => {
                let mut sum = None;
                for &i in group {
                    let value = cells[args[0].at(i as usize)];
                    let next = sum.map_or(value, |sum| eval(sig, &[sum, value]));
                    cells[out[0].at(i as usize)] = next;
                    sum = Some(next);
                }
            }
            What::Exclusive { eval, sig, first } => {
                let mut sum = None;
                for &i in group {
                    let value = cells[args[0].at(i as usize)];
                    cells[out[0].at(i as usize)] = sum.unwrap_or(first);
                    sum = Some(sum.map_or(value, |sum| eval(sig, &[sum, value])));
                }
            }
            What::First => {
                let value = cells[args[0].at(group[0] as usize)];
                for &i in group {
                    cells[out[0].at(i as usize)] = value;
                }
            }
            What::Shuffle(source) => {
                for &i in group {
                    let lane = source(i as u64 - first as u64, cells[args[1].at(i as usize)]);
                    let from = lane.filter(|lane| *lane < size as u64).map(|lane| first as u32 + lane as u32);
                    // The list is in ascending order.
                    let from = from.filter(|from| group.binary_search(from).is_ok());
                    cells[out[0].at(i as usize)] = from.map_or(0, |from| cells[args[0].at(from as usize)]);
                }
            }
        }
    }
}
