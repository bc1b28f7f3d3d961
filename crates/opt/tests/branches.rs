//! Loops split where their accesses stop being in bounds, and turns put after one another that can end a loop early.

mod common;
use common::program;
use vyre_ir::{Attr, Op, Program};
use vyre_opt::Target;
use vyre_opt::analysis::ranges;

const TARGET: Target = Target { branches: true, ..Target::SCALAR };

const START: &str = "%zero: u32 = const 0
    %one: u32 = const 1
    %t: bool = const true
    %f: bool = const false
    %i: u32 = global_id x
    %x: u32 = load w[%i]
    %y: u32 = load w[%i]
    store w[%x], %y
    ";

fn with(body: &str) -> Program {
    program(&format!("{START}{body}"))
}

/// Expects a pass to turn a body into another; what tidies up makes both canonical.
#[track_caller]
fn becomes(pass: &str, before: &str, expected: &str) {
    let changed = common::after(&with(before), &[pass], &TARGET);
    let tidy = |p: &Program| common::after(p, &["dce", "compact"], &TARGET).to_string();
    let (found, expected) = (tidy(&changed), tidy(&with(expected)));
    assert!(found == expected, "--- before\n{before}\n--- found\n{found}\n--- expected\n{expected}");
}

#[track_caller]
fn keeps(pass: &str, body: &str) {
    let p = with(body);
    for target in [TARGET, Target::SCALAR] {
        assert_eq!(common::after(&p, &[pass], &target).to_string(), p.to_string());
    }
}

/// Loads at a counter that goes up to what was loaded, with these lines in between.
fn counting(lines: &str, condition: &str) -> String {
    format!(
        "%n: u32, %s: u32 = loop (%k: u32 = %x, %v: u32 = %zero) {{
           %a: u32 = load w[%k]
           {lines}
           %b: u32 = add %v, %a
           %next: u32 = add %k, %one
           %c: bool = {condition}
           yield %c, %next, %b
         }}
         store w[%i], %s"
    )
}

#[test]
fn turns_in_bounds_are_a_loop_of_their_own() {
    let split = "%len: u32 = length w
         %m: u32 = min %y, %len
         %c0: bool = lt %x, %m
         %n0: u32, %s0: u32, %r: bool = if %c0 {
           %n1: u32, %s1: u32 = loop (%k: u32 = %x, %v: u32 = %zero) {
             %a: u32 = load w[%k]
             %b: u32 = add %v, %a
             %next: u32 = add %k, %one
             %c: bool = lt %next, %m
             yield %c, %next, %b
           }
           %r1: bool = lt %n1, %y
           yield %n1, %s1, %r1
         } else {
           %t1: bool = const true
           yield %x, %zero, %t1
         }
         %n: u32, %s: u32 = if %r {
           %n2: u32, %s2: u32 = loop (%k2: u32 = %n0, %v2: u32 = %s0) {
             %a2: u32 = load w[%k2]
             %b2: u32 = add %v2, %a2
             %next2: u32 = add %k2, %one
             %c2: bool = lt %next2, %y
             yield %c2, %next2, %b2
           }
           yield %n2, %s2
         } else {
           yield %n0, %s0
         }
         store w[%i], %s";
    becomes("limit", &counting("", "lt %next, %y"), split);
    // All accesses of the first loop are then known to be in bounds, and none of the second.
    let p = common::after(&with(&counting("", "lt %next, %y")), &["limit"], &TARGET);
    let (ranges, mut inside) = (ranges(&p), Vec::new());
    p.walk(p.body, &mut |inst| {
        let data = &p.insts[inst];
        if data.op == Op::Loop {
            p.walk(data.regions[0], &mut |inst| {
                let loads = p.insts[inst].op == Op::Load && matches!(p.insts[inst].attr, Attr::Buffer(_));
                inside.extend(loads.then(|| ranges.in_bounds(inst)));
            });
        }
    });
    assert_eq!(inside, [true, false]);
}

#[test]
fn loops_that_are_not_split() {
    // The end changes, the counter is compared otherwise, and with something else.
    keeps("limit", &counting("", "lt %next, %a"));
    keeps("limit", &counting("", "le %next, %y"));
    keeps("limit", &counting("", "lt %b, %y"));
    // Who leaves first would no longer meet the others.
    keeps("limit", &counting("%w0: u32 = subgroup_add %k", "lt %next, %y"));
    // It is asked twice.
    keeps(
        "limit",
        &counting("store w[%zero], %k", "lt %next, %y\n%d: u32 = select %c, %k, %a\nstore w[%d], %a"),
    );
    // Not at the counter, and always in bounds.
    keeps(
        "limit",
        &counting("", "lt %next, %y")
            .replace("w[%k]", "w[%b0]")
            .replace("%a: u32", "%b0: u32 = add %k, %v\n%a: u32"),
    );
    keeps("limit", &counting("", "lt %next, %y").replace("w[%k]", "w[%zero]"));
}

/// Counts up to a number, unless something else ends the loop.
fn ending(first: u32, limit: u32, body: &str) -> String {
    format!(
        "%first: u32 = const {first}
         %limit: u32 = const {limit}
         %n: u32, %s: u32 = loop (%k: u32 = %first, %v: u32 = %x) {{
           {body}
         }}
         store w[%n], %s"
    )
}

const BODY: &str = "%a: u32 = mul %v, %v
           store w[%zero], %a
           %more: bool = ne %a, %y
           %next: u32 = add %k, %one
           %c: bool = lt %next, %limit
           %go: bool = and %c, %more
           yield %go, %next, %a";

#[test]
fn turns_that_can_end_are_chained() {
    // 6 turns at most: 3 at a time.
    let chained = "%a: u32 = mul %v, %v
           store w[%zero], %a
           %more: bool = ne %a, %y
           %go1: bool, %n1: u32, %s1: u32 = if %more {
             %a2: u32 = mul %a, %a
             store w[%zero], %a2
             %more2: bool = ne %a2, %y
             %go2: bool, %n2: u32, %s2: u32 = if %more2 {
               %a3: u32 = mul %a2, %a2
               store w[%zero], %a3
               %more3: bool = ne %a3, %y
               %three: u32 = const 3
               %next: u32 = add %k, %three
               %c: bool = lt %next, %limit
               %go3: bool = and %c, %more3
               yield %go3, %next, %a3
             } else {
               %two: u32 = const 2
               %next2: u32 = add %k, %two
               %f2: bool = const false
               yield %f2, %next2, %a2
             }
             yield %go2, %n2, %s2
           } else {
             %o: u32 = const 1
             %next1: u32 = add %k, %o
             %f1: bool = const false
             yield %f1, %next1, %a
           }
           yield %go1, %n1, %s1";
    becomes("chain", &ending(4, 10, BODY), &ending(4, 10, chained));
}

#[test]
fn turns_that_are_not_chained() {
    // 7 turns, so many as are always, and no number of them.
    keeps("chain", &ending(3, 10, BODY));
    keeps("chain", &ending(4, 10, &BODY.replace("and %c, %more", "and %c, %c")));
    keeps("chain", &ending(4, 10, &BODY.replace("%limit", "%y")));
    keeps("chain", &ending(4, 10, &BODY.replace("store w[%zero], %a", "%w0: u32 = subgroup_add %a")));
}
