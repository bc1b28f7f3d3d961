//! Programs that wait for their grid: who sees what, what must agree, and what is refused.

mod common;
use common::*;
use vyre_ir::{Builder, Op, Program, Scalar};
use vyre_reference::{Bytes, Error, GRID_BYTES, Options, run};

/// `out[i] = data[reverse of i]` after all stored `i + 10`.
fn reversed(size: u32) -> Program {
    let mut b = Builder::new("test", [size, 1, 1]);
    let (data, out) = (storage(&mut b, "data"), storage(&mut b, "out"));
    let i = b.axis(Op::GlobalId, 0);
    let ten = b.u32(10);
    let value = b.op(Op::Add, &[i, ten]);
    b.store(Op::Store, data, i, value);
    b.sync(Op::GridSync);
    let (n, one) = (b.length(data), b.u32(1));
    let last = b.op(Op::Sub, &[n, one]);
    let at = b.op(Op::Sub, &[last, i]);
    let value = b.load(Op::Load, data, at, Scalar::U32.into());
    b.store(Op::Store, out, i, value);
    b.finish()
}

#[test]
fn after_a_sync_all_see_what_all_wrote_before() {
    let got = run_words(&reversed(4), [3, 1, 1], &[&[0; 12], &[0; 12]]);
    assert_eq!(got[1], [21, 20, 19, 18, 17, 16, 15, 14, 13, 12, 11, 10]);
}

#[test]
fn an_empty_grid_waits_for_nobody() {
    assert_eq!(run_words(&reversed(4), [0, 1, 1], &[&[7; 4], &[8; 4]]), [[7; 4], [8; 4]]);
}

/// `out[i] = grid_uniform(data[i], i != silent)`.
fn agreed(ty: Scalar, silent: u32) -> Program {
    let mut b = Builder::new("test", [2, 2, 1]);
    let (data, out) = (storage(&mut b, "data"), storage(&mut b, "out"));
    let (x, y, two) = (b.axis(Op::GlobalId, 0), b.axis(Op::GlobalId, 1), b.u32(2));
    let row = b.op(Op::Mul, &[y, two]);
    let i = b.op(Op::Add, &[x, row]);
    let silent = b.u32(silent);
    let takes_part = b.op(Op::Ne, &[i, silent]);
    let value = b.load(Op::Load, data, i, ty.into());
    let value = b.op(Op::GridUniform, &[value, takes_part]);
    b.store(Op::Store, out, i, value);
    b.finish()
}

#[test]
fn all_get_what_the_first_invocation_passes() {
    let got = run_words(&agreed(Scalar::U32, 5), [1, 3, 1], &[&[4; 12], &[0; 12]]);
    assert_eq!(got[1], [4; 12]);
    // Invocation 5 passes something else, but has returned.
    let data = [4, 4, 4, 4, 4, 9, 4, 4, 4, 4, 4, 4];
    assert_eq!(run_words(&agreed(Scalar::U32, 5), [1, 3, 1], &[&data, &[0; 12]])[1], [4; 12]);
}

fn error(p: &Program, workgroups: [u32; 3], options: &Options<'_>) -> Error {
    let mut data: Vec<u8> =
        [4u32, 4, 4, 4, 4, 9, 4, 4, 4, 4, 4, 4].iter().flat_map(|w| w.to_le_bytes()).collect();
    let mut out = vec![0; 48];
    run(p, workgroups, &mut [Bytes::Write(&mut data), Bytes::Write(&mut out)], options).unwrap_err()
}

#[track_caller]
fn refused(error: Error, code: &str, words: &str) {
    let Error::Invalid(what) = error else { panic!("{error}") };
    assert_eq!(what.code.name(), code);
    assert!(what.message.contains(words), "{}", what.message);
}

#[test]
fn who_passes_something_else_is_told() {
    let options = Options::default();
    let words = "gets 9 from invocation (1, 2, 0) and 4 from invocation (0, 0, 0)";
    refused(error(&agreed(Scalar::U32, 7), [1, 3, 1], &options), "D307", words);
    let words = "gets 9 from invocation (1, 2, 0) and 4 from";
    refused(error(&agreed(Scalar::I32, 7), [1, 3, 1], &options), "D307", words);
}

#[test]
fn what_cannot_run_is_refused() {
    let p = reversed(4);
    refused(
        error(&p, [3, 1, 1], &Options { workgroups: Some(&[0]), ..Options::default() }),
        "D308",
        "sample",
    );
    let error = error(&p, [u32::MAX, u32::MAX, 2], &Options::default());
    refused(error, "D306", &format!("more than {GRID_BYTES}"));
    let mut b = Builder::new("test", [1, 1, 1]);
    let item = b.queue_item(Scalar::U32.into());
    b.queue_push(item);
    refused(run(&b.finish(), [1; 3], &mut [], &Options::default()).unwrap_err(), "D310", "queue_item");
}

/// Waits for the grid for ever.
fn endless() -> Program {
    let mut b = Builder::new("test", [1, 1, 1]);
    b.loop_(&[], |b, _| {
        b.sync(Op::GridSync);
        vec![b.bool(true)]
    });
    b.finish()
}

#[test]
fn a_grid_that_waits_can_be_stopped() {
    let limited = Options { step_limit: 5000, ..Options::default() };
    assert_eq!(run(&endless(), [7, 1, 1], &mut [], &limited).unwrap_err(), Error::StepLimit(5000));
    let cancelled = Options { cancelled: &|| true, ..Options::default() };
    assert_eq!(run(&endless(), [7, 1, 1], &mut [], &cancelled).unwrap_err(), Error::Cancelled);
}
