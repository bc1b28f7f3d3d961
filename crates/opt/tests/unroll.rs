//! Loops before and after they are unrolled, and loops that must stay.

mod common;
use common::{after, program};
use std::collections::HashMap;
use vyre_ir::Program;
use vyre_opt::{Target, optimize};

const TARGET: Target = Target { unroll: 1_000, ..Target::SCALAR };

/// Expects the pass, and what tidies up after it, to turn a body into another, wherever constants stand.
#[track_caller]
fn check(before: &str, expected: &str) {
    let passes = ["unroll", "fold", "simplify", "gvn", "dce", "compact"];
    let found = with_numbers(&after(&program(before), &passes, &TARGET));
    let expected = with_numbers(&program(expected));
    assert!(found == expected, "--- found\n{found}\n--- expected\n{expected}");
}

/// A program's text with constants where they are used, and the other values numbered in order.
fn with_numbers(p: &Program) -> String {
    let text = p.to_string();
    let (mut names, mut others, mut lines) = (HashMap::new(), 0, Vec::new());
    for line in text.lines() {
        if let Some((name, value)) = line.trim().split_once(" = const ") {
            let (name, _) = name.split_once(':').expect("a type");
            names.insert(name, value.to_string());
            continue;
        }
        let mut new = String::new();
        let mut rest = line;
        while let Some(at) = rest.find('%') {
            let end = rest[at + 1..].find(|c: char| !c.is_ascii_digit()).map_or(rest.len(), |n| at + 1 + n);
            let name = names.entry(&rest[at..end]).or_insert_with(|| {
                others += 1;
                format!("%{others}")
            });
            new += &rest[..at];
            new += name;
            rest = &rest[end..];
        }
        lines.push(new + rest);
    }
    lines.join("\n")
}

#[track_caller]
fn keeps(body: &str) {
    let p = program(body);
    assert_eq!(after(&p, &["unroll"], &TARGET).to_string(), p.to_string());
}

/// A loop from 0 on by 1 while the next number is below `limit`, with these lines in its body.
fn up_to(limit: u32, lines: &str) -> String {
    format!(
        "%zero: u32 = const 0
         %one: u32 = const 1
         %limit: u32 = const {limit}
         %id: u32 = global_id x
         %end: u32 = loop (%i: u32 = %zero) {{
           {lines}
           %next: u32 = add %i, %one
           %again: bool = lt %next, %limit
           yield %again, %next
         }}
         store w[%id], %end"
    )
}

#[test]
fn few_turns_become_straight_code() {
    let straight = |turns: u32| {
        let mut body = String::from("%id: u32 = global_id x\n");
        for turn in 0..turns {
            body += &format!("%c{turn}: u32 = const {turn}\nstore w[%c{turn}], %c{turn}\n");
        }
        body + &format!("%c{turns}: u32 = const {turns}\nstore w[%id], %c{turns}")
    };
    for turns in [1, 2, 3, 5] {
        check(&up_to(turns, "store w[%i], %i"), &straight(turns));
    }
}

#[test]
fn effects_keep_their_order() {
    check(
        &up_to(2, "%a: u32 = load w[%id]\nstore t[%i], %a\n%b: u32 = load t[%id]\nstore w[%i], %b"),
        "%c0: u32 = const 0
         %c1: u32 = const 1
         %id: u32 = global_id x
         %a: u32 = load w[%id]
         store t[%c0], %a
         %b: u32 = load t[%id]
         store w[%c0], %b
         %d: u32 = load w[%id]
         store t[%c1], %d
         %e: u32 = load t[%id]
         store w[%c1], %e
         %c2: u32 = const 2
         store w[%id], %c2",
    );
}

#[test]
fn what_is_exchanged_each_turn() {
    check(
        "%zero: u32 = const 0
         %one: u32 = const 1
         %three: u32 = const 3
         %x: u32 = global_id x
         %y: u32 = local_id x
         %n: u32, %a: u32, %b: u32 = loop (%i: u32 = %zero, %p: u32 = %x, %q: u32 = %y) {
           %next: u32 = add %i, %one
           %again: bool = lt %next, %three
           yield %again, %next, %q, %p
         }
         store w[%a], %b",
        "%x: u32 = global_id x
         %y: u32 = local_id x
         store w[%y], %x",
    );
}

#[test]
fn many_turns_share_a_body() {
    // 40 turns, 4 in each of 10.
    check(
        &up_to(40, "store w[%i], %id"),
        "%zero: u32 = const 0
         %one: u32 = const 1
         %id: u32 = global_id x
         %end: u32 = loop (%i: u32 = %zero) {
           store w[%i], %id
           %a: u32 = add %i, %one
           store w[%a], %id
           %two: u32 = const 2
           %b: u32 = add %i, %two
           store w[%b], %id
           %three: u32 = const 3
           %c: u32 = add %i, %three
           store w[%c], %id
           %four: u32 = const 4
           %next: u32 = add %i, %four
           %limit: u32 = const 40
           %again: bool = lt %next, %limit
           yield %again, %next
         }
         store w[%id], %end",
    );
}

/// As frontends write `for`: the body, and going on, is on one side of a branch.
fn while_below(limit: u32) -> String {
    format!(
        "%zero: u32 = const 0
         %one: u32 = const 1
         %limit: u32 = const {limit}
         %x: u32 = global_id x
         %end: u32 = loop (%i: u32 = %zero) {{
           %go: bool = lt %i, %limit
           %next: u32 = if %go {{
             store w[%i], %x
             %n: u32 = add %i, %one
             yield %n
           }} else {{
             yield %i
           }}
           yield %go, %next
         }}
         store w[%x], %end"
    )
}

#[test]
fn the_last_turn_of_a_loop_with_its_condition_first() {
    check(
        &while_below(2),
        "%zero: u32 = const 0
         %one: u32 = const 1
         %x: u32 = global_id x
         store w[%zero], %x
         store w[%one], %x
         %two: u32 = const 2
         store w[%x], %two",
    );
    check(
        &while_below(20),
        "%zero: u32 = const 0
         %one: u32 = const 1
         %x: u32 = global_id x
         %end: u32 = loop (%i: u32 = %zero) {
           store w[%i], %x
           %a: u32 = add %i, %one
           store w[%a], %x
           %two: u32 = const 2
           %b: u32 = add %i, %two
           store w[%b], %x
           %three: u32 = const 3
           %c: u32 = add %i, %three
           store w[%c], %x
           %four: u32 = const 4
           %next: u32 = add %i, %four
           %limit: u32 = const 20
           %again: bool = lt %next, %limit
           yield %again, %next
         }
         %limit2: u32 = const 20
         store w[%x], %limit2",
    );
    // 19 turns cannot be shared out; the branch goes nevertheless.
    check(
        &while_below(19),
        "%zero: u32 = const 0
         %one: u32 = const 1
         %limit: u32 = const 19
         %x: u32 = global_id x
         %end: u32 = loop (%i: u32 = %zero) {
           store w[%i], %x
           %next: u32 = add %i, %one
           %again: bool = lt %next, %limit
           yield %again, %next
         }
         store w[%x], %limit",
    );
}

#[test]
fn nested_loops() {
    let inner = "%r: u32 = loop (%k: u32 = %zero) {
           %at: u32 = add %i, %k
           store w[%at], %k
           %kn: u32 = add %k, %one
           %kc: bool = lt %kn, %limit
           yield %kc, %kn
         }";
    check(
        &up_to(2, inner),
        "%zero: u32 = const 0
         %one: u32 = const 1
         %id: u32 = global_id x
         store w[%zero], %zero
         store w[%one], %one
         store w[%one], %zero
         %two: u32 = const 2
         store w[%two], %one
         store w[%id], %two",
    );
}

#[test]
fn loops_that_stay() {
    // Turns that nothing divides, barriers, other conditions, no constant.
    keeps(&up_to(37, "store w[%i], %id"));
    keeps(&up_to(2, "workgroup_barrier"));
    keeps(&up_to(2, "%a: u32 = subgroup_add %id\nstore w[%i], %a"));
    keeps(&up_to(0, "store w[%i], %id"));
    let body = |lines: &str| {
        format!(
            "%zero: u32 = const 0
             %one: u32 = const 1
             %two: u32 = const 2
             %minus: i32 = const -1
             %two_i: i32 = const 2
             %zero_i: i32 = const 0
             %x: u32 = global_id x
             {lines}"
        )
    };
    keeps(&body(
        "%end: u32 = loop (%i: u32 = %zero) {
           %v: u32 = load w[%i]
           %next: u32 = add %i, %one
           %less: bool = lt %next, %two
           %found: bool = ne %v, %x
           %again: bool = and %less, %found
           yield %again, %next
         }
         store w[%x], %end",
    ));
    keeps(&body(
        "%end: i32 = loop (%i: i32 = %two_i) {
           store w[%x], %x
           %next: i32 = add %i, %minus
           %again: bool = lt %zero_i, %next
           yield %again, %next
         }",
    ));
    keeps(&body(
        "%end: u32 = loop (%i: u32 = %zero) {
           store w[%i], %x
           %next: u32 = add %i, %one
           %again: bool = lt %next, %x
           yield %again, %next
         }",
    ));
}

#[test]
fn what_was_unrolled_stays() {
    // The second has 4 turns left, few enough for straight code were they the program's own.
    for turns in [64, 16] {
        let once = after(&program(&up_to(turns, "store w[%i], %id")), &["unroll"], &TARGET);
        let twice = after(&once, &["dce", "unroll"], &TARGET);
        assert_eq!(twice.to_string(), after(&once, &["dce"], &TARGET).to_string());
    }
}

#[test]
fn only_where_the_target_asks_and_there_is_room() {
    let p = program(&up_to(3, "store w[%i], %id"));
    let on = |unroll: u32| {
        after(&p, &["unroll"], &Target { unroll, ..Target::SCALAR }).to_string() != p.to_string()
    };
    assert!(!on(0));
    assert!(!on(p.size() as u32));
    assert!(on(100));
}

#[test]
fn copies_keep_their_places() {
    let p = program(&up_to(2, "store w[%i], %id"));
    let q = optimize(&p, &TARGET);
    let source = q.source.as_ref().expect("text has a source");
    let stores = q.insts.values().filter(|inst| inst.op == vyre_ir::Op::Store);
    let texts: Vec<_> = stores
        .filter(|inst| inst.loc.pass.is_none())
        .map(|inst| &source.text[inst.loc.start as usize..inst.loc.end as usize])
        .collect();
    assert_eq!(texts, ["store w[%i], %id", "store w[%i], %id", "store w[%id], %end"]);
}
