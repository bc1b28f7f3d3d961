//! Control flow: what each form gives to each invocation, whatever its neighbors do.

mod common;
use common::*;
use vyre_ir::{Builder, Case, Op, Scalar, Type};
use vyre_reference::{Error, Options};

/// One workgroup of eight invocations; `body` makes the value that each stores.
fn each(body: impl FnOnce(&mut Builder, vyre_ir::Value) -> vyre_ir::Value) -> Vec<u32> {
    let mut b = Builder::new("test", [8, 1, 1]);
    let out = storage(&mut b, "out");
    let i = b.index(Op::LocalIndex);
    let value = body(&mut b, i);
    put(&mut b, out, value);
    run_words(&b.finish(), [1, 1, 1], &[&[99; 8]]).remove(0)
}

#[test]
fn if_gives_the_taken_side() {
    let got = each(|b, i| {
        let three = b.u32(3);
        let low = b.op(Op::Lt, &[i, three]);
        b.if_(low, |b| vec![b.op(Op::Add, &[i, three])], |b| vec![b.op(Op::Mul, &[i, three])])[0]
    });
    assert_eq!(got, [3, 4, 5, 9, 12, 15, 18, 21]);
}

#[test]
fn if_in_if_restores_who_is_active() {
    // Each side of the outer branch branches again; stores after the inner branch show that all of a side come back.
    let mut b = Builder::new("test", [8, 1, 1]);
    let out = storage(&mut b, "out");
    let i = b.index(Op::LocalIndex);
    let [one, two, four] = [1, 2, 4].map(|n| b.u32(n));
    let bit = |b: &mut Builder, n| {
        let masked = b.op(Op::And, &[i, n]);
        b.op(Op::Eq, &[masked, n])
    };
    let outer = bit(&mut b, four);
    let side = |b: &mut Builder, base: u32, bit_value| {
        let inner = bit(b, bit_value);
        let r = b.if_(inner, |b| vec![b.u32(base)], |b| vec![b.u32(base + 1)]);
        put(b, out, r[0]);
        vec![]
    };
    b.if_(outer, |b| side(b, 10, one), |b| side(b, 20, two));
    let got = run_words(&b.finish(), [1, 1, 1], &[&[0; 8]]).remove(0);
    assert_eq!(got, [21, 21, 20, 20, 11, 10, 11, 10]);
}

#[test]
fn switch_takes_the_case_or_the_default() {
    let got = each(|b, i| {
        let regions: Vec<_> = [100, 200, 300].map(|n| b.region(&[], |b, _| vec![b.u32(n)])).into();
        let case = |value, region| Case { value, region };
        b.switch(i, vec![case(6, 0), case(1, 1), case(0, 1)], &regions)[0]
    });
    assert_eq!(got, [200, 200, 300, 300, 300, 300, 100, 300]);
}

#[test]
fn loop_runs_once_and_until_each_invocation_is_done() {
    // do { sum += k; k += 1 } while (k < i): 0, then 0, 0+1, ...
    let got = each(|b, i| {
        let zero = b.u32(0);
        b.loop_(&[zero, zero], |b, p| {
            let (k, sum) = (p[0], p[1]);
            let one = b.u32(1);
            let (next, sum) = (b.op(Op::Add, &[k, one]), b.op(Op::Add, &[sum, k]));
            let again = b.op(Op::Lt, &[next, i]);
            vec![again, next, sum]
        })[1]
    });
    assert_eq!(got, [0, 0, 1, 3, 6, 10, 15, 21]);
}

#[test]
fn loop_values_change_all_at_once() {
    // (a, b, go) -> (b, a, go2): a swap, and a condition that is itself a parameter.
    let got = each(|b, i| {
        let (ten, yes, no) = (b.u32(10), b.bool(true), b.bool(false));
        let r = b.loop_(&[i, ten, yes], |_, p| vec![p[2], p[1], p[0], no]);
        let hundred = b.u32(100);
        let scaled = b.op(Op::Mul, &[r[0], hundred]);
        b.op(Op::Add, &[scaled, r[1]])
    });
    // Two rounds: swapped twice.
    assert_eq!(got, [10, 110, 210, 310, 410, 510, 610, 710]);
}

#[test]
fn values_from_outside_a_loop_last_through_all_rounds() {
    let got = each(|b, i| {
        let (zero, one, three) = (b.u32(0), b.u32(1), b.u32(3));
        let outside = b.op(Op::Add, &[i, three]);
        b.loop_(&[zero, zero], |b, p| {
            // The only use in program order comes before many new values that could take its slot.
            let sum = b.op(Op::Add, &[p[1], outside]);
            let junk: Vec<_> = (0..5).map(|_| b.op(Op::Mul, &[sum, three])).collect();
            let k = b.op(Op::Add, &[p[0], one]);
            let again = b.op(Op::Lt, &[k, three]);
            let keep = junk.iter().fold(sum, |a, j| {
                let x = b.op(Op::Sub, &[*j, *j]);
                b.op(Op::Add, &[a, x])
            });
            vec![again, k, keep]
        })[1]
    });
    assert_eq!(got, [9, 12, 15, 18, 21, 24, 27, 30]);
}

#[test]
fn vectors_work_lane_by_lane() {
    let mut b = Builder::new("test", [2, 1, 1]);
    let out = storage(&mut b, "out");
    let i = b.index(Op::LocalIndex);
    let ty = Type::new(Scalar::U32, 3);
    let v = b.splat(i, 3);
    let k = b.lanes(ty, [5, 6, 7, 0]);
    let sum = b.op(Op::Add, &[v, k]);
    let last = b.extract(sum, 2);
    let pair = b.compose(&[last, i]);
    let three = b.u32(3);
    let at = b.op(Op::Mul, &[i, three]);
    b.store(Op::Store, out, at, sum);
    let six = b.u32(6);
    let (two, at) = (b.u32(2), i);
    let at = b.op(Op::Mul, &[at, two]);
    let at = b.op(Op::Add, &[at, six]);
    b.store(Op::Store, out, at, pair);
    let got = run_words(&b.finish(), [1, 1, 1], &[&[0; 10]]).remove(0);
    assert_eq!(got, [5, 6, 7, 6, 7, 8, 7, 0, 8, 1]);
}

#[test]
fn positions_in_the_grid() {
    let mut b = Builder::new("test", [2, 3, 1]);
    let out = storage(&mut b, "out");
    // Stored at the flat global position: 1000 x + 100 y + 10 workgroup.x + local_index.
    let ids = [(Op::GlobalId, 0, 1000), (Op::GlobalId, 1, 100), (Op::WorkgroupId, 0, 10)];
    let mut value = b.index(Op::LocalIndex);
    for (op, axis, scale) in ids {
        let (id, scale) = (b.axis(op, axis), b.u32(scale));
        let term = b.op(Op::Mul, &[id, scale]);
        value = b.op(Op::Add, &[value, term]);
    }
    let (x, y, two) = (b.axis(Op::GlobalId, 0), b.axis(Op::GlobalId, 1), b.u32(2));
    let groups = b.axis(Op::NumWorkgroups, 0);
    let width = b.op(Op::Mul, &[groups, two]);
    let row = b.op(Op::Mul, &[y, width]);
    let at = b.op(Op::Add, &[row, x]);
    b.store(Op::Store, out, at, value);
    let got = run_words(&b.finish(), [2, 1, 1], &[&[0; 12]]).remove(0);
    assert_eq!(got, [0, 1001, 2010, 3011, 102, 1103, 2112, 3113, 204, 1205, 2214, 3215]);
}

#[test]
fn endless_loops_end() {
    let mut b = Builder::new("test", [4, 1, 1]);
    b.loop_(&[], |b, _| vec![b.bool(true)]);
    let p = b.finish();
    let limited = Options { step_limit: 1000, ..Options::default() };
    assert_eq!(try_words(&p, [1, 1, 1], &[], &limited), Err(Error::StepLimit(1000)));
    let looks = std::cell::Cell::new(0);
    let cancelled = || looks.replace(looks.get() + 1) == 3;
    let cancelling = Options { cancelled: &cancelled, ..Options::default() };
    assert_eq!(try_words(&p, [1, 1, 1], &[], &cancelling), Err(Error::Cancelled));
}

#[test]
fn only_the_chosen_workgroups_run() {
    let mut b = Builder::new("test", [1, 1, 1]);
    let out = storage(&mut b, "out");
    let (x, one) = (b.axis(Op::WorkgroupId, 0), b.u32(1));
    b.store(Op::Store, out, x, one);
    let p = b.finish();
    let chosen = Options { workgroups: Some(&[3, 1]), ..Options::default() };
    let (got, stats) = try_words(&p, [5, 1, 1], &[&[0; 5]], &chosen).unwrap();
    assert_eq!(got[0], [0, 1, 0, 1, 0]);
    assert_eq!(stats.workgroups, 2);
    let outside = Options { workgroups: Some(&[5]), ..Options::default() };
    assert!(matches!(try_words(&p, [5, 1, 1], &[&[0; 5]], &outside), Err(Error::Invalid(_))));
}
