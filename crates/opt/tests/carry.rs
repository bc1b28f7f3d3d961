//! What loops carry, before and after it is made what going on implies.

mod common;
use common::{after, check, program};
use vyre_ir::{Op, Program};
use vyre_opt::Target;
use vyre_opt::analysis::counted::counted;
use vyre_opt::analysis::{Gang, Shape, shapes};

const START: &str = "%zero: u32 = const 0
    %one: u32 = const 1
    %ten: u32 = const 10
    %t: bool = const true
    %f: bool = const false
    %i: u32 = global_id x
    %x: u32 = load r[%i]
    ";

#[track_caller]
fn becomes(before: &str, expected: &str) {
    let [before, expected] = [before, expected].map(|body| program(&format!("{START}{body}")));
    let expected = after(&expected, &["dce"], &Target::SCALAR);
    check(&Target::SCALAR, "carry", &before, &expected);
}

#[track_caller]
fn keeps(body: &str) {
    let p = program(&format!("{START}{body}"));
    assert_eq!(after(&p, &["carry"], &Target::SCALAR).to_string(), p.to_string());
}

/// A search whose counter stays where something is found; `next` is the counter's next value.
fn search(next: &str, store: &str) -> String {
    format!(
        "%n: u32 = loop (%k: u32 = %zero) {{
           %l: u32 = load r[%k]
           %found: bool = eq %l, %x
           %k1: u32 = add %k, %one
           %kn: u32 = select %found, %k, %k1
           %less: bool = lt %k1, %ten
           %more: bool = not %found
           %go: bool = and %less, %more
           store w[%k], %x
           yield %go, {next}
         }}
         {store}"
    )
}

#[test]
fn a_next_value_is_that_of_going_on() {
    becomes(&search("%kn", ""), &search("%k1", ""));
}

#[test]
fn a_result_that_is_needed_gets_its_own_place() {
    let expected = "%n: u32, %r: u32 = loop (%k: u32 = %zero, %q: u32 = %zero) {
           %l: u32 = load r[%k]
           %found: bool = eq %l, %x
           %k1: u32 = add %k, %one
           %kn: u32 = select %found, %k, %k1
           %less: bool = lt %k1, %ten
           %more: bool = not %found
           %go: bool = and %less, %more
           store w[%k], %x
           yield %go, %k1, %kn
         }
         store w[%i], %r";
    becomes(&search("%kn", "store w[%i], %n"), expected);
    // And that is the end of it.
    keeps(expected);
}

fn only_loop(p: &Program) -> vyre_ir::Inst {
    let mut loops = Vec::new();
    p.walk(p.body, &mut |inst| loops.extend((p.insts[inst].op == Op::Loop).then_some(inst)));
    loops[0]
}

#[test]
fn the_counter_is_uniform_then() {
    let p = program(&format!("{START}{}", search("%kn", "store w[%i], %n")));
    let gang = Gang { width: 4, axes: [0, 1, 2], subgroup: 4 };
    let counter = |p: &Program| {
        let data = &p.insts[only_loop(p)];
        let counted = counted(p, data).expect("it counts");
        assert_eq!((counted.largest, counted.turns), (9, 10));
        shapes(p, gang)[counted.counter]
    };
    assert_eq!(counter(&p), Shape::Varying);
    assert_eq!(counter(&after(&p, &["carry", "dce"], &Target::SCALAR)), Shape::Uniform);
}

#[test]
fn through_chains_and_branches() {
    let body = |next: &str, v: &str| {
        format!(
            "%n: u32, %m: u32 = loop (%k: u32 = %zero, %v: u32 = %x) {{
               %l: u32 = load r[%k]
               %a: bool = eq %l, %x
               %b: bool = lt %l, %v
               %k1: u32 = add %k, %l
               %s: u32 = select %a, %k, %k1
               %u: u32 = select %b, %v, %s
               %no: bool = or %a, %b
               %go: bool, %w: u32 = if %no {{
                 yield %f, %v
               }} else {{
                 %in: u32 = mul %k1, %l
                 store w[%i], %in
                 %less: bool = lt %k1, %ten
                 yield %less, %l
               }}
               %z: u32 = if %go {{
                 %deep: u32 = mul %l, %v
                 yield %deep
               }} else {{
                 yield %w
               }}
               store w[%k], %z
               store w[%v], %k
               yield %go, {next}, {v}
             }}"
        )
    };
    becomes(&body("%u", "%w"), &body("%k1", "%l"));
    // What is computed in a branch is not at hand at the end.
    becomes(&body("%u", "%z"), &body("%k1", "%z"));
}

#[test]
fn flags_that_end_loops() {
    let flag = |next: &str| {
        format!(
            "%n: u32, %r: bool = loop (%k: u32 = %zero, %found: bool = %f) {{
               %l: u32 = load r[%k]
               %eq: bool = eq %l, %x
               %k1: u32 = add %k, %one
               %more: bool = not %eq
               %at: u32 = select %found, %k, %i
               store w[%at], %x
               {next}
             }}"
        )
    };
    becomes(&flag("yield %more, %k1, %eq"), &flag("%no: bool = const false\nyield %more, %k1, %no"));
    // Its result needs a place; the parameter is what it began with.
    let result = "%out: u32 = select %r, %n, %ten\nstore w[%i], %out";
    becomes(
        &format!("{}\n{result}", flag("yield %more, %k1, %eq\n")),
        &format!("{}\n{result}", flag("%no: bool = const false\nyield %more, %k1, %no, %eq\n"))
            .replace("%r: bool = loop", "%r0: bool, %r: bool = loop")
            .replace("%found: bool = %f)", "%found: bool = %f, %q: bool = %f)"),
    );
}

#[test]
fn what_stays() {
    let body = |lines: &str, yields: &str, store: &str| {
        format!(
            "%n: u32, %m: u32 = loop (%k: u32 = %zero, %v: u32 = %x) {{
               %l: u32 = load r[%k]
               %c: bool = lt %l, %v
               %k1: u32 = add %k, %one
               {lines}
               store w[%k], %v
               yield {yields}
             }}
             {store}"
        )
    };
    // The condition may be either way when the loop goes on.
    keeps(&body("%s: u32 = select %c, %k, %k1\n%go: bool = lt %k1, %ten", "%go, %s, %l", ""));
    keeps(&body(
        "%s: u32 = select %c, %k, %k1\n%d: bool = lt %k1, %ten\n%go: bool = or %c, %d",
        "%go, %s, %l",
        "",
    ));
    // A result that is needed, for which nothing would become simpler.
    keeps(&body("%p: u32 = mul %v, %l\n%s: u32 = select %c, %p, %v", "%c, %k1, %s", "store w[%n], %m"));
}

#[test]
fn dce_drops_places_that_nobody_needs_and_keeps_results() {
    let before = program(&format!(
        "{START}
         %a: u32, %b: u32, %c: u32 = loop (%k: u32 = %zero, %p: u32 = %one, %q: u32 = %x) {{
           %k1: u32 = add %k, %one
           %s: u32 = mul %k, %x
           %u: u32 = mul %p, %x
           %go: bool = lt %k1, %ten
           yield %go, %k1, %u, %s
         }}
         store w[%i], %c"
    ));
    let expected = program(
        "%zero: u32 = const 0
         %one: u32 = const 1
         %ten: u32 = const 10
         %i: u32 = global_id x
         %x: u32 = load r[%i]
         %a: u32, %c: u32 = loop (%k: u32 = %zero, %q: u32 = %x) {
           %k1: u32 = add %k, %one
           %s: u32 = mul %k, %x
           %go: bool = lt %k1, %ten
           yield %go, %k1, %s
         }
         store w[%i], %c",
    );
    check(&Target::SCALAR, "dce", &before, &expected);
}
