//! Bounds, atomics, vectors, lengths, and stopping.

mod common;

use common::{run_u32, run_until, try_run};
use std::time::Duration;
use vyre_driver::{BackendError, Cancel};
use vyre_ir::text::parse;
use vyre_ir::verify::verify;
use vyre_ir::{Access, Builder, Op, Program, Scalar};

fn read(text: &str) -> Program {
    let p = parse("test.vyre", text).unwrap_or_else(|errors| panic!("{}", errors[0]));
    verify(&p).unwrap_or_else(|errors| panic!("{}", errors[0]));
    p
}

/// Loads outside give 0 in all lanes, stores do nothing; with indices that are constants, bounded and unknown.
#[test]
fn out_of_bounds() {
    let p = read(
        "program p workgroup(8, 1, 1) {
          buffer in: u32[] storage read @group(0) @binding(0)
          buffer out: u32[] storage read_write @group(0) @binding(1)
          buffer own: u32[3] private read_write
          buffer tile: u32[3] workgroup read_write
          %i: u32 = global_id x
          %a: u32x2 = load in[%i]
          %x: u32 = extract %a.x
          %five: u32 = const 5
          store own[%i], %five
          %b: u32 = load own[%i]
          %far: u32 = const 3
          %c: u32 = load own[%far]
          %top: u32 = const 4294967295
          %d: u32 = load in[%top]
          store tile[%top], %five
          store in_none[%i], %five
          %e: u32 = load tile[%i]
          %f: u64 = load in[%i]
          %g: u32 = convert %f
          %xb: u32 = add %x, %b
          %cd: u32 = add %c, %d
          %eg: u32 = add %e, %g
          %s: u32 = add %xb, %cd
          %t: u32 = add %s, %eg
          store out[%i], %t
          store out[%top], %t
        }"
        .replace("          store in_none[%i], %five\n", "")
        .as_str(),
    );
    // `in` has 5 words: pairs from 0 to 3 fit, 64-bit scalars 0 and 1.
    let out = run_u32(&p, [1, 1, 1], &[vec![10, 20, 30, 40, 50], vec![9; 6]]);
    assert_eq!(out[1], [10 + 5 + 10, 20 + 5 + 30, 30 + 5, 40, 0, 0]);
}

/// An index that only the code shows to be a constant: a load outside is 0.
#[test]
fn an_index_found_to_be_constant() {
    let p = read(
        "program p workgroup(1, 1, 1) {
          buffer out: u32[] storage read_write @group(0) @binding(0)
          buffer tile: u32[2] workgroup read_write
          buffer own: u32[3] private read_write
          %zero: u32 = const 0
          %one: u32 = const 1
          %far: u32 = const 60
          %i: u32 = load tile[%far]
          store own[%i], %one
          %a: u32 = load own[%zero]
          store out[%zero], %a
        }",
    );
    assert_eq!(run_u32(&p, [1, 1, 1], &[vec![9]]), [[1]]);
}

/// A narrow number that is the same for all invocations without anybody knowing, needed behind a barrier.
#[test]
fn narrow_numbers_behind_a_barrier() {
    let p = read(
        "program p workgroup(16, 1, 1) {
          buffer out: u8[] storage read_write @group(0) @binding(0)
          %i: u32 = local_index
          %one: u8 = const 1
          %no: bool = const false
          %x: u8 = if %no {
            %zero: u8 = const 0
            yield %zero
          } else {
            yield %one
          }
          storage_barrier
          store out[%i], %x
        }",
    );
    assert_eq!(run_u32(&p, [1, 1, 1], &[vec![0; 4]]), [[0x0101_0101; 4]]);
}

#[test]
fn lengths() {
    let p = read(
        "program p workgroup(1, 1, 1) {
          buffer in: f32x3[] storage read @group(0) @binding(0)
          buffer out: u32[] storage read_write @group(0) @binding(1)
          buffer tile: u64[3] workgroup read_write
          %zero: u32 = const 0
          %one: u32 = const 1
          %two: u32 = const 2
          %a: u32 = length in
          %b: u32 = length out
          %c: u32 = length tile
          store out[%zero], %a
          store out[%one], %b
          store out[%two], %c
        }",
    );
    assert_eq!(run_u32(&p, [1, 1, 1], &[vec![0; 12], vec![0; 7]])[1], [4, 7, 3, 0, 0, 0, 0]);
}

/// Every atomic operation on storage and on workgroup memory, by 1000 workgroups of 7: results that do not depend on
/// the order.
#[test]
fn atomics() {
    // (operation, type, operand, start, expected after all)
    let ops = [
        ("atomic_add", "u32", "%g", 5u64, 5 + 6999 * 7000 / 2),
        ("atomic_sub", "u32", "%g", 30_000_000, 30_000_000 - 6999 * 7000 / 2),
        ("atomic_and", "u32", "%g", 0xffff_ffff, 0),
        ("atomic_or", "u32", "%g", 0x8000_0000, 0x8000_1fff),
        ("atomic_xor", "u32", "%g", 0, (0..7000).fold(0, |a, b| a ^ b)),
        ("atomic_min", "i32", "%i", 7, -6999i32 as u32 as u64),
        ("atomic_max", "i32", "%i", 0x8000_0000, 0),
        ("atomic_min", "u32", "%g", 100, 0),
        ("atomic_max", "u64", "%d", 3, 6999),
        ("atomic_add", "u64", "%d", 1 << 40, (1 << 40) + 6999 * 7000 / 2),
        ("atomic_add", "f32", "%one", 0, 7000.0f32.to_bits() as u64),
        ("atomic_max", "f32", "%f", (-1.0f32).to_bits() as u64, 6999.0f32.to_bits() as u64),
        ("atomic_exchange", "f32", "%one", 0, 1.0f32.to_bits() as u64),
    ];
    for (op, ty, operand, start, expected) in ops {
        for memory in ["out", "tile"] {
            let text = format!(
                "program p workgroup(7, 1, 1) {{
                  buffer out: u32[] storage read_write @group(0) @binding(0)
                  buffer tile: u32[2] workgroup read_write
                  %g: u32 = global_id x
                  %n: i32 = convert %g
                  %i: i32 = neg %n
                  %d: u64 = convert %g
                  %f: f32 = convert %g
                  %one: f32 = const 1.0
                  %zero: u32 = const 0
                  %l: u32 = local_index
                  %first: bool = eq %l, %zero
                  if %first {{
                    %start: {ty} = load out[%zero]
                    store tile[%zero], %start
                  }}
                  workgroup_barrier
                  %old: {ty} = {op} {memory}[%zero], {operand}
                  workgroup_barrier
                  if %first {{
                    %end: {ty} = load {memory}[%zero]
                    store out[%zero], %end
                  }}
                }}"
            );
            // In workgroup memory there is one workgroup, so that the order is known.
            if memory == "tile" {
                let out = run_u32(&read(&text), [1, 1, 1], &[vec![start as u32, (start >> 32) as u32]]);
                let one = match (op, ty) {
                    ("atomic_add", "f32") => 7.0f32.to_bits() as u64,
                    ("atomic_add", _) => start + 21,
                    ("atomic_sub", _) => start - 21,
                    ("atomic_or", _) => start | 7,
                    ("atomic_xor", _) => (0..7).fold(0, |a, b| a ^ b),
                    ("atomic_min", "i32") => -6i32 as u32 as u64,
                    ("atomic_max", "u64") => 6,
                    ("atomic_max", "f32") => 6.0f32.to_bits() as u64,
                    _ => expected,
                };
                assert_eq!(out[0], [one as u32, (one >> 32) as u32], "{op} {ty} in a workgroup");
                continue;
            }
            // The copies at the end race with later workgroups: leave them out.
            let text = text.replace(
                "workgroup_barrier\n                  if %first {\n                    %end",
                "if %never {\n                    %end",
            );
            let text =
                text.replace("%first: bool", "%never: bool = const false\n                  %first: bool");
            let out = run_u32(&read(&text), [1000, 1, 1], &[vec![start as u32, (start >> 32) as u32]]);
            assert_eq!(out[0], [expected as u32, (expected >> 32) as u32], "{op} {ty}");
        }
    }
}

#[test]
fn compare_exchange() {
    for memory in ["out", "tile"] {
        let p = read(&format!(
            "program p workgroup(4, 1, 1) {{
              buffer out: u32[] storage read_write @group(0) @binding(0)
              buffer tile: u32[1] workgroup read_write
              %l: u32 = local_index
              %zero: u32 = const 0
              %one: u32 = const 1
              %two: u32 = const 2
              %next: u32 = add %l, %one
              %old: u32, %done: bool = atomic_compare_exchange {memory}[%zero], %l, %next
              %top: u32 = const 4294967295
              %none: u32, %not: bool = atomic_compare_exchange {memory}[%top], %zero, %one
              %d: u32 = convert %done
              %n: u32 = convert %not
              %a: u32 = mul %old, %two
              %b: u32 = add %a, %d
              %c: u32 = add %b, %n
              %e: u32 = add %c, %none
              store out[%next], %e
            }}"
        ));
        // Invocation by invocation: each finds its own index there and puts the next one.
        let out = run_u32(&p, [1, 1, 1], &[vec![0; 6]]);
        assert_eq!(out[0][1..], [1, 3, 5, 7, 0], "{memory}");
    }
}

/// Loops that never end stop when they are asked to, in a piece and around barriers, on one thread and on several.
#[test]
fn infinite_loops_stop() {
    for (barrier, groups) in [("", 1), ("", 100), ("workgroup_barrier", 1), ("workgroup_barrier", 100)] {
        let p = read(&format!(
            "program p workgroup(4, 1, 1) {{
              buffer out: u32[] storage read_write @group(0) @binding(0)
              %zero: u32 = const 0
              %true: bool = const true
              loop () {{
                {barrier}
                %old: u32 = atomic_add out[%zero], %zero
                yield %true
              }}
            }}"
        ));
        let cancel = Cancel::default();
        let result = std::thread::scope(|s| {
            s.spawn(|| {
                std::thread::park_timeout(Duration::from_millis(20));
                cancel.request();
            });
            run_until(&p, [groups, 1, 1], &mut [vec![0; 4]], &cancel)
        });
        assert!(matches!(result, Err(BackendError::Timeout { .. })), "{result:?}");
    }
}

/// What would need too much memory for a workgroup is an error, not an abort.
#[test]
fn too_much_memory() {
    let p = read(
        "program p workgroup(1024, 1, 1) {
          buffer big: u32[1000000] private read_write
          %zero: u32 = const 0
          store big[%zero], %zero
          workgroup_barrier
          store big[%zero], %zero
        }",
    );
    let result = try_run(&p, [1, 1, 1], &mut []);
    assert!(matches!(result, Err(BackendError::OutOfMemory { requested: 4_096_000_000, .. })), "{result:?}");
}

/// Programs of so many instructions that they are compiled for one invocation after another, by thorough settings and by
/// quick ones, and take a large stack.
#[test]
fn large_programs() {
    for n in [3_000u32, 60_000] {
        let mut b = Builder::new("large", [2, 1, 1]);
        let out = common::storage(&mut b, "out", Scalar::U32, Access::ReadWrite);
        let i = b.axis(Op::GlobalId, 0);
        let mut x = i;
        let mut all = vec![];
        for _ in 0..n / 3 {
            x = b.op(Op::Add, &[x, i]);
            all.push(b.op(Op::Xor, &[x, i]));
        }
        let mut sum = i;
        for y in all {
            sum = b.op(Op::Add, &[sum, y]);
        }
        b.store(Op::Store, out, i, sum);
        let expected: Vec<u32> = (0..4u32)
            .map(|i| (0..n / 3).fold(i, |sum: u32, k| sum.wrapping_add((k + 2).wrapping_mul(i) ^ i)))
            .collect();
        assert_eq!(run_u32(&b.finish(), [2, 1, 1], &[vec![9; 4]])[0], expected, "{n} instructions");
    }
}

/// Control flow as deep as the verifier allows.
#[test]
fn deep_programs() {
    let mut b = Builder::new("deep", [2, 1, 1]);
    let out = common::storage(&mut b, "out", Scalar::U32, Access::ReadWrite);
    let i = b.axis(Op::GlobalId, 0);
    let mut regions = Vec::new();
    for depth in 0..vyre_ir::verify::MAX_DEPTH - 1 {
        let n = b.u32(depth as u32);
        let condition = b.op(Op::Lt, &[i, n]);
        let then = b.open(&[]);
        regions.push((condition, then));
        b.enter(then);
    }
    let old = b.load(Op::Load, out, i, Scalar::U32.into());
    b.store(Op::Store, out, i, old);
    while let Some((condition, then)) = regions.pop() {
        b.end(&[]);
        let otherwise = b.region(&[], |b, _| {
            let seven = b.u32(7);
            b.store(Op::Store, out, i, seven);
            vec![]
        });
        b.branch(condition, then, otherwise);
    }
    let p = b.finish();
    verify(&p).unwrap_or_else(|errors| panic!("{}", errors[0]));
    assert_eq!(run_u32(&p, [2, 1, 1], &[vec![9; 4]])[0], [7; 4]);
}
