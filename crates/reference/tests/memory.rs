//! Memory: bounds, kinds, atomics, barriers.

mod common;
use common::*;
use std::cell::Cell;
use vyre_ir::{Builder, Memory, Op, Scalar, Type};
use vyre_reference::{Bytes, Error, Options, Watch, run};

#[test]
fn loads_out_of_bounds_give_zero() {
    // From 5 words: scalars at 4, 5 and 0xffff_ffff; pairs at 3 and at 4, which is half outside.
    let cases = [(4, 1, [14, 0]), (5, 1, [0, 0]), (u32::MAX, 1, [0, 0]), (3, 2, [13, 14]), (4, 2, [0, 0])];
    for (index, lanes, expect) in cases {
        let mut b = Builder::new("test", [1, 1, 1]);
        let (from, out) = (storage(&mut b, "from"), storage(&mut b, "out"));
        let (at, zero) = (b.u32(index), b.u32(0));
        let v = b.load(Op::Load, from, at, Type::new(Scalar::U32, lanes));
        b.store(Op::Store, out, zero, v);
        let got = run_words(&b.finish(), [1, 1, 1], &[&[10, 11, 12, 13, 14], &[0, 0]]);
        assert_eq!(got[1], expect, "{lanes} at {index}");
    }
}

#[test]
fn stores_out_of_bounds_are_dropped() {
    let cases = [(2, 1, [0, 0, 7]), (3, 1, [0; 3]), (1, 2, [0, 7, 7]), (2, 2, [0; 3]), (1 << 30, 1, [0; 3])];
    for (index, lanes, expect) in cases {
        let mut b = Builder::new("test", [1, 1, 1]);
        let out = storage(&mut b, "out");
        let (at, v) = (b.u32(index), b.bits(Type::new(Scalar::U32, lanes), 7));
        b.store(Op::Store, out, at, v);
        assert_eq!(run_words(&b.finish(), [1, 1, 1], &[&[0; 3]])[0], expect, "{lanes} at {index}");
    }
}

#[test]
fn an_index_counts_scalars_of_the_accessed_type() {
    let mut b = Builder::new("test", [1, 1, 1]);
    let out = storage(&mut b, "out");
    for (scalar, index, bits) in
        [(Scalar::U8, 1, 0xab), (Scalar::F16, 3, 0x1234), (Scalar::U64, 1, u64::MAX - 1)]
    {
        let (at, v) = (b.u32(index), b.bits(scalar, bits));
        b.store(Op::Store, out, at, v);
    }
    let one = b.u32(1);
    let byte = b.load(Op::Load, out, one, Scalar::I8.into());
    let wide = b.convert(byte, Scalar::I32);
    let wide = b.bitcast(wide, Scalar::U32);
    let four = b.u32(4);
    b.store(Op::Store, out, four, wide);
    let got = run_words(&b.finish(), [1, 1, 1], &[&[0; 5]]);
    assert_eq!(got[0], [0xab00, 0x1234_0000, 0xffff_fffe, 0xffff_ffff, 0xffff_ffab]);
}

#[test]
fn length_is_in_elements_and_a_declared_count_wins() {
    let mut b = Builder::new("test", [1, 1, 1]);
    let out = storage(&mut b, "out");
    let pairs = declare(&mut b, "pairs", Memory::Storage, Type::new(Scalar::F32, 2), 0);
    let fixed = declare(&mut b, "fixed", Memory::Storage, Scalar::U32.into(), 2);
    for (i, buffer) in [out, pairs, fixed].into_iter().enumerate() {
        let (at, n) = (b.u32(i as u32), b.length(buffer));
        b.store(Op::Store, out, at, n);
    }
    // The third word of `fixed` is bound, but the program does not see it.
    let (two, three) = (b.u32(2), b.u32(3));
    let hidden = b.load(Op::Load, fixed, two, Scalar::U32.into());
    b.store(Op::Store, out, three, hidden);
    let got = run_words(&b.finish(), [1, 1, 1], &[&[9; 4], &[0; 6], &[5; 3]]);
    assert_eq!(got[0], [4, 3, 2, 0]);
}

#[test]
fn workgroup_and_private_memory_start_as_zero_in_every_workgroup() {
    let mut b = Builder::new("test", [2, 1, 1]);
    let out = storage(&mut b, "out");
    let shared = declare(&mut b, "shared", Memory::Workgroup, Scalar::U32.into(), 1);
    let own = declare(&mut b, "own", Memory::Private, Scalar::U32.into(), 1);
    let (zero, one) = (b.u32(0), b.u32(1));
    let before = b.load(Op::Load, own, zero, Scalar::U32.into());
    let next = b.op(Op::Add, &[before, one]);
    b.store(Op::Store, own, zero, next);
    let mine = b.load(Op::Load, own, zero, Scalar::U32.into());
    b.atomic(Op::AtomicAdd, shared, zero, mine);
    b.sync(Op::WorkgroupBarrier);
    let sum = b.load(Op::UniformLoad, shared, zero, Scalar::U32.into());
    let at = b.axis(Op::GlobalId, 0);
    b.store(Op::Store, out, at, sum);
    assert_eq!(run_words(&b.finish(), [3, 1, 1], &[&[0; 6], &[], &[]])[0], [2; 6]);
}

#[test]
fn barriers_order_the_workgroup() {
    // Reverse eight words through workgroup memory.
    let mut b = Builder::new("test", [8, 1, 1]);
    let io = storage(&mut b, "io");
    let tile = declare(&mut b, "tile", Memory::Workgroup, Scalar::U32.into(), 8);
    let (i, seven) = (b.index(Op::LocalIndex), b.u32(7));
    let v = b.load(Op::Load, io, i, Scalar::U32.into());
    b.store(Op::Store, tile, i, v);
    b.sync(Op::WorkgroupBarrier);
    let other = b.op(Op::Sub, &[seven, i]);
    let v = b.load(Op::Load, tile, other, Scalar::U32.into());
    b.store(Op::Store, io, i, v);
    let got = run_words(&b.finish(), [1, 1, 1], &[&[1, 2, 3, 4, 5, 6, 7, 8], &[]]);
    assert_eq!(got[0], [8, 7, 6, 5, 4, 3, 2, 1]);
}

#[test]
fn a_barrier_that_some_do_not_reach_is_an_error() {
    let mut b = Builder::new("test", [4, 1, 1]);
    let (i, two) = (b.index(Op::LocalIndex), b.u32(2));
    let low = b.op(Op::Lt, &[i, two]);
    b.if_(
        low,
        |b| {
            b.sync(Op::StorageBarrier);
            vec![]
        },
        |_| vec![],
    );
    let Err(Error::Invalid(d)) = try_words(&b.finish(), [1, 1, 1], &[], &Options::default()) else {
        panic!("the barrier passed");
    };
    assert_eq!((d.code.name(), &*d.message), ("D304", "`storage_barrier` is reached by 2 of 4 invocations"));
}

#[test]
fn atomics_give_the_old_value() {
    // (operation, start, operand, left behind, given back), each done once by one invocation.
    let cases = [
        (Op::AtomicAdd, u32::MAX, 2, 1, u32::MAX),
        (Op::AtomicSub, 1, 2, u32::MAX, 1),
        (Op::AtomicAnd, 6, 3, 2, 6),
        (Op::AtomicOr, 6, 3, 7, 6),
        (Op::AtomicXor, 6, 3, 5, 6),
        (Op::AtomicMin, 6, u32::MAX, 6, 6),
        (Op::AtomicMax, 6, u32::MAX, u32::MAX, 6),
        (Op::AtomicExchange, 6, 3, 3, 6),
    ];
    for (op, start, operand, left, given) in cases {
        for (index, expect) in [(0, [left, given]), (2, [start, 0])] {
            let mut b = Builder::new("test", [1, 1, 1]);
            let out = storage(&mut b, "out");
            let (at, one, v) = (b.u32(index), b.u32(1), b.u32(operand));
            let old = b.atomic(op, out, at, v);
            b.store(Op::Store, out, one, old);
            assert_eq!(run_words(&b.finish(), [1, 1, 1], &[&[start, 99]])[0], expect, "{op:?} at {index}");
        }
    }
}

#[test]
fn signed_and_float_atomics_compare_as_their_type() {
    let cases: [(Scalar, Op, u32, u32, u32); 3] = [
        (Scalar::I32, Op::AtomicMin, 5, -3i32 as u32, -3i32 as u32),
        (Scalar::F32, Op::AtomicMax, (-1.5f32).to_bits(), (-2.5f32).to_bits(), (-1.5f32).to_bits()),
        (Scalar::F32, Op::AtomicAdd, 1.5f32.to_bits(), 0.25f32.to_bits(), 1.75f32.to_bits()),
    ];
    for (scalar, op, start, operand, left) in cases {
        let mut b = Builder::new("test", [1, 1, 1]);
        let out = storage(&mut b, "out");
        let (zero, v) = (b.u32(0), b.bits(scalar, operand as u64));
        b.atomic(op, out, zero, v);
        assert_eq!(run_words(&b.finish(), [1, 1, 1], &[&[start]])[0], [left], "{op:?} {scalar}");
    }
}

#[test]
fn one_compare_exchange_wins() {
    let mut b = Builder::new("test", [4, 1, 1]);
    let (lock, won, old) = (storage(&mut b, "lock"), storage(&mut b, "won"), storage(&mut b, "old"));
    let (i, zero, ten) = (b.index(Op::LocalIndex), b.u32(0), b.u32(10));
    let mine = b.op(Op::Add, &[i, ten]);
    let (found, exchanged) = b.compare_exchange(lock, zero, zero, mine);
    let exchanged = b.convert(exchanged, Scalar::U32);
    put(&mut b, won, exchanged);
    put(&mut b, old, found);
    let p = b.finish();
    let got = run_words(&p, [1, 1, 1], &[&[0], &[9; 4], &[9; 4]]);
    assert_eq!(got, [vec![10], vec![1, 0, 0, 0], vec![0, 10, 10, 10]]);
    // Out of bounds: 0 and not exchanged, although 0 is what was expected.
    let got = run_words(&p, [1, 1, 1], &[&[], &[9; 4], &[9; 4]]);
    assert_eq!(got, [vec![], vec![0; 4], vec![0; 4]]);
}

#[test]
fn a_workgroup_too_large_is_refused() {
    let mut b = Builder::new("test", [1024, 1, 1]);
    declare(&mut b, "own", Memory::Private, Scalar::U32.into(), 1 << 20);
    let Err(Error::Invalid(d)) = run(&b.finish(), [1, 1, 1], &mut [Bytes::Unbound], &Options::default())
    else {
        panic!("4 GiB of private memory were allocated");
    };
    assert_eq!(d.code, "D303");
}

#[test]
fn missing_and_short_buffers_are_refused() {
    let mut b = Builder::new("test", [1, 1, 1]);
    declare(&mut b, "four", Memory::Storage, Scalar::U32.into(), 4);
    let p = b.finish();
    let mut short = [0; 15];
    let cases: [(&mut [Bytes], &str); 4] = [
        (&mut [], "B301"),
        (&mut [Bytes::Unbound], "B302"),
        (&mut [Bytes::Read(&[0; 16])], "B303"),
        (&mut [Bytes::Write(&mut short)], "B304"),
    ];
    for (buffers, code) in cases {
        match run(&p, [1, 1, 1], buffers, &Options::default()) {
            Err(Error::Invalid(d)) => assert_eq!(d.code, code),
            other => panic!("{code}: {other:?}"),
        }
    }
}

#[test]
fn says_what_was_written_and_by_whom() {
    // Invocation i of workgroup w stores a byte at 3 * (2 w + i): bytes 0, 3, 6, 9.
    let mut b = Builder::new("test", [2, 1, 1]);
    let out = storage(&mut b, "out");
    let (i, three, v) = (b.axis(Op::GlobalId, 0), b.u32(3), b.bits(Scalar::U8, 7));
    let at = b.op(Op::Mul, &[i, three]);
    b.store(Op::Store, out, at, v);
    let p = b.finish();
    let (mut bytes, mut written) = ([0; 12], [0; 2]);
    let watch = Watch { buffer: 0, byte: 9, writer: Cell::new(None) };
    let options = Options { watch: Some(&watch), ..Options::default() };
    let mut buffers = [Bytes::Tracked { bytes: &mut bytes, written: &mut written }];
    run(&p, [2, 1, 1], &mut buffers, &options).unwrap();
    assert_eq!(bytes, [7, 0, 0, 7, 0, 0, 7, 0, 0, 7, 0, 0]);
    assert_eq!(written, [0b0100_1001, 0b10]);
    assert_eq!(watch.writer.get(), Some(([1, 0, 0], 1)));
}
