//! Each pass on small programs: what it becomes, and what must stay as it is.

mod common;
use common::program;
use vyre_ir::Op;
use vyre_opt::Target;

/// Expects a pass to turn a program into another; both are bodies in text form.
#[track_caller]
fn check(pass: &str, before: &str, expected: &str) {
    check_on(&Target::SCALAR, pass, before, expected);
}

#[track_caller]
fn check_on(target: &Target, pass: &str, before: &str, expected: &str) {
    common::check(target, pass, &program(before), &program(expected));
}

/// Expects a pass to leave a program alone.
#[track_caller]
fn keeps(pass: &str, body: &str) {
    check(pass, body, body);
}

const I: &str = "%i: u32 = global_id x\n%x: u32 = load w[%i]\n%y: u32 = load w[%i]\nstore w[%x], %y\n";

#[track_caller]
fn with_xy(pass: &str, before: &str, expected: &str) {
    check(pass, &format!("{I}{before}"), &format!("{I}{expected}"));
}

#[test]
fn fold_computes_what_rows_say() {
    let store = |lines: &str| format!("%i: u32 = global_id x\n{lines}\nstore w[%i], %z");
    let same = |lines: &str, expected: &str| check("fold", &store(lines), &store(expected));
    same("%a: u8 = const 200\n%b: u8 = const 100\n%z: u8 = add %a, %b", "%z: u8 = const 44");
    same("%a: i32 = const 7\n%b: i32 = const 0\n%z: i32 = div %a, %b", "%z: i32 = const 7");
    same("%a: f32 = const 1e20\n%z: i32 = convert %a", "%z: i32 = const 2147483647");
    same(
        "%a: f32x2 = const (1.0, 2.0)\n%b: f32x2 = const (0.5, 4.0)\n%z: f32x2 = mul %a, %b",
        "%z: f32x2 = const (0.5, 8.0)",
    );
    same("%a: f32x2 = const (1.0, 2.0)\n%z: f32 = extract %a.y", "%z: f32 = const 2.0");
    same("%a: u32 = const 1\n%b: u32 = const 2\n%z: u32x2 = compose %a, %b", "%z: u32x2 = const (1, 2)");
    same(
        "%p: bool = const false\n%a: u32 = const 1\n%b: u32 = const 2\n%z: u32 = select %p, %a, %b",
        "%z: u32 = const 2",
    );
    // The workgroup is 4 by 1 by 1.
    same("%z: u32 = local_id y", "%z: u32 = const 0");
    same("%z: u32 = local_id x", "%z: u32 = local_id x");
}

#[test]
fn fold_takes_branches() {
    with_xy(
        "fold",
        "%p: bool = const true
         %z: u32 = if %p {
           %s: u32 = add %x, %y
           yield %s
         } else {
           store w[%i], %y
           yield %y
         }
         store w[%i], %z",
        "%s: u32 = add %x, %y
         store w[%i], %s",
    );
    let switch = |n: u32| {
        format!(
            "%k: u32 = const {n}
             %z: u32 = switch %k {{
               case 0, 7 {{
                 yield %x
               }}
               default {{
                 yield %y
               }}
             }}
             store w[%i], %z"
        )
    };
    with_xy("fold", &switch(7), "store w[%i], %x");
    with_xy("fold", &switch(1), "store w[%i], %y");
}

#[test]
fn fold_opens_loops_that_run_once() {
    let counted = |limit: u32| {
        format!(
            "%zero: u32 = const 0
             %a: u32, %b: u32 = loop (%n: u32 = %zero, %v: u32 = %x) {{
               store w[%i], %v
               %one: u32 = const 1
               %next: u32 = add %n, %one
               %limit: u32 = const {limit}
               %again: bool = lt %next, %limit
               yield %again, %next, %y
             }}
             store w[%a], %b"
        )
    };
    with_xy("fold", &counted(1), "store w[%i], %x\n%one: u32 = const 1\nstore w[%one], %y");
    with_xy("fold", &counted(2), &counted(2));
}

#[test]
fn gvn_merges_what_is_visible() {
    with_xy(
        "gvn",
        "%a: u32 = add %x, %y
         %b: u32 = add %y, %x
         %c: u32 = sub %x, %y
         %d: u32 = sub %y, %x
         store w[%a], %b
         store w[%c], %d",
        "%a: u32 = add %x, %y
         %c: u32 = sub %x, %y
         %d: u32 = sub %y, %x
         store w[%a], %a
         store w[%c], %d",
    );
}

#[test]
fn gvn_respects_regions_memory_and_types() {
    let p = "%i: u32 = global_id x\n%x: u32 = load r[%i]\n%p: bool = lt %i, %x\n";
    // What a region computes is not visible after it.
    keeps(
        "gvn",
        &format!(
            "{p}if %p {{
               %a: u32 = add %x, %i
               store w[%i], %a
             }} else {{
               %a2: u32 = add %x, %i
               store w[%a2], %x
             }}
             %b: u32 = add %x, %i
             store w[%i], %b"
        ),
    );
    // Loads of memory that nobody writes are equal, others are not.
    check(
        "gvn",
        "%i: u32 = global_id x\n%a: u32 = load r[%i]\n%b: u32 = load r[%i]\nstore w[%a], %b",
        "%i: u32 = global_id x\n%a: u32 = load r[%i]\nstore w[%a], %a",
    );
    keeps("gvn", "%i: u32 = global_id x\n%a: u32 = load w[%i]\n%b: u32 = load w[%i]\nstore w[%a], %b");
    keeps("gvn", "%i: u32 = global_id x\n%a: u32 = load r[%i]\n%b: i32 = load r[%i]\nstore w[%a], %b");
    keeps(
        "gvn",
        "%i: u32 = global_id x\n%a: u32x2 = load r[%i]\n%b: u32 = extract %a.x\n%c: u32 = extract %a.y\nstore w[%b], %c",
    );
}

#[test]
fn dce_keeps_effects_and_what_they_need() {
    check(
        "dce",
        "%i: u32 = global_id x
         %a: u32 = add %i, %i
         %b: u32 = load w[%i]
         %c: u32 = atomic_add w[%i], %i
         %d: bool = lt %i, %c
         %e: bool = subgroup_any %d
         workgroup_barrier",
        "%i: u32 = global_id x
         %c: u32 = atomic_add w[%i], %i
         workgroup_barrier",
    );
}

#[test]
fn dce_keeps_a_loop_that_waits_for_another_invocation() {
    let waits = |load: &str| {
        format!(
            "%zero: u32 = const 0
             loop () {{
               %flag: u32 = {load} w[%zero]
               %again: bool = eq %flag, %zero
               yield %again
             }}
             store w[%zero], %zero"
        )
    };
    check("dce", &waits("atomic_load"), &waits("atomic_load"));
    check("dce", &waits("load"), "%zero: u32 = const 0\nstore w[%zero], %zero");
}

#[test]
fn dce_trims_branches_and_loops() {
    with_xy(
        "dce",
        "%p: bool = lt %x, %y
         %a: u32, %b: u32 = if %p {
           %s: u32 = add %x, %y
           yield %x, %s
         } else {
           %t: u32 = mul %x, %y
           yield %y, %t
         }
         %c: u32, %d: u32, %e: u32 = loop (%n: u32 = %x, %u: u32 = %y, %v: u32 = %b) {
           %m: u32 = mul %u, %u
           %next: u32 = add %n, %y
           %k: u32 = add %v, %n
           %again: bool = lt %next, %a
           yield %again, %next, %m, %k
         }
         store w[%i], %c",
        "%p: bool = lt %x, %y
         %a: u32 = if %p {
           yield %x
         } else {
           yield %y
         }
         %c: u32 = loop (%n: u32 = %x) {
           %next: u32 = add %n, %y
           %again: bool = lt %next, %a
           yield %again, %next
         }
         store w[%i], %c",
    );
    // Nothing is left of control flow without effects.
    with_xy(
        "dce",
        "%p: bool = lt %x, %y
         if %p {
           %c: u32 = loop (%n: u32 = %x) {
             yield %p, %n
           }
         }
         switch %x {
           case 1 {
             %l: u32 = load w[%i]
           }
           default {
           }
         }
         store w[%x], %y",
        "store w[%x], %y",
    );
}

#[test]
fn joins_finds_results_that_are_no_choice() {
    with_xy(
        "joins",
        "%p: bool = lt %x, %y
         %t: bool = const true
         %f: bool = const false
         %a: u32, %b: bool, %c: bool, %d: u32, %e: u32, %g: u32 = if %p {
           store w[%y], %y
           %k: u32 = const 5
           yield %x, %t, %f, %k, %x, %x
         } else {
           %k2: u32 = const 5
           yield %x, %f, %t, %k2, %y, %y
         }
         %h: u32 = select %b, %a, %d
         %j: u32 = select %c, %e, %g
         store w[%h], %j",
        "%p: bool = lt %x, %y
         %c: bool = not %p
         %d: u32 = const 5
         %e: u32 = if %p {
           store w[%y], %y
           yield %x
         } else {
           yield %y
         }
         %h: u32 = select %p, %x, %d
         %j: u32 = select %c, %e, %e
         store w[%h], %j",
    );
}

#[test]
fn joins_finds_parameters_that_are_no_variables() {
    // %u never changes, %v and %n are equal, %o is set to a value from outside.
    with_xy(
        "joins",
        "%a: u32, %b: u32, %c: u32, %d: u32 = loop (%u: u32 = %y, %n: u32 = %x, %v: u32 = %x, %o: u32 = %x) {
           store w[%u], %v
           store w[%n], %o
           %next: u32 = add %n, %y
           %again: bool = lt %next, %y
           yield %again, %u, %next, %next, %y
         }
         store w[%a], %b
         store w[%c], %d",
        "%b: u32, %d: u32 = loop (%n: u32 = %x, %o: u32 = %x) {
           store w[%y], %n
           store w[%n], %o
           %next: u32 = add %n, %y
           %again: bool = lt %next, %y
           yield %again, %next, %y
         }
         store w[%y], %b
         store w[%b], %y",
    );
    // Exchanged values begin equal here, and stay equal; in the second program they do not.
    let exchange = |first: &str, second: &str| {
        format!(
            "%a: u32, %b: u32 = loop (%u: u32 = {first}, %v: u32 = {second}) {{
               store w[%u], %v
               %again: bool = lt %u, %y
               yield %again, %v, %u
             }}"
        )
    };
    with_xy("joins", &exchange("%x", "%y"), &exchange("%x", "%y"));
    let again = "%a: u32 = loop (%u: u32 = %x) {
           store w[%u], %u
           %again: bool = lt %u, %y
           yield %again, %u
         }";
    // Both are the same, which the next run finds never to change.
    with_xy("joins", &exchange("%x", "%x"), again);
    // A loop that has ended was not told to go on.
    with_xy(
        "joins",
        "%p: bool = lt %x, %y
         %a: bool = loop (%u: bool = %p) {
           %v: u32 = select %u, %x, %y
           store w[%i], %v
           %l: u32 = load w[%x]
           %again: bool = lt %l, %y
           yield %again, %again
         }
         %z: u32 = select %a, %x, %y
         store w[%i], %z",
        "%p: bool = lt %x, %y
         %ended: bool = const false
         %a: bool = loop (%u: bool = %p) {
           %v: u32 = select %u, %x, %y
           store w[%i], %v
           %l: u32 = load w[%x]
           %again: bool = lt %l, %y
           yield %again, %again
         }
         %z: u32 = select %ended, %x, %y
         store w[%i], %z",
    );
}

#[test]
fn licm_moves_what_does_not_change() {
    with_xy(
        "licm",
        "%a: u32 = loop (%n: u32 = %x) {
           %b: u32 = loop (%m: u32 = %n) {
             %one: u32 = const 1
             %c: u32 = div %x, %y
             %d: u32 = div %n, %y
             %e: u32 = load r[%c]
             %f: u32 = load w[%c]
             %g: u32 = add %e, %f
             %next: u32 = add %m, %one
             store w[%g], %d
             %again: bool = lt %next, %g
             yield %again, %next
           }
           %again2: bool = lt %b, %y
           yield %again2, %b
         }
         store w[%i], %a",
        "%one: u32 = const 1
         %c: u32 = div %x, %y
         %e: u32 = load r[%c]
         %a: u32 = loop (%n: u32 = %x) {
           %d: u32 = div %n, %y
           %b: u32 = loop (%m: u32 = %n) {
             %f: u32 = load w[%c]
             %g: u32 = add %e, %f
             %next: u32 = add %m, %one
             store w[%g], %d
             %again: bool = lt %next, %g
             yield %again, %next
           }
           %again2: bool = lt %b, %y
           yield %again2, %b
         }
         store w[%i], %a",
    );
}

#[test]
fn licm_moves_only_cheap_instructions_out_of_branches() {
    with_xy(
        "licm",
        "%a: u32 = loop (%n: u32 = %x) {
           %p: bool = lt %n, %y
           %b: u32 = if %p {
             %c: u32 = add %x, %y
             %d: u32 = div %x, %y
             %e: u32 = load r[%x]
             %f: u32 = fma_of
             yield %f
           } else {
             yield %n
           }
           %q: bool = lt %b, %y
           yield %q, %b
         }
         store w[%i], %a"
            .replace("%f: u32 = fma_of", "%g: u32 = add %d, %e\n%f: u32 = add %g, %c")
            .as_str(),
        "%c: u32 = add %x, %y
         %a: u32 = loop (%n: u32 = %x) {
           %p: bool = lt %n, %y
           %b: u32 = if %p {
             %d: u32 = div %x, %y
             %e: u32 = load r[%x]
             %g: u32 = add %d, %e
             %f: u32 = add %g, %c
             yield %f
           } else {
             yield %n
           }
           %q: bool = lt %b, %y
           yield %q, %b
         }
         store w[%i], %a",
    );
}

#[test]
fn if_to_select_flattens_short_branches() {
    with_xy(
        "if_to_select",
        "%p: bool = lt %x, %y
         %a: u32, %b: u32 = if %p {
           %q: bool = lt %y, %i
           %c: u32 = if %q {
             yield %i
           } else {
             yield %x
           }
           yield %c, %x
         } else {
           %d: u32 = add %x, %y
           yield %d, %y
         }
         store w[%a], %b",
        "%p: bool = lt %x, %y
         %q: bool = lt %y, %i
         %c: u32 = select %q, %i, %x
         %d: u32 = add %x, %y
         %a: u32 = select %p, %c, %d
         %b: u32 = select %p, %x, %y
         store w[%a], %b",
    );
    let costly = |line: &str| {
        format!(
            "%p: bool = lt %x, %y
             %a: u32 = if %p {{
               {line}
               yield %b
             }} else {{
               yield %y
             }}
             store w[%i], %a"
        )
    };
    for line in [
        "%b: u32 = div %x, %y",
        "%b: u32 = load r[%x]",
        "%b: u32 = load w[%x]",
        "%b: u32 = atomic_add w[%x], %y",
    ] {
        with_xy("if_to_select", &costly(line), &costly(line));
    }
}

#[test]
fn if_to_select_counts_both_sides_and_selects() {
    // A side of so many instructions; two selects, and one instruction on the other side.
    let branch = |n: usize| {
        let mut lines =
            String::from("%p: bool = lt %x, %y\n%a: u32, %b: u32 = if %p {\n%s0: u32 = add %x, %i\n");
        (1..n).for_each(|k| lines += &format!("%s{k}: u32 = mul %s{}, %y\n", k - 1));
        lines
            + &format!(
                "yield %s{}, %x\n}} else {{\n%o: u32 = add %x, %y\nyield %o, %y\n}}\nstore w[%a], %b",
                n - 1
            )
    };
    let flattened = |n: usize| {
        let p = program(&format!("{I}{}", branch(n)));
        let q = common::after(&p, &["if_to_select"], &Target::SCALAR);
        q.insts.values().any(|inst| inst.op == Op::Select)
    };
    assert!(flattened(9));
    assert!(!flattened(10));
}

#[test]
fn if_to_select_spreads_the_condition_over_vectors() {
    check(
        "if_to_select",
        "%i: u32 = global_id x
         %v: u32x2 = load w[%i]
         %u: u32x2 = load r[%i]
         %p: bool = lt %i, %i
         %a: u32x2 = if %p {
           yield %u
         } else {
           yield %v
         }
         store w[%i], %a",
        "%i: u32 = global_id x
         %v: u32x2 = load w[%i]
         %u: u32x2 = load r[%i]
         %p: bool = lt %i, %i
         %q: boolx2 = compose %p, %p
         %a: u32x2 = select %q, %u, %v
         store w[%i], %a",
    );
}

#[test]
fn scalarize_splits_all_but_memory() {
    let before = "%i: u32 = global_id x
         %v: f32x2 = load r[%i]
         %two: f32x2 = const (2.0, 3.0)
         %w: f32x2 = loop (%n: f32x2 = %v) {
           %m: f32x2 = mul %n, %two
           %q: boolx2 = lt %m, %v
           %again: bool = extract %q.y
           yield %again, %m
         }
         store w[%i], %w";
    let expected = "%i: u32 = global_id x
         %v: f32x2 = load r[%i]
         %v0: f32 = extract %v.x
         %v1: f32 = extract %v.y
         %w0: f32, %w1: f32 = loop (%n0: f32 = %v0, %n1: f32 = %v1) {
           %two: f32 = const 2.0
           %m0: f32 = mul %n0, %two
           %three: f32 = const 3.0
           %m1: f32 = mul %n1, %three
           %v1b: f32 = extract %v.y
           %again: bool = lt %m1, %v1b
           yield %again, %m0, %m1
         }
         %w: f32x2 = compose %w0, %w1
         store w[%i], %w";
    check_on(&Target::SCALAR, "scalarize", before, expected);
    check_on(&Target::VECTOR, "scalarize", before, before);
}

/// Every row with an expansion, on scalars and vectors, down to what each target has.
#[test]
fn expand_leaves_only_what_the_target_has() {
    let rows = vyre_ir::OPS.iter().filter(|info| info.expand.is_some());
    let some_native = Target { native: |op, _| op == Op::Sin, ..Target::VECTOR };
    for (info, ty) in rows.flat_map(|info| ["f16", "f32", "f32x3"].map(|ty| (info, ty))) {
        let vyre_ir::Rule::Same(_, arity) = info.rule else {
            panic!("`{}` is no function of numbers", info.name)
        };
        let args = ["%x", "%y"][..arity as usize].join(", ");
        let body = format!(
            "%i: u32 = global_id x
             %x: {ty} = load r[%i]
             %y: {ty} = load w[%i]
             %z: {ty} = {} {args}
             store w[%i], %z",
            info.name
        );
        for target in [Target::SCALAR, Target::VECTOR, some_native] {
            let found = common::after(&program(&body), &["expand"], &target);
            let expanded = |op: Op| op.info().expand.is_some() && !(target.native)(op, vyre_ir::Scalar::F32);
            assert!(!found.insts.values().any(|inst| expanded(inst.op)), "`{}` of {ty}\n{found}", info.name);
            assert_eq!(
                found.insts.values().any(|inst| inst.op == Op::Sin),
                (target.native)(info.op, vyre_ir::Scalar::F32)
            );
        }
    }
}

/// A branch on `%r`, which is that of another branch whose sides are given, around a line.
fn decided(sides: [&str; 2], line: &str) -> String {
    let [then, otherwise] = sides;
    format!(
        "%p: bool = lt %x, %y
         %r: bool = if %p {{
           {then}
         }} else {{
           {otherwise}
         }}
         if %r {{
           {line}
         }}"
    )
}

#[test]
fn nest_puts_a_branch_into_the_one_that_decides_it() {
    let then = "%a: u32 = atomic_min w[%x], %y
           %q: bool = lt %y, %a
           yield %q";
    let not = "%no: bool = const false
           yield %no";
    with_xy(
        "nest",
        &decided([then, not], "store w[%y], %x"),
        "%p: bool = lt %x, %y
         if %p {
           %a: u32 = atomic_min w[%x], %y
           %q: bool = lt %y, %a
           if %q {
             store w[%y], %x
           }
         }",
    );
    // True on the other side, used again, and what works together with other invocations.
    let yes = "%yes: bool = const true
           yield %yes";
    let again = format!("{}\n%s: u32 = convert %r\nstore w[%i], %s", decided([then, not], "store w[%y], %x"));
    let together = decided([then, not], "%v: u32 = subgroup_add %x\nstore w[%y], %v");
    for kept in [decided([then, yes], "store w[%y], %x"), again, together] {
        with_xy("nest", &kept, &kept);
    }
}
