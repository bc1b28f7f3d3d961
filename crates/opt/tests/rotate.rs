//! Loops before and after their conditions are moved to the end, and loops that must stay.

mod common;
use common::program;
use vyre_ir::{Op, Program};
use vyre_opt::analysis::counted::counted;
use vyre_opt::analysis::{Gang, Shape, shapes};
use vyre_opt::{Target, optimize};

const START: &str = "%zero: u32 = const 0
    %one: u32 = const 1
    %t: bool = const true
    %f: bool = const false
    %i: u32 = global_id x
    %x: u32 = load w[%i]
    %y: u32 = load w[%i]
    store w[%x], %y
    ";

/// Expects the pass, and what tidies up after it, to turn a body into another; `with` makes both canonical.
#[track_caller]
fn becomes(before: &str, expected: &str) {
    let tidy = ["fold", "gvn", "joins", "dce", "compact"];
    let [before, expected] = [before, expected].map(|body| program(&format!("{START}{body}")));
    let rotated = common::after(&before, &["rotate"], &Target::SCALAR);
    let [found, expected] =
        [rotated, expected].map(|p| common::after(&p, &tidy, &Target::SCALAR).to_string());
    assert!(found == expected, "--- before\n{before}\n--- found\n{found}\n--- expected\n{expected}");
}

#[track_caller]
fn keeps(body: &str) {
    let p = program(&format!("{START}{body}"));
    assert_eq!(common::after(&p, &["rotate"], &Target::SCALAR).to_string(), p.to_string());
}

#[test]
fn the_condition_is_asked_before_and_at_the_end() {
    let expected = "%c0: bool = lt %zero, %y
         %n: u32, %s: u32 = if %c0 {
           %n1: u32, %s1: u32 = loop (%k: u32 = %zero, %v: u32 = %x) {
             store w[%k], %v
             %next: u32 = add %k, %one
             %c: bool = lt %next, %y
             yield %c, %next, %k
           }
           yield %n1, %s1
         } else {
           yield %zero, %x
         }
         store w[%n], %s";
    becomes(
        "%n: u32, %s: u32 = loop (%k: u32 = %zero, %v: u32 = %x) {
           %c: bool = lt %k, %y
           %a: u32, %b: u32 = if %c {
             store w[%k], %v
             %next: u32 = add %k, %one
             yield %next, %k
           } else {
             yield %k, %v
           }
           yield %c, %a, %b
         }
         store w[%n], %s",
        expected,
    );
    // Whether to go on as a result of the branch.
    becomes(
        "%n: u32, %s: u32 = loop (%k: u32 = %zero, %v: u32 = %x) {
           %c: bool = lt %k, %y
           %go: bool, %a: u32, %b: u32 = if %c {
             store w[%k], %v
             %next: u32 = add %k, %one
             yield %t, %next, %k
           } else {
             yield %f, %k, %v
           }
           yield %go, %a, %b
         }
         store w[%n], %s",
        expected,
    );
}

#[test]
fn conditions_that_end_the_loop() {
    becomes(
        "%n: u32 = loop (%k: u32 = %zero) {
           %c: bool = eq %k, %y
           %a: u32 = if %c {
             yield %k
           } else {
             store w[%k], %x
             %next: u32 = add %k, %one
             yield %next
           }
           %go: bool = not %c
           yield %go, %a
         }
         store w[%n], %x",
        "%c0: bool = eq %zero, %y
         %n: u32 = if %c0 {
           yield %zero
         } else {
           %n1: u32 = loop (%k: u32 = %zero) {
             store w[%k], %x
             %next: u32 = add %k, %one
             %c: bool = eq %next, %y
             %go: bool = not %c
             yield %go, %next
           }
           yield %n1
         }
         store w[%n], %x",
    );
}

#[test]
fn conditions_from_outside() {
    becomes(
        "%c: bool = lt %x, %y
         %n: u32 = loop (%k: u32 = %zero) {
           %go: bool, %a: u32 = if %c {
             %l: u32 = load w[%k]
             %d: bool = ne %l, %x
             yield %d, %l
           } else {
             yield %f, %k
           }
           yield %go, %a
         }
         %z: u32 = select %c, %n, %i
         store w[%z], %x",
        "%c: bool = lt %x, %y
         %n: u32 = if %c {
           %n1: u32 = loop (%k: u32 = %zero) {
             %l: u32 = load w[%k]
             %d: bool = ne %l, %x
             %go: bool = and %d, %t
             yield %go, %l
           }
           yield %n1
         } else {
           yield %zero
         }
         %z: u32 = select %c, %n, %i
         store w[%z], %x",
    );
}

#[test]
fn the_body_may_end_the_loop_too() {
    becomes(
        "%n: u32 = loop (%k: u32 = %zero) {
           %c: bool = lt %k, %y
           %go: bool, %a: u32 = if %c {
             %l: u32 = load w[%k]
             %d: bool = ne %l, %x
             %next: u32 = add %k, %one
             yield %d, %next
           } else {
             yield %f, %k
           }
           yield %go, %a
         }
         store w[%n], %x",
        "%c0: bool = lt %zero, %y
         %n: u32 = if %c0 {
           %n1: u32 = loop (%k: u32 = %zero) {
             %l: u32 = load w[%k]
             %d: bool = ne %l, %x
             %next: u32 = add %k, %one
             %c: bool = lt %next, %y
             %go: bool = and %d, %c
             yield %go, %next
           }
           yield %n1
         } else {
           yield %zero
         }
         store w[%n], %x",
    );
}

#[test]
fn what_condition_and_body_use_is_carried() {
    // The load is of memory that nobody writes; what only the body uses is computed there.
    becomes(
        "%n: u32 = loop (%k: u32 = %zero) {
           %l: u32 = load r[%k]
           %m: u32 = mul %k, %k
           %c: bool = ne %l, %y
           %a: u32 = if %c {
             store w[%m], %l
             %next: u32 = add %k, %l
             yield %next
           } else {
             yield %k
           }
           yield %c, %a
         }
         store w[%n], %x",
        "%l0: u32 = load r[%zero]
         %c0: bool = ne %l0, %y
         %n: u32 = if %c0 {
           %n1: u32, %l1: u32 = loop (%k: u32 = %zero, %l: u32 = %l0) {
             %m: u32 = mul %k, %k
             store w[%m], %l
             %next: u32 = add %k, %l
             %ln: u32 = load r[%next]
             %c: bool = ne %ln, %y
             yield %c, %next, %ln
           }
           yield %n1
         } else {
           yield %zero
         }
         store w[%n], %x",
    );
}

#[test]
fn a_break_at_the_start_of_the_body_goes_too() {
    becomes(
        "%n: u32, %v: u32 = loop (%k: u32 = %zero, %p: u32 = %x) {
           %c: bool = lt %k, %y
           %go: bool, %a: u32, %b: u32 = if %c {
             %q: u32 = mul %p, %p
             %d: bool = lt %i, %q
             %e: bool = not %d
             %a2: u32, %b2: u32 = if %d {
               yield %k, %p
             } else {
               %next: u32 = add %k, %one
               %pn: u32 = add %q, %x
               yield %next, %pn
             }
             yield %e, %a2, %b2
           } else {
             yield %f, %k, %p
           }
           yield %go, %a, %b
         }
         store w[%n], %v",
        "%c0: bool = lt %zero, %y
         %n: u32, %v: u32 = if %c0 {
           %q0: u32 = mul %x, %x
           %d0: bool = lt %i, %q0
           %n2: u32, %v2: u32 = if %d0 {
             yield %zero, %x
           } else {
             %n1: u32, %v1: u32, %q1: u32 = loop (%k: u32 = %zero, %p: u32 = %x, %q: u32 = %q0) {
               %next: u32 = add %k, %one
               %pn: u32 = add %q, %x
               %c: bool = lt %next, %y
               %e: bool = not %f
               %and: bool = and %e, %c
               %qn: u32 = mul %pn, %pn
               %d: bool = lt %i, %qn
               %nd: bool = not %d
               %go: bool = and %and, %nd
               yield %go, %next, %pn, %qn
             }
             yield %n1, %v1
           }
           yield %n2, %v2
         } else {
           yield %zero, %x
         }
         store w[%n], %v",
    );
}

#[test]
fn results_that_the_condition_chooses() {
    let with = |exit: &str, n: &str, init: &str| {
        let before = format!(
            "%n: u32, %s: u32 = loop (%k: u32 = %zero, %v: u32 = %x) {{
               %c: bool = lt %k, %y
               %a: u32, %b: u32 = if %c {{
                 store w[%k], %v
                 %next: u32 = add %k, %one
                 yield %next, %i
               }} else {{
                 yield {exit}, %v
               }}
               yield %c, %a, %b
             }}
             store w[%n], %s"
        );
        let expected = format!(
            "%c0: bool = lt %zero, %y
             %n: u32, %s: u32 = if %c0 {{
               %n1: u32, %s1: u32 = loop (%k: u32 = %zero, %v: u32 = %x) {{
                 store w[%k], %v
                 %next: u32 = add %k, %one
                 %c: bool = lt %next, %y
                 yield %c, %next, %i
               }}
               yield {n}, %s1
             }} else {{
               yield {init}, %x
             }}
             store w[%n], %s"
        );
        becomes(&before, &expected);
    };
    with("%v", "%s1", "%x");
    with("%y", "%y", "%y");
    with("%one", "%one", "%one");
}

#[test]
fn a_constant_that_going_on_leaves_too() {
    let body = |found: &str| {
        format!(
            "%n: u32, %found: u32 = loop (%k: u32 = %zero, %p: u32 = %zero) {{
               %c: bool = lt %k, %y
               %go: bool, %a: u32, %b: u32 = if %c {{
                 %l: u32 = load w[%k]
                 %d: bool = ne %l, %x
                 %next: u32 = add %k, %one
                 %fo: u32 = select %d, {found}, %l
                 yield %d, %next, %fo
               }} else {{
                 yield %f, %k, %zero
               }}
               yield %go, %a, %b
             }}
             store w[%n], %found"
        )
    };
    becomes(
        &body("%zero"),
        "%c0: bool = lt %zero, %y
         %n: u32, %found: u32 = if %c0 {
           %n1: u32, %f1: u32 = loop (%k: u32 = %zero, %p: u32 = %zero) {
             %l: u32 = load w[%k]
             %d: bool = ne %l, %x
             %next: u32 = add %k, %one
             %fo: u32 = select %d, %zero, %l
             %c: bool = lt %next, %y
             %go: bool = and %d, %c
             yield %go, %next, %fo
           }
           yield %n1, %f1
         } else {
           yield %zero, %zero
         }
         store w[%n], %found",
    );
    // If going on left something else, the loop would give that.
    keeps(&body("%one"));
}

#[test]
fn barriers_stay_in_uniform_control_flow() {
    becomes(
        "%n: u32 = loop (%k: u32 = %one) {
           %c: bool = lt %zero, %k
           %a: u32 = if %c {
             store t[%i], %k
             workgroup_barrier
             %next: u32 = sub %k, %one
             yield %next
           } else {
             yield %k
           }
           yield %c, %a
         }
         store w[%i], %n",
        "%n: u32 = loop (%k: u32 = %one) {
           store t[%i], %k
           workgroup_barrier
           %next: u32 = sub %k, %one
           %c: bool = lt %zero, %next
           yield %c, %next
         }
         store w[%i], %n",
    );
}

/// The loop of this condition, with this before it, on its other side, and after the branch.
fn around(before: &str, exit: &str, after: &str) -> String {
    format!(
        "%n: u32, %s: u32 = loop (%k: u32 = %zero, %v: u32 = %x) {{
           {before}
           %a: u32, %b: u32 = if %c {{
             store w[%k], %v
             %next: u32 = add %k, %one
             yield %next, %i
           }} else {{
             {exit}
           }}
           {after}
         }}
         store w[%n], %s"
    )
}

#[test]
fn loops_that_stay() {
    let [less, params, go] = ["%c: bool = lt %k, %y", "yield %k, %v", "yield %c, %a, %b"];
    // Memory that is written, and effects before, on the other side and after.
    keeps(&around("%l: u32 = load w[%k]\n%c: bool = lt %k, %l", params, go));
    keeps(&around("store w[%i], %k\n%c: bool = lt %k, %y", params, go));
    keeps(&around(less, "store w[%i], %k\nyield %k, %v", go));
    keeps(&around(less, params, "store w[%i], %a\nyield %c, %a, %b"));
    keeps(&around("%l: u32 = atomic_load w[%k]\n%c: bool = lt %k, %l", params, go));
    // Going on does not follow from the condition.
    keeps(&around(less, params, "%d: bool = lt %a, %x\nyield %d, %a, %b"));
    keeps(&around(less, params, "%d: bool = or %c, %t\nyield %d, %a, %b"));
    // Something else is computed for the result.
    keeps(&around(less, "%o: u32 = add %k, %one\nyield %k, %o", go));
    keeps(&around(less, params, "%o: u32 = add %a, %one\nyield %c, %o, %b"));
    // Another way out, and a result that is not what the body left.
    let both = "%d: bool = lt %a, %x\n%e: bool = and %c, %d\nyield %e, %a, %b";
    keeps(&around(less, "yield %v, %v", both));
    // A load that would be made at the end, with another way out.
    keeps(&around("%l: u32 = load r[%k]\n%c: bool = lt %k, %l", params, both));
}

fn all_loops(p: &Program) -> Vec<vyre_ir::Inst> {
    let mut loops = Vec::new();
    p.walk(p.body, &mut |inst| loops.extend((p.insts[inst].op == Op::Loop).then_some(inst)));
    loops
}

#[test]
fn turns_are_counted_as_before() {
    let turns = |limit: u32, step: u32, go: &str| {
        let p = program(&format!(
            "%zero: u32 = const 0
             %t: bool = const true
             %f: bool = const false
             %limit: u32 = const {limit}
             %step: u32 = const {step}
             %i: u32 = global_id x
             %n: u32 = loop (%k: u32 = %zero) {{
               %c: bool = lt %k, %limit
               %again: bool, %a: u32 = if %c {{
                 %l: u32 = load w[%k]
                 %d: bool = ne %l, %i
                 store w[%k], %i
                 %next: u32 = add %k, %step
                 yield {go}, %next
               }} else {{
                 yield %f, %k
               }}
               yield %again, %a
             }}
             store w[%i], %n"
        ));
        let before = counted(&p, &p.insts[all_loops(&p)[0]]).expect("it counts");
        let q = common::after(&p, &["rotate"], &Target::SCALAR);
        let after = counted(&q, &q.insts[all_loops(&q)[0]]).expect("it counts");
        assert_eq!(before.exact, after.exact);
        assert_eq!(before.turns, after.turns + 1);
        (after.turns, after.largest, after.exact)
    };
    assert_eq!(turns(10, 1, "%t"), (10, 9, true));
    assert_eq!(turns(10, 3, "%t"), (4, 9, true));
    assert_eq!(turns(10, 1, "%d"), (10, 9, false));
}

#[test]
fn the_counter_of_a_loop_with_a_break_is_uniform() {
    // Steps of z = z * z + c within a circle, as a frontend writes them.
    let p = program(
        "%zero: u32 = const 0
         %one: u32 = const 1
         %limit: u32 = const 256
         %f0: f32 = const 0.0
         %two: f32 = const 2.0
         %four: f32 = const 4.0
         %t: bool = const true
         %f: bool = const false
         %i: u32 = global_id x
         %cx: f32 = load r[%i]
         %cy: f32 = load w[%i]
         %n: u32, %x: f32, %y: f32 = loop (%k: u32 = %zero, %px: f32 = %f0, %py: f32 = %f0) {
           %less: bool = lt %k, %limit
           %go: bool, %n1: u32, %x1: f32, %y1: f32 = if %less {
             %xx: f32 = mul %px, %px
             %yy: f32 = mul %py, %py
             %sum: f32 = add %xx, %yy
             %far: bool = lt %four, %sum
             %go2: bool, %n2: u32, %x2: f32, %y2: f32 = if %far {
               yield %f, %k, %px, %py
             } else {
               %double: f32 = mul %two, %px
               %xy: f32 = mul %double, %py
               %ny: f32 = add %xy, %cy
               %d: f32 = sub %xx, %yy
               %nx: f32 = add %d, %cx
               %nn: u32 = add %k, %one
               yield %t, %nn, %nx, %ny
             }
             yield %go2, %n2, %x2, %y2
           } else {
             yield %f, %k, %px, %py
           }
           yield %go, %n1, %x1, %y1
         }
         store w[%i], %n",
    );
    let q = optimize(&p, &Target::SCALAR);
    let [repeat] = all_loops(&q)[..] else { panic!("one loop\n{q}") };
    let body = q.insts[repeat].regions[0];
    let straight = q.regions[body].insts.iter().all(|&i| q.insts[i].regions.is_empty());
    let selects = q.insts.values().filter(|inst| inst.op == Op::Select).count();
    assert!(straight && selects == 0, "{q}");
    let gang = Gang { width: 4, axes: [0, 1, 2], subgroup: 4 };
    let counter = counted(&q, &q.insts[repeat]).expect("it counts").counter;
    assert_eq!(shapes(&q, gang)[counter], Shape::Uniform);
}
