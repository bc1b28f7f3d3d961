//! Shapes of values, rule by rule on small programs.

use vyre_ir::Op;
use vyre_ir::text::parse;
use vyre_ir::verify::verify;
use vyre_opt::analysis::Shape::{self, Affine, Uniform, Varying};
use vyre_opt::analysis::{Gang, shapes};

const GANG: Gang = Gang { width: 8, axes: [0, 1, 2], subgroup: 8 };
const BACK: u32 = u32::MAX;

/// The shape of the first result of the last line that gives one, in a workgroup of that size.
#[track_caller]
fn check_in(size: [u32; 3], gang: Gang, lines: &str, expected: Shape) {
    let text = format!(
        "program test workgroup({}, {}, {}) {{
           buffer r: u32[] storage read @group(0) @binding(0)
           buffer w: u32[] storage read_write @group(0) @binding(1)
           buffer t: u32[64] workgroup read_write
           buffer q: u32[64] private read_write
           %x: u32 = local_id x
           %y: u32 = local_id y
           %g: u32 = global_id x
           %i: u32 = local_index
           %u: u32 = workgroup_id x
           %v: u32 = load q[%u]
           %xi: i32 = convert %x
           %one: u32 = const 1
           %two: u32 = const 2
           %eight: u32 = const 8
           %even: bool = lt %u, %eight
           %odd: bool = lt %v, %eight
           {}
         }}",
        size[0],
        size[1],
        size[2],
        lines.replace("; ", "\n")
    );
    let p = parse("test", &text).unwrap_or_else(|errors| panic!("{}\n{text}", errors[0]));
    verify(&p).unwrap_or_else(|errors| panic!("{}\n{p}", errors[0]));
    let body = &p.regions[p.body].insts;
    let last = body.iter().rev().find_map(|&inst| p.insts[inst].results.first());
    let found = shapes(&p, gang)[*last.expect("something is computed")];
    assert_eq!(found, expected, "{size:?} {gang:?} {lines}");
}

#[track_caller]
fn check(lines: &str, expected: Shape) {
    check_in([16, 4, 1], GANG, lines, expected);
}

#[test]
fn sums_and_multiples() {
    for (lines, expected) in [
        ("%z: u32 = add %x, %u", Affine(1)),
        ("%z: u32 = add %u, %x", Affine(1)),
        ("%z: u32 = add %x, %g", Affine(2)),
        ("%z: u32 = add %x, %v", Varying),
        ("%z: u32 = sub %x, %u", Affine(1)),
        ("%z: u32 = sub %u, %x", Affine(BACK)),
        ("%z: u32 = sub %g, %x", Uniform),
        ("%z: i32 = neg %xi", Affine(BACK)),
        ("%z: u32 = not %x", Affine(BACK)),
        ("%k: u32 = const 12; %z: u32 = mul %x, %k", Affine(12)),
        ("%k: u32 = const 12; %z: u32 = mul %k, %x", Affine(12)),
        ("%k: u32 = const 0; %z: u32 = mul %k, %x", Uniform),
        ("%z: u32 = mul %u, %x", Varying),
        ("%z: u32 = mul %u, %u", Uniform),
        ("%z: u32 = shl %x, %two", Affine(4)),
        ("%k: u32 = const 34; %z: u32 = shl %x, %k", Affine(4)),
        ("%k: u32 = const 31; %a: u32 = shl %x, %k; %z: u32 = shl %a, %one", Uniform),
        ("%z: u32 = shl %one, %x", Varying),
        ("%z: u32 = shl %x, %u", Varying),
        ("%z: u32 = convert %xi", Affine(1)),
        ("%z: i32 = bitcast %x", Affine(1)),
        ("%z: f32 = convert %x", Varying),
        ("%z: u64 = convert %x", Varying),
        ("%z: u32x2 = compose %x, %x", Varying),
        ("%z: u32x2 = compose %u, %u", Uniform),
        ("%z: u32 = min %x, %g", Varying),
        ("%z: bool = eq %x, %g", Uniform),
        ("%z: bool = ne %x, %u", Varying),
        ("%z: bool = lt %x, %g", Varying),
    ] {
        check(lines, expected);
    }
}

#[test]
fn parts_of_indices() {
    for (lines, expected) in [
        ("%z: u32 = div %i, %eight", Uniform),
        ("%k: u32 = const 12; %z: u32 = div %i, %k", Varying),
        ("%k: u32 = const 4; %z: u32 = div %i, %k", Varying),
        ("%k: u32 = const 4; %z: u32 = shr %g, %k", Uniform),
        ("%z: u32 = shr %g, %two", Varying),
        ("%z: u32 = rem %i, %eight", Affine(1)),
        ("%k: u32 = const 12; %z: u32 = rem %i, %k", Varying),
        ("%k: u32 = const 31; %z: u32 = and %i, %k", Affine(1)),
        ("%k: u32 = const 3; %z: u32 = and %i, %k", Varying),
        ("%k: u32 = const 24; %z: u32 = and %i, %k", Uniform),
        ("%k: u32 = const 16; %z: u32 = xor %i, %k", Affine(1)),
        ("%z: u32 = xor %i, %two", Varying),
        // Not where a gang begins anywhere.
        ("%a: u32 = add %i, %u; %z: u32 = div %a, %eight", Varying),
        ("%z: u32 = div %v, %eight", Varying),
    ] {
        check(lines, expected);
    }
    check_in([20, 1, 1], GANG, "%z: u32 = div %g, %eight", Varying);
    check_in([20, 1, 1], GANG, "%z: u32 = div %i, %eight", Uniform);
}

#[test]
fn positions() {
    let along = |axes| Gang { axes, ..GANG };
    let wide = Gang { width: 16, ..GANG };
    for (size, gang, lines, expected) in [
        ([16, 4, 1], GANG, "%z: u32 = local_id x", Affine(1)),
        ([16, 4, 1], GANG, "%z: u32 = local_id y", Uniform),
        ([16, 4, 1], GANG, "%z: u32 = local_id z", Uniform),
        ([16, 4, 1], GANG, "%z: u32 = global_id x", Affine(1)),
        ([16, 4, 1], GANG, "%z: u32 = num_workgroups x", Uniform),
        ([12, 4, 1], GANG, "%z: u32 = local_id x", Varying),
        ([12, 4, 1], GANG, "%z: u32 = local_id y", Varying),
        ([13, 1, 1], GANG, "%z: u32 = local_id x", Affine(1)),
        ([4, 4, 1], GANG, "%z: u32 = local_index", Affine(1)),
        ([16, 4, 1], along([1, 0, 2]), "%z: u32 = local_id y", Varying),
        ([16, 8, 1], along([1, 0, 2]), "%z: u32 = local_id y", Affine(1)),
        ([16, 8, 1], along([1, 0, 2]), "%z: u32 = local_id x", Uniform),
        ([16, 8, 1], along([1, 0, 2]), "%z: u32 = local_index", Varying),
        ([1, 8, 1], along([1, 0, 2]), "%z: u32 = local_index", Affine(1)),
        ([16, 8, 1], along([1, 0, 2]), "%z: u32 = subgroup_lane", Varying),
        ([16, 4, 1], GANG, "%z: u32 = subgroup_lane", Affine(1)),
        ([16, 4, 1], GANG, "%z: u32 = subgroup_id", Uniform),
        ([16, 4, 1], wide, "%z: u32 = subgroup_lane", Varying),
        ([16, 4, 1], wide, "%z: u32 = subgroup_id", Varying),
        ([8, 1, 1], wide, "%z: u32 = subgroup_id", Uniform),
        ([16, 4, 1], GANG, "%z: u32 = subgroup_size", Uniform),
        ([1, 1, 1], GANG, "%z: u32 = load q[%x]", Varying),
        ([16, 4, 1], Gang { width: 1, ..GANG }, "%z: u32 = load q[%x]", Uniform),
    ] {
        check_in(size, gang, lines, expected);
    }
}

#[test]
fn memory_and_subgroups() {
    for (lines, expected) in [
        ("%z: u32 = load r[%u]", Uniform),
        ("%z: u32 = load w[%u]", Uniform),
        ("%z: u32 = atomic_load w[%u]", Uniform),
        ("%z: u32 = load w[%x]", Varying),
        ("%z: u32 = load q[%u]", Varying),
        ("%z: u32 = uniform_load t[%u]", Uniform),
        ("%z: u32 = length w", Uniform),
        ("%z: u32 = atomic_add w[%u], %u", Varying),
        ("%z: u32 = subgroup_add %x", Uniform),
        ("%z: u32x4 = subgroup_ballot %odd", Uniform),
        ("%z: u32 = subgroup_broadcast_first %v", Uniform),
        ("%z: u32 = subgroup_inclusive_add %u", Varying),
        ("%z: u32 = subgroup_shuffle %x, %u", Uniform),
        ("%z: u32 = subgroup_shuffle %u, %x", Varying),
        ("%z: u32 = subgroup_shuffle_xor %u, %u", Varying),
    ] {
        check(lines, expected);
    }
    let size = [16, 4, 1];
    check_in(size, Gang { width: 16, ..GANG }, "%z: u32 = subgroup_add %u", Varying);
    check_in(size, Gang { width: 4, ..GANG }, "%z: u32 = subgroup_add %x", Uniform);
}

#[test]
fn choices() {
    for (lines, expected) in [
        ("%a: u32 = add %x, %u; %z: u32 = select %even, %x, %a", Affine(1)),
        ("%z: u32 = select %even, %x, %u", Varying),
        ("%z: u32 = select %odd, %u, %one", Varying),
        ("%z: u32 = select %odd, %x, %g", Varying),
        ("%z: u32 = if %even {; yield %x; } else {; yield %g; }", Affine(1)),
        ("%z: u32 = if %even {; yield %x; } else {; yield %u; }", Varying),
        ("%z: u32 = if %odd {; yield %u; } else {; yield %one; }", Varying),
        (
            "%z: u32 = switch %u {; case 0 {; yield %x; }; case 3 {; yield %g; }; default {; yield %x; }; }",
            Affine(1),
        ),
        ("%z: u32 = switch %v {; case 0 {; yield %u; }; default {; yield %u; }; }", Varying),
    ] {
        check(lines, expected);
    }
}

#[test]
fn loops() {
    let counting = |step: &str, limit: &str| {
        format!(
            "%z: u32, %c: u32 = loop (%p: u32 = %x, %n: u32 = %one) {{
               %next: u32 = add %p, {step}
               %count: u32 = add %n, %one
               %go: bool = lt %count, {limit}
               yield %go, %next, %count
             }}"
        )
    };
    check(&counting("%eight", "%u"), Affine(1));
    check(&counting("%x", "%u"), Varying);
    check(&counting("%eight", "%v"), Varying);
    // Inside a loop that invocations leave in different turns, what those that are there have is a sequence still.
    let inside = |param: &str| {
        format!(
            "loop (%p: u32 = {param}) {{
               %next: u32 = add %p, %one
               %go: bool = lt %next, %v
               %d: u32 = sub %p, %x
               store w[%p], %d
               yield %go, %next
             }}"
        )
    };
    for (param, expected) in [("%x", (Affine(1), Uniform)), ("%u", (Uniform, Affine(BACK)))] {
        let text = format!(
            "program test workgroup(16, 1, 1) {{
               buffer w: u32[] storage read_write @group(0) @binding(1)
               buffer q: u32[64] private read_write
               %x: u32 = local_id x
               %u: u32 = workgroup_id x
               %one: u32 = const 1
               %v: u32 = load q[%u]
               %r: u32 = {}
             }}",
            inside(param)
        );
        let p = parse("test", &text).unwrap_or_else(|errors| panic!("{}\n{text}", errors[0]));
        let table = shapes(&p, GANG);
        p.walk(p.body, &mut |inst| {
            let data = &p.insts[inst];
            if data.op == Op::Store {
                assert_eq!((table[data.args[0]], table[data.args[1]]), expected, "{param}");
            }
        });
    }
    // What is lowered late lowers what was found before: the second parameter takes the first one's value a turn later.
    check(
        "%a: u32, %z: u32 = loop (%p: u32 = %one, %s: u32 = %one) {; %go: bool = lt %p, %u; yield %go, %v, %p; }",
        Varying,
    );
    check(
        "%z: u32, %a: u32 = loop (%s: u32 = %one, %p: u32 = %one) {
           %inner: u32 = loop (%t: u32 = %s) {; %more: bool = lt %t, %u; yield %more, %t; }
           %go: bool = lt %inner, %u
           yield %go, %inner, %v
         }",
        Uniform,
    );
}
