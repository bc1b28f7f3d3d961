//! Subgroup operations: consecutive local indices, active invocations only, in the order of their lanes.

mod common;
use common::*;
use vyre_ir::{Builder, Op, Scalar, Value};
use vyre_reference::Options;

/// Six invocations in subgroups of four, with the values 1 to 6; those for which `active` holds run `body` and store
/// what it gives, the others keep 99.
fn subgroups(active: [bool; 6], body: impl FnOnce(&mut Builder, Value) -> Value) -> Vec<u32> {
    let mut b = Builder::new("test", [6, 1, 1]);
    let (out, mask) = (storage(&mut b, "out"), storage(&mut b, "mask"));
    let (i, one) = (b.index(Op::LocalIndex), b.u32(1));
    let flag = b.load(Op::Load, mask, i, Scalar::U32.into());
    let flag = b.convert(flag, Scalar::Bool);
    let value = b.op(Op::Add, &[i, one]);
    b.if_(
        flag,
        |b| {
            let v = body(b, value);
            put(b, out, v);
            vec![]
        },
        |_| vec![],
    );
    let options = Options { subgroup_size: 4, ..Options::default() };
    let mask = active.map(u32::from);
    try_words(&b.finish(), [1, 1, 1], &[&[99; 6], &mask], &options).unwrap().0.remove(0)
}

const ALL: [bool; 6] = [true; 6];
const SOME: [bool; 6] = [true, false, true, true, false, true];

#[test]
fn reductions_and_scans() {
    let cases = [
        (Op::SubgroupAdd, ALL, [10, 10, 10, 10, 11, 11]),
        (Op::SubgroupAdd, SOME, [8, 99, 8, 8, 99, 6]),
        (Op::SubgroupMul, ALL, [24, 24, 24, 24, 30, 30]),
        (Op::SubgroupMin, SOME, [1, 99, 1, 1, 99, 6]),
        (Op::SubgroupMax, SOME, [4, 99, 4, 4, 99, 6]),
        (Op::SubgroupAnd, ALL, [0, 0, 0, 0, 4, 4]),
        (Op::SubgroupOr, ALL, [7, 7, 7, 7, 7, 7]),
        (Op::SubgroupXor, ALL, [4, 4, 4, 4, 3, 3]),
        (Op::SubgroupInclusiveAdd, ALL, [1, 3, 6, 10, 5, 11]),
        (Op::SubgroupInclusiveMul, SOME, [1, 99, 3, 12, 99, 6]),
        (Op::SubgroupExclusiveAdd, SOME, [0, 99, 1, 4, 99, 0]),
        (Op::SubgroupExclusiveMul, ALL, [1, 1, 2, 6, 1, 5]),
        (Op::SubgroupBroadcastFirst, ALL, [1, 1, 1, 1, 5, 5]),
        (Op::SubgroupBroadcastFirst, [false, true, true, true, false, true], [99, 2, 2, 2, 99, 6]),
    ];
    for (op, active, expect) in cases {
        assert_eq!(subgroups(active, |b, v| b.op(op, &[v])), expect, "{op:?} {active:?}");
    }
}

#[test]
fn shuffles_give_zero_from_inactive_lanes() {
    let cases = [
        (Op::SubgroupShuffle, 2, ALL, [3, 3, 3, 3, 0, 0]),
        (Op::SubgroupShuffle, 4, ALL, [0; 6]),
        (Op::SubgroupShuffle, 1, SOME, [0, 99, 0, 0, 99, 6]),
        (Op::SubgroupShuffleXor, 1, ALL, [2, 1, 4, 3, 6, 5]),
        (Op::SubgroupShuffleXor, 1, SOME, [0, 99, 4, 3, 99, 0]),
        (Op::SubgroupShuffleUp, 1, ALL, [0, 1, 2, 3, 0, 5]),
        (Op::SubgroupShuffleDown, 1, ALL, [2, 3, 4, 0, 6, 0]),
        (Op::SubgroupShuffleDown, u32::MAX, ALL, [0; 6]),
    ];
    for (op, n, active, expect) in cases {
        let got = subgroups(active, |b, v| {
            let n = b.u32(n);
            b.op(op, &[v, n])
        });
        assert_eq!(got, expect, "{op:?} {n} {active:?}");
    }
}

#[test]
fn votes_and_ids() {
    let odd = |b: &mut Builder, v| {
        let one = b.u32(1);
        let bit = b.op(Op::And, &[v, one]);
        b.convert(bit, Scalar::Bool)
    };
    let vote = |op, active| {
        subgroups(active, |b, v| {
            let odd = odd(b, v);
            let r = b.op(op, &[odd]);
            b.convert(r, Scalar::U32)
        })
    };
    assert_eq!(vote(Op::SubgroupAny, ALL), [1; 6]);
    assert_eq!(vote(Op::SubgroupAll, ALL), [0; 6]);
    assert_eq!(vote(Op::SubgroupAll, [true, false, true, false, true, false]), [1, 99, 1, 99, 1, 99]);
    let ballot = subgroups(SOME, |b, v| {
        let odd = odd(b, v);
        let mask = b.op(Op::SubgroupBallot, &[odd]);
        b.extract(mask, 0)
    });
    assert_eq!(ballot, [5, 99, 5, 5, 99, 0]);
    let ids = subgroups(ALL, |b, _| {
        let mut sum = b.u32(0);
        for (op, scale) in
            [(Op::SubgroupLane, 1), (Op::SubgroupId, 10), (Op::NumSubgroups, 100), (Op::SubgroupSize, 1000)]
        {
            let (id, scale) = (b.index(op), b.u32(scale));
            let term = b.op(Op::Mul, &[id, scale]);
            sum = b.op(Op::Add, &[sum, term]);
        }
        sum
    });
    assert_eq!(ids, [4200, 4201, 4202, 4203, 4210, 4211]);
}
