//! Exported code is what one would write by hand: checks only where they are needed, nothing twice.

mod out;

use out::{buffer, outputs, unknown};
use vyre_ir::{Builder, Memory, Op, Program, Scalar, Type, text};
use vyre_wgsl::export;

fn parse(source: &str) -> Program {
    text::parse("test", source).unwrap_or_else(|e| panic!("{}", e[0]))
}

/// The body of the WGSL of a program with some buffers, without the parts that are always the same.
fn body(source: &str) -> String {
    let p = parse(&format!(
        "program p workgroup(64, 1, 1) {{
           buffer a: f32[] storage read_write @group(0) @binding(0)
           buffer v: f32x4[] storage read @group(0) @binding(1)
           buffer mixed: u32[] storage read_write @group(0) @binding(2)
           buffer rows: u32[6] uniform read @group(0) @binding(3)
           buffer tile: f32[64] workgroup read_write
           buffer own: i32[4] private read_write
           {source}
         }}"
    ));
    vyre_ir::verify::verify(&p).unwrap_or_else(|e| panic!("{}", e[0]));
    for (target, output) in outputs(&p) {
        output.unwrap_or_else(|e| panic!("{target}: {e}"));
    }
    let ranges = vyre_opt::analysis::ranges(&p);
    let wgsl = export::wgsl(&p, &|inst| ranges.in_bounds(inst)).unwrap();
    let (_, body) =
        wgsl.split_once("fn p(").and_then(|(_, rest)| rest.split_once("{\n")).expect("a function");
    let body = body.trim_end().strip_suffix("return;\n}").expect("the end of the function");
    let lines = body.lines().map(|l| l.strip_prefix("    ").unwrap_or(l));
    lines.filter(|l| !l.is_empty()).collect::<Vec<_>>().join("\n")
}

fn check(source: &str, expect: &str) {
    let expect: Vec<&str> = expect.lines().map(|l| l.strip_prefix("        ").unwrap_or(l)).collect();
    let expect = expect.join("\n");
    let body = body(source);
    assert_eq!(body, expect.trim(), "\n{body}");
}

#[test]
fn indices_are_compared_where_nothing_is_known() {
    check(
        "%0: u32 = global_id x
         %1: f32 = load a[%0]
         store a[%0], %1",
        "
        let a_length = arrayLength((&a));
        let a_last = (a_length - 1u);
        let a_value = a[min(global_id.x, a_last)];
        let a_value_1 = select(0f, a_value, (global_id.x <= a_last));
        if (global_id.x <= a_last) {
            a[global_id.x] = a_value_1;
        }",
    );
}

#[test]
fn indices_that_are_known_to_be_inside_are_not_compared() {
    check(
        "%0: u32 = local_index
         %1: f32 = load tile[%0]
         %2: u32 = const 3
         %3: i32 = load own[%2]
         %4: u32 = and %0, %2
         store own[%4], %3
         store tile[%0], %1",
        "
        let tile_value = tile[local_index];
        let own_value = own[3];
        let and = (local_index & 3u);
        own[and] = own_value;
        tile[local_index] = tile_value;",
    );
}

#[test]
fn what_an_if_has_compared_is_not_compared_again() {
    check(
        "%0: u32 = global_id x
         %1: u32 = length a
         %2: bool = le %1, %0
         if %2 {
         } else {
           %3: f32 = load a[%0]
           %4: f32 = neg %3
           store a[%0], %4
         }",
        "
        let a_length = arrayLength((&a));
        let le = (a_length <= global_id.x);
        if !(le) {
            let a_value = a[global_id.x];
            let neg = -(a_value);
            a[global_id.x] = neg;
        }",
    );
}

#[test]
fn constant_indices_outside_leave_nothing() {
    check(
        "%0: u32 = const 4
         %1: i32 = load own[%0]
         store own[%0], %1",
        "",
    );
}

#[test]
fn vectors_are_all_or_nothing() {
    check(
        "%0: u32 = global_id x
         %1: f32x4 = load v[%0]
         store a[%0], %1",
        "
        let v_length = arrayLength((&v));
        let v_last = (v_length - 4u);
        let a_length = arrayLength((&a));
        let a_limit = (max(a_length, 3u) - 3u);
        let _e12 = min(global_id.x, v_last);
        let v_value = v[_e12];
        let v_value_1 = v[(_e12 + 1u)];
        let v_value_2 = v[(_e12 + 2u)];
        let v_value_3 = v[(_e12 + 3u)];
        let v_value_4 = select(vec4(0f), vec4<f32>(v_value, v_value_1, v_value_2, v_value_3), (global_id.x <= v_last));
        if (global_id.x < a_limit) {
            a[global_id.x] = v_value_4.x;
            a[(global_id.x + 1u)] = v_value_4.y;
            a[(global_id.x + 2u)] = v_value_4.z;
            a[(global_id.x + 3u)] = v_value_4.w;
        }",
    );
}

#[test]
fn buffers_of_several_types_are_words() {
    check(
        "%0: u32 = const 0
         %1: u64 = load mixed[%0]
         %2: u32 = const 4
         store mixed[%2], %1
         %3: f32 = load mixed[%2]
         store a[%0], %3",
        "
        var loaded: u64;
        let mixed_length = arrayLength((&mixed));
        let mixed_limit = (mixed_length >> 1u);
        let mixed_last = (mixed_length - 1u);
        if (0u < mixed_limit) {
            let mixed_value = mixed[0];
            let mixed_value_1 = mixed[1];
            loaded = (u64(mixed_value) | (u64(mixed_value_1) << 32u));
        } else {
            loaded = 0lu;
        }
        let mixed_value_2 = loaded;
        if (4u < mixed_limit) {
            mixed[8] = u32(mixed_value_2);
            mixed[9] = u32((mixed_value_2 >> 32u));
        }
        let mixed_value_3 = mixed[min(4u, mixed_last)];
        let mixed_value_4 = select(0f, bitcast<f32>(mixed_value_3), (4u <= mixed_last));
        a[0] = mixed_value_4;",
    );
}

#[test]
fn neighbors_in_a_word_are_stored_at_once() {
    check(
        "%0: u32 = global_id x
         %1: u32 = load mixed[%0]
         %2: u16 = convert %1
         store mixed[%0], %2",
        "
        let mixed_length = arrayLength((&mixed));
        let mixed_last = (mixed_length - 1u);
        let mixed_last_1 = ((mixed_length * 2u) - 1u);
        let mixed_value = atomicLoad((&mixed[min(global_id.x, mixed_last)]));
        let mixed_value_1 = select(0u, mixed_value, (global_id.x <= mixed_last));
        let convert = u16(mixed_value_1);
        if (global_id.x <= mixed_last_1) {
            let _e26 = ((global_id.x & 1u) << 4u);
            atomicAnd((&mixed[(global_id.x >> 1u)]), ~((65535u << _e26)));
            atomicOr((&mixed[(global_id.x >> 1u)]), (u32(convert) << _e26));
        }",
    );
}

#[test]
fn bytes_are_parts_of_words() {
    check(
        "%0: u32 = global_id x
         %1: i8 = load mixed[%0]
         %2: i8 = add %1, %1
         %3: i8 = max %2, %1
         store mixed[%0], %3",
        "
        let mixed_length = arrayLength((&mixed));
        let mixed_last = ((mixed_length * 4u) - 1u);
        let _e14 = min(global_id.x, mixed_last);
        let mixed_value = atomicLoad((&mixed[(_e14 >> 2u)]));
        let mixed_value_1 = select(0i, (bitcast<i32>(((mixed_value >> ((_e14 & 3u) << 3u)) << 24u)) >> 24u), (global_id.x <= mixed_last));
        let add = (bitcast<i32>((bitcast<u32>((mixed_value_1 + mixed_value_1)) << 24u)) >> 24u);
        let max_ = max(add, mixed_value_1);
        if (global_id.x <= mixed_last) {
            let _e41 = ((global_id.x & 3u) << 3u);
            atomicAnd((&mixed[(global_id.x >> 2u)]), ~((255u << _e41)));
            atomicOr((&mixed[(global_id.x >> 2u)]), ((bitcast<u32>(max_) & 255u) << _e41));
        }",
    );
}

#[test]
fn uniform_memory_comes_in_rows() {
    check(
        "%0: u32 = const 5
         %1: u32 = load rows[%0]
         %2: u32 = load rows[%1]
         store mixed[%0], %2",
        "
        let mixed_length = arrayLength((&mixed));
        let mixed_last = (mixed_length - 1u);
        let rows_value = rows[1].y;
        let _e11 = min(rows_value, 5u);
        let rows_value_1 = rows[(_e11 >> 2u)][(_e11 & 3u)];
        let rows_value_2 = select(0u, rows_value_1, (rows_value <= 5u));
        if (5u <= mixed_last) {
            mixed[5] = rows_value_2;
        }",
    );
}

#[test]
fn loops_carry_what_changes() {
    check(
        "%0: u32 = const 0
         %1: u32 = global_id x
         %2: u32, %3: u32 = loop (%4: u32 = %0, %5: u32 = %1) {
           %6: u32 = const 1
           %7: u32 = add %4, %6
           %8: bool = lt %7, %5
           yield %8, %7, %5
         }
         %9: u32 = add %2, %3
         store mixed[%0], %9",
        "
        var carried: u32;
        carried = 0u;
        loop {
            let current = carried;
            let add = (current + 1u);
            let lt = (add < global_id.x);
            carried = add;
            if !(lt) {
                break;
            }
        }
        let last = carried;
        let add_1 = (last + global_id.x);
        mixed[0] = add_1;",
    );
}

#[test]
fn constants_are_folded_and_never_literally_infinite() {
    check(
        "%0: f32 = const 1
         %1: f32 = const 0
         %2: f32 = div %0, %1
         %3: u32 = const 0
         store a[%3], %2",
        "
        var infinity_bits: u32 = 2139095040u;
        let _e9 = infinity_bits;
        let infinity = bitcast<f32>(_e9);
        a[0] = infinity;",
    );
}

#[test]
fn control_flow_may_nest_as_deep_as_promised() {
    for (depth, fits) in [(export::MAX_DEPTH, true), (export::MAX_DEPTH + 1, false)] {
        let mut b = Builder::new("deep", [1, 1, 1]);
        let to = buffer(&mut b, "out", Memory::Storage, Scalar::U32.into(), 0);
        let condition = unknown(&mut b, Scalar::Bool.into());
        let zero = b.u32(0);
        let mut regions = Vec::new();
        for level in 0..depth {
            regions.push(b.open(if level % 2 == 0 {
                &[]
            } else {
                &[Type { scalar: Scalar::U32, lanes: 1 }]
            }));
            b.enter(regions[level]);
        }
        b.store(Op::Store, to, zero, zero);
        for level in (0..depth).rev() {
            if level % 2 == 0 {
                b.end(&[]);
                let otherwise = b.region(&[], |_, _| Vec::new());
                b.branch(condition, regions[level], otherwise);
            } else {
                b.end(&[condition, zero]);
                b.repeat(&[zero], regions[level]);
            }
        }
        let p = b.finish();
        for (target, output) in outputs(&p) {
            match output {
                Ok(_) => assert!(fits, "{target} at {depth}"),
                Err(error) => assert!(!fits && error.code == "E004", "{target} at {depth}: {error}"),
            }
        }
    }
}

#[test]
fn names_become_identifiers() {
    let p = parse(
        "program \"2nd / try\" workgroup(1, 1, 1) {
           buffer \"in--put é\": u32[] storage read_write @group(0) @binding(0)
           buffer \"loop\": u32[] storage read_write @group(0) @binding(1)
           %0: u32 = const 0
           %1: u32 = load \"in--put é\"[%0]
           store \"loop\"[%0], %1
         }",
    );
    let wgsl = export::wgsl(&p, &|_| false).unwrap();
    for part in ["fn n_2nd_try(", "in_put: array<u32>", "loop_: array<u32>"] {
        assert!(wgsl.contains(part), "{part} in:\n{wgsl}");
    }
}

#[test]
fn what_cannot_go_out_is_refused_with_its_place() {
    let refuse = |source: &str, code: &str, part: &str| {
        let p = parse(source);
        let error = export::module(&p, &|_| false).expect_err(part);
        let text = error.to_string();
        assert!(error.code == code && text.contains(part), "{text}");
        assert!(text.starts_with("test:"), "{text}");
    };
    refuse(
        "program p workgroup(1, 1, 1) {
           buffer a: f32[] storage read_write @group(0) @binding(0)
           %0: u32 = const 0
           %1: f32 = load a[%0]
           %2: f32 = sin %1
           store a[%0], %2
         }",
        "E003",
        "`sin`",
    );
    refuse(
        "program p workgroup(1, 1, 1) {
           buffer a: u32[] storage read_write @group(0) @binding(0)
           %0: u32 = const 0
           %1: u64 = const 1
           %2: u64 = atomic_add a[%0], %1
           %3: u32 = load a[%0]
           store a[%0], %3
         }",
        "E002",
        "buffer `a`",
    );
}
