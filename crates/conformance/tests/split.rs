//! Programs that wait for their grid, as stages on the oracle, and what they must give.

use vyre_conformance::staged::run_stages;
use vyre_ir::text::parse;
use vyre_ir::verify::verify;
use vyre_ir::{Entity, Memory, Program};
use vyre_opt::split::split;
use vyre_opt::stages::{Staged, Turn};
use vyre_opt::{Target, optimize};
use vyre_reference::{Bytes, Options};

/// Workgroups of 4 invocations, and the buffers `r` (read), `w` and `v` (read and write), `t` (workgroup) and `q`
/// (private).
fn program(body: &str) -> Program {
    let text = format!(
        "program test workgroup(4, 1, 1) {{
           buffer r: u32[] storage read @group(0) @binding(0)
           buffer w: u32[] storage read_write @group(0) @binding(1)
           buffer v: u32[] storage read_write @group(2) @binding(7)
           buffer t: u32[8] workgroup read_write
           buffer q: u32[3] private read_write
           %zero: u32 = const 0
           %one: u32 = const 1
           %two: u32 = const 2
           %three: u32 = const 3
           %ten: u32 = const 10
           %local: u32 = local_id x
           %group: u32 = workgroup_id x
           %id: u32 = global_id x
           %groups: u32 = num_workgroups x
           %four: u32 = const 4
           %all: u32 = mul %groups, %four
           %last: u32 = sub %all, %one
           %mirror: u32 = sub %last, %id
           {body}
         }}"
    );
    let p = parse("test", &text).unwrap_or_else(|errors| panic!("{}\n{text}", errors[0]));
    verify(&p).unwrap_or_else(|errors| panic!("{}\n{p}", errors[0]));
    p
}

/// The stages of a program, all of which verify and print as text that parses again.
#[track_caller]
fn stages(p: &Program) -> Staged {
    let staged = split(p).unwrap_or_else(|error| panic!("{error}\n{p}"));
    let control = staged.control.as_ref().map(|control| &control.program);
    for part in staged.stages.iter().chain(control) {
        verify(part).unwrap_or_else(|errors| panic!("{}\n{part}", errors[0]));
        let text = part.to_string();
        let again = parse("part", &text).unwrap_or_else(|errors| panic!("{}\n{text}", errors[0]));
        assert_eq!(again.to_string(), text);
        let bound = |p: &Program| p.buffers.values().filter(|decl| decl.memory.is_bound()).count();
        assert_eq!(bound(part), bound(p) + staged.scratch.len());
    }
    staged
}

/// `w` and `v` after a run over `groups` workgroups; `r` is 100, 101, 102 and so on.
fn run(p: &Program, staged: &Staged, groups: u32) -> [Vec<u32>; 2] {
    let n = 4 * groups;
    let bytes = |words: Vec<u32>| words.into_iter().flat_map(u32::to_le_bytes).collect::<Vec<u8>>();
    let words = |bytes: &[u8]| bytes.chunks(4).map(|w| u32::from_le_bytes(w.try_into().unwrap())).collect();
    let mut memory: Vec<Vec<u8>> = (p.buffers.values())
        .map(|decl| match (decl.memory, &decl.name[..]) {
            (Memory::Storage, "r") => bytes((100..100 + n).collect()),
            (Memory::Storage, _) => bytes(vec![0; n as usize]),
            _ => Vec::new(),
        })
        .collect();
    run_stages(p, staged, [groups, 1, 1], &mut memory, &Options::default()).unwrap();
    [words(&memory[1]), words(&memory[2])]
}

/// Expects `w` to be what `expected` says for each invocation of grids of several sizes, whether or not program and
/// stages are optimized. Gives the stages of the program as it is.
#[track_caller]
fn check(body: &str, expected: impl Fn(u32, u32) -> u32) -> Staged {
    let p = program(body);
    let optimized = optimize(&p, &Target::SCALAR);
    for p in [&p, &optimized] {
        let plain = stages(p);
        let mut better = plain.clone();
        for stage in &mut better.stages {
            *stage = optimize(stage, &Target::SCALAR);
        }
        if let Some(control) = &mut better.control {
            control.program = optimize(&control.program, &Target::SCALAR);
        }
        for staged in [&plain, &better] {
            for groups in [1, 2, 5] {
                let n = 4 * groups;
                let expected: Vec<u32> = (0..n).map(|i| expected(i, n)).collect();
                let found = run(p, staged, groups)[0].clone();
                assert!(found == expected, "{found:?}, not {expected:?}, for {groups} workgroups\n{p}");
            }
        }
    }
    stages(&p)
}

#[test]
fn neighbors_read_what_was_written() {
    let staged = check(
        "store v[%id], %id
         grid_sync
         %x: u32 = load v[%mirror]
         store w[%id], %x",
        |i, n| n - 1 - i,
    );
    assert_eq!(staged.stages.len(), 2);
    assert!(staged.control.is_none());
    assert!(staged.scratch.is_empty(), "what lives across is computed again");
    let names: Vec<&str> = staged.stages.iter().map(|stage| &stage.name[..]).collect();
    assert_eq!(names, ["test_stage0", "test_stage1"]);
}

#[test]
fn a_loaded_value_is_kept() {
    let staged = check(
        "store v[%id], %id
         %before: u32 = load v[%id]
         store v[%id], %ten
         grid_sync
         store v[%mirror], %one
         grid_sync
         %now: u32 = load v[%id]
         %hundred: u32 = const 100
         %many: u32 = mul %before, %hundred
         %sum: u32 = add %many, %now
         store w[%id], %sum",
        |i, _| 100 * i + 1,
    );
    assert_eq!(staged.stages.len(), 3);
    assert_eq!(staged.costs.saved_bytes, 4);
}

#[test]
fn an_atomic_on_each_side_happens_once() {
    check(
        "%mine: u32 = atomic_add v[%zero], %one
         grid_sync
         %seen: u32 = atomic_add v[%one], %two
         grid_sync
         %a: u32 = atomic_load v[%zero]
         %b: u32 = atomic_load v[%one]
         %some: bool = lt %mine, %a
         %c: u32 = select %some, %a, %zero
         %d: u32 = mul %b, %ten
         %e: u32 = add %c, %d
         store w[%id], %e",
        |_, n| n + 20 * n,
    );
}

#[test]
fn syncs_at_the_ends_and_next_to_each_other_make_no_stages() {
    let staged = check(
        "grid_sync
         store v[%id], %id
         grid_sync
         grid_sync
         %x: u32 = load v[%mirror]
         store w[%id], %x
         grid_sync",
        |i, n| n - 1 - i,
    );
    assert_eq!(staged.stages.len(), 2);
    let nothing = stages(&program("grid_sync"));
    assert_eq!((nothing.stages.len(), nothing.control.is_some()), (1, false));
}

#[test]
fn all_get_what_the_first_invocation_has() {
    let staged = check(
        "%far: u32 = add %id, %ten
         store v[%id], %far
         %x: u32 = load v[%id]
         %true: bool = const true
         %same: u32 = grid_uniform %x, %true
         store v[%id], %zero
         grid_sync
         %sum: u32 = add %same, %id
         store w[%id], %sum",
        |i, _| 10 + i,
    );
    assert!(staged.control.is_none());
    assert_eq!((staged.costs.saved_bytes, staged.costs.uniform_values), (0, 1));
}

#[test]
fn what_all_have_anyway_is_not_handed_over() {
    let staged = check(
        "%true: bool = const true
         store v[%id], %id
         %same: u32 = grid_uniform %all, %true
         %x: u32 = load v[%mirror]
         %sum: u32 = add %same, %x
         store w[%id], %sum",
        |i, n| 2 * n - 1 - i,
    );
    assert!(staged.scratch.is_empty());
}

#[test]
fn values_of_all_types() {
    check(
        "%x: u32 = load r[%id]
         store v[%id], %x
         %a: u32 = load v[%id]
         %f: f32 = convert %a
         %h: f16 = convert %a
         %b: bf16 = convert %id
         %d: f64 = convert %a
         %i8: i8 = convert %a
         %l: u64 = convert %a
         %large: u64 = const 8589934593
         %m: u64 = mul %l, %large
         %odd: u32 = and %a, %one
         %is: bool = eq %odd, %one
         %four_of: u32x4 = compose %a, %id, %one, %a
         %not: bool = not %is
         %truth: boolx3 = compose %is, %not, %is
         %halves: f16x3 = compose %h, %h, %h
         %bytes: i8x3 = compose %i8, %i8, %i8
         grid_sync
         store v[%id], %zero
         grid_sync
         %p1: u32 = convert %f
         %p2: u32 = convert %h
         %p3: u32 = convert %b
         %p4: u32 = convert %d
         %p5: u32 = convert %i8
         %p6: u64 = rem %m, %l
         %n64: u64 = const 32
         %n32: u32 = const 32
         %p7: u64 = shr %m, %n32
         %p8: u32 = convert %p7
         %p9: u32 = extract %four_of.w
         %p10: bool = extract %truth.y
         %p11: u32 = convert %p10
         %p12: bool = extract %truth.z
         %p13: u32 = convert %p12
         %p14: f16 = extract %halves.z
         %p15: u32 = convert %p14
         %p16: i8 = extract %bytes.z
         %p17: u32 = convert %p16
         %s1: u32 = add %p1, %p2
         %s2: u32 = add %s1, %p3
         %s3: u32 = add %s2, %p4
         %s4: u32 = add %s3, %p5
         %s5: u32 = add %s4, %p8
         %s6: u32 = add %s5, %p9
         %s7: u32 = add %s6, %p11
         %s8: u32 = add %s7, %p13
         %s9: u32 = add %s8, %p15
         %s10: u32 = add %s9, %p17
         %p18: u32 = convert %p6
         %s11: u32 = add %s10, %p18
         store w[%id], %s11",
        |i, _| {
            let a = 100 + i;
            let (m, l) = (a as u64 * 8589934593, a as u64);
            // f, h, d, i8, the vector's lane, h's and i8's lanes; one of the two bools is set.
            6 * a + i + a + (m >> 32) as u32 + (m % l) as u32 + 1
        },
    );
}

#[test]
fn slots_are_shared() {
    let staged = check(
        "%r0: u32 = load v[%id]
         %a: u32 = add %r0, %id
         grid_sync
         store v[%id], %a
         grid_sync
         %r1: u32 = load v[%mirror]
         grid_sync
         store v[%id], %r1
         grid_sync
         %r2: u32 = load v[%mirror]
         grid_sync
         store w[%id], %r2",
        |i, _| i,
    );
    assert_eq!(staged.costs.saved_bytes, 4);
}

#[test]
fn workgroup_memory_outlasts_a_sync() {
    let staged = check(
        "store t[%local], %id
         workgroup_barrier
         grid_sync
         %other: u32 = sub %three, %local
         %x: u32 = load t[%other]
         %fifth: u32 = add %local, %four
         %nothing: u32 = load t[%fifth]
         %sum: u32 = add %x, %nothing
         store w[%id], %sum",
        |i, _| i / 4 * 4 + 3 - i % 4,
    );
    assert_eq!(staged.costs.workgroup_bytes, 32);
}

#[test]
fn private_memory_outlasts_a_sync() {
    let staged = check(
        "store q[%one], %id
         grid_sync
         store q[%two], %local
         grid_sync
         %a: u32 = load q[%zero]
         %b: u32 = load q[%one]
         %c: u32 = load q[%two]
         %d: u32 = mul %b, %ten
         %e: u32 = add %a, %d
         %f: u32 = add %e, %c
         store w[%id], %f",
        |i, _| 10 * i + i % 4,
    );
    assert_eq!(staged.costs.saved_bytes, 12);
}

/// A loop of `turns` turns around lines; `%turn` is the turn.
fn turns(turns: u32, lines: &str) -> String {
    format!(
        "%turns: u32 = const {turns}
         %end: u32 = loop (%turn: u32 = %zero) {{
           {lines}
           %next: u32 = add %turn, %one
           %again: bool = lt %next, %turns
           yield %again, %next
         }}"
    )
}

#[test]
fn a_loop_around_a_sync() {
    let body = turns(
        5,
        "%x: u32 = load w[%mirror]
         grid_sync
         %y: u32 = add %x, %turn
         store w[%id], %y
         grid_sync",
    );
    let staged = check(&body, |_, _| 10);
    let control = staged.control.as_ref().unwrap();
    assert_eq!((control.blocks.len(), &control.blocks[0]), (1, &(0..2)));
    assert_eq!(control.turns, [Turn::Loop(vec![Turn::Block(0)])]);
    let blocks = stages(&program(&format!(
        "store w[%id], %zero
         grid_sync
         {body}
         %z: u32 = add %end, %id
         store v[%id], %z"
    )));
    let control = blocks.control.as_ref().unwrap();
    assert_eq!(control.blocks, [0..1, 1..3, 3..4]);
    let expected = [Turn::Block(0), Turn::Loop(vec![Turn::Block(1)]), Turn::Block(2)];
    assert_eq!(control.turns, expected);
}

#[test]
fn values_carried_around_a_loop_change_places() {
    // a, b, c and, for each invocation, d, e change places in each turn.
    check(
        "%d0: u32 = load v[%id]
         %e0: u32 = add %d0, %id
         %d1: u32 = add %e0, %ten
         %seven: u32 = const 7
         %n: u32, %a: u32, %b: u32, %d: u32, %e: u32 = loop (%i: u32 = %zero, %p: u32 = %all, %q: u32 = %seven, %s: u32 = %d1, %t: u32 = %e0) {
           store v[%id], %s
           grid_sync
           %j: u32 = add %i, %one
           %go: bool = lt %j, %three
           yield %go, %j, %q, %p, %t, %s
         }
         %a1: u32 = mul %a, %ten
         %a2: u32 = add %a1, %b
         %d2: u32 = mul %d, %ten
         %d3: u32 = add %d2, %e
         %sum: u32 = add %a2, %d3
         store w[%id], %sum",
        |i, n| 70 + n + 10 * i + (i + 10),
    );
}

#[test]
fn branches_and_switches() {
    check(
        "%small: bool = lt %all, %ten
         %r: u32, %s: u32 = if %small {
           store v[%id], %id
           grid_sync
           %x: u32 = load v[%mirror]
           yield %x, %one
         } else {
           grid_sync
           yield %id, %two
         }
         %x3: u32, %x4: u32 = switch %s {
           case 1 {
             grid_sync
             store v[%id], %r
             grid_sync
             %m: u32 = load v[%mirror]
             yield %m, %ten
           }
           default {
             grid_sync
             yield %r, %one
           }
         }
         %sum: u32 = add %x3, %x4
         store w[%id], %sum",
        |i, n| if n < 10 { i + 10 } else { i + 1 },
    );
}

#[test]
fn barriers_may_depend_on_what_is_saved() {
    // What the grid agreed on, what a workgroup has loaded together, and private memory that is the same for it.
    check(
        "%x: u32 = load v[%id]
         %true: bool = const true
         %same: u32 = grid_uniform %x, %true
         store t[%local], %group
         workgroup_barrier
         %group_of: u32 = uniform_load t[%three]
         store q[%two], %group_of
         grid_sync
         %is: bool = eq %same, %zero
         %mine: bool = eq %group_of, %group
         %both: bool = and %is, %mine
         %held: u32 = load q[%two]
         %less: bool = lt %held, %ten
         if %both {
           if %less {
             store t[%local], %id
             workgroup_barrier
             %other: u32 = sub %three, %local
             %y: u32 = load t[%other]
             store w[%id], %y
           }
         }",
        |i, _| i / 4 * 4 + 3 - i % 4,
    );
}

#[test]
fn memory_is_zero_at_first_only() {
    // The first stage of the loop is the first of the program, and finds later what it left.
    let body = turns(
        3,
        "%a: u32 = load q[%one]
         %b: u32 = add %a, %id
         store q[%one], %b
         %c: u32 = load t[%local]
         %d: u32 = add %c, %one
         store t[%local], %d
         grid_sync",
    );
    check(
        &format!(
            "{body}
             %p: u32 = load q[%one]
             %t: u32 = load t[%local]
             %hundred: u32 = const 100
             %many: u32 = mul %p, %hundred
             %sum: u32 = add %many, %t
             store w[%id], %sum"
        ),
        |i, _| 300 * i + 3,
    );
}

#[test]
fn invocations_that_returned_still_arrive() {
    // The odd ones return before the sync, of the others those of the second half after it.
    check(
        "%odd: u32 = and %id, %one
         %stays: bool = eq %odd, %zero
         if %stays {
           store v[%id], %id
         }
         %x: u32 = load v[%id]
         %same: u32 = grid_uniform %x, %stays
         %half: u32 = shr %all, %one
         %first: bool = lt %id, %half
         %both: bool = and %stays, %first
         if %both {
           store w[%id], %ten
         }
         grid_sync
         %back: bool = not %both
         %left: bool = and %stays, %back
         if %left {
           %y: u32 = load w[%mirror]
           %z: u32 = add %y, %same
           store w[%id], %z
         }",
        |i, n| match (i % 2 == 0, i < n / 2) {
            (true, true) => 10,
            // What is opposite is odd and has returned.
            _ => 0,
        },
    );
}

#[test]
fn stages_are_the_same_every_time() {
    let p = program(&turns(3, "%a: u32 = load v[%id]\ngrid_sync\nstore v[%mirror], %a\ngrid_sync"));
    let print = |staged: &Staged| {
        let control = staged.control.as_ref().map(|control| &control.program);
        staged.stages.iter().chain(control).map(|part| part.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(print(&stages(&p)), print(&stages(&p)));
}

#[test]
fn after_another_block_the_control_program_does_nothing() {
    let p = program(&turns(3, "%a: u32 = load v[%id]\ngrid_sync\nstore v[%mirror], %a\ngrid_sync"));
    let staged = stages(&p);
    let control = staged.control.as_ref().unwrap();
    let mut state = control.start([2, 1, 1]);
    let blocks = control.blocks.len() as u32;
    for (only, acts) in [(0, false), (blocks, true), (blocks, false), (0, true)] {
        let before = state.clone();
        let decls = || control.program.buffers.iter();
        let mut memory: Vec<Vec<u8>> = decls()
            .map(|(buffer, _)| if buffer == control.state { state.clone() } else { vec![0; 64] })
            .collect();
        let mut buffers: Vec<Bytes<'_>> = decls()
            .zip(&mut memory)
            .map(|((_, decl), bytes)| match (decl.memory.is_bound(), decl.access.writes()) {
                (false, _) => Bytes::Unbound,
                (_, true) => Bytes::Write(bytes),
                (_, false) => Bytes::Read(bytes),
            })
            .collect();
        let options = Options { workgroups: Some(&[only as u64]), ..Options::default() };
        vyre_reference::run(&control.program, [blocks + 1, 1, 1], &mut buffers, &options).unwrap();
        drop(buffers);
        state = memory.swap_remove(control.state.index());
        assert_eq!(state != before, acts, "after block {only}");
    }
}
