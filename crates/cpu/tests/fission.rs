//! Barriers, subgroup operations and the values that live across them.

mod common;

use common::{run_u32, try_run};
use vyre_ir::text::parse;
use vyre_ir::verify::verify;
use vyre_ir::{OPS, Program};

fn read(text: &str) -> Program {
    let p = parse("test.vyre", text).unwrap_or_else(|errors| panic!("{}", errors[0]));
    verify(&p).unwrap_or_else(|errors| panic!("{}", errors[0]));
    p
}

const OUT: &str = "buffer out: u32[] storage read_write @group(0) @binding(0)\n";

/// Runs a program whose only bound buffer is `out`, on workgroups along x, and compares `out` with `expect(i)`.
fn check(size: [u32; 3], groups: u32, body: &str, expect: impl Fn(u32) -> u32) {
    let [x, y, z] = size;
    let text = format!("program p workgroup({x}, {y}, {z}) {{\n{OUT}{body}\n}}");
    let n = x * y * z * groups;
    let out = run_u32(&read(&text), [groups, 1, 1], &[vec![0xdead; n as usize]]);
    let expected: Vec<u32> = (0..n).map(expect).collect();
    assert_eq!(out[0], expected, "size {size:?}, {text}");
}

const SIZES: [[u32; 3]; 8] =
    [[1, 1, 1], [3, 1, 1], [7, 1, 1], [33, 1, 1], [1, 5, 13], [4, 1, 3], [16, 16, 1], [1024, 1, 1]];

/// The index of the invocation in `out`, for workgroups along x.
const AT: &str = "%l: u32 = local_index
    %w: u32 = workgroup_id x
    %n: u32 = const N
    %base: u32 = mul %w, %n
    %at: u32 = add %base, %l";

fn at(size: [u32; 3]) -> String {
    AT.replace('N', &size.iter().product::<u32>().to_string())
}

/// Every invocation reads what its neighbor wrote before the barrier.
#[test]
fn neighbors() {
    for size in SIZES {
        let n: u32 = size.iter().product();
        let body = format!(
            "buffer tile: u32[{n}] workgroup read_write
            {}
            store tile[%l], %at
            workgroup_barrier
            %one: u32 = const 1
            %next: u32 = add %l, %one
            %wrapped: u32 = rem %next, %n
            %x: u32 = load tile[%wrapped]
            store out[%at], %x",
            at(size)
        );
        check(size, 3, &body, |i| i / n * n + (i % n + 1) % n);
    }
}

/// A value that is loaded (so cannot be computed again) lives across barriers, in a loop and after it.
#[test]
fn values_across_barriers_in_loops() {
    for size in SIZES {
        let n: u32 = size.iter().product();
        let body = format!(
            "buffer tile: u32[{n}] workgroup read_write
            buffer turns: u32[1] workgroup read_write
            {}
            store out[%at], %at
            %kept: u32 = load out[%at]
            %zero: u32 = const 0
            %one: u32 = const 1
            %three: u32 = const 3
            %sum: u32, %turn: u32, %swap: u32, %other: u32 = loop (%s: u32 = %l, %t: u32 = %zero, %a: u32 = %at, %b: u32 = %kept) {{
              store tile[%l], %s
              workgroup_barrier
              %next: u32 = add %l, %one
              %wrapped: u32 = rem %next, %n
              %x: u32 = load tile[%wrapped]
              %more: u32 = add %t, %one
              %again: bool = lt %more, %three
              %bb: u32 = add %b, %one
              workgroup_barrier
              %y: u32 = add %x, %kept
              yield %again, %y, %more, %bb, %a
            }}
            workgroup_barrier
            %i: u32 = sub %sum, %kept
            %j: u32 = mul %swap, %turn
            %k: u32 = add %i, %j
            %m: u32 = sub %k, %other
            store out[%at], %m",
            at(size)
        );
        check(size, 2, &body, |i| {
            let (base, n) = (i / n * n, n);
            let mut sums: Vec<u32> = (0..n).collect();
            for _ in 0..3 {
                sums = (0..n).map(|l| sums[((l + 1) % n) as usize].wrapping_add(base + l)).collect();
            }
            let (mut a, mut b) = (i, i);
            for _ in 0..3 {
                (a, b) = (b + 1, a);
            }
            sums[(i % n) as usize].wrapping_sub(i).wrapping_add(a * 3).wrapping_sub(b)
        });
    }
}

/// A value from before a loop is there in every turn, although another one needs memory after its last use in a turn.
#[test]
fn values_from_before_a_loop() {
    let size = [7, 1, 1];
    let body = format!(
        "{}
        store out[%at], %at
        %kept: u32 = load out[%at]
        workgroup_barrier
        %zero: u32 = const 0
        %one: u32 = const 1
        %four: u32 = const 4
        %turns: u32, %sum: u32 = loop (%t: u32 = %zero, %s: u32 = %zero) {{
          %a: u32 = add %s, %kept
          store out[%at], %t
          workgroup_barrier
          %late: u32 = load out[%at]
          workgroup_barrier
          %b: u32 = add %a, %late
          %next: u32 = add %t, %one
          %again: bool = lt %next, %four
          yield %again, %next, %b
        }}
        store out[%at], %sum",
        at(size)
    );
    check(size, 2, &body, |i| 4 * i + 6);
}

/// Barriers under nested uniform conditions, with results that differ and results that do not.
#[test]
fn uniform_branches() {
    for size in SIZES {
        let n: u32 = size.iter().product();
        let body = format!(
            "buffer tile: u32[{n}] workgroup read_write
            {}
            %two: u32 = const 2
            %odd: u32 = rem %w, %two
            %zero: u32 = const 0
            %is: bool = eq %odd, %zero
            store tile[%l], %l
            %x: u32, %y: u32 = if %is {{
              workgroup_barrier
              %last: u32 = sub %n, %l
              %one: u32 = const 1
              %mirror: u32 = sub %last, %one
              %m: u32 = load tile[%mirror]
              %big: bool = lt %two, %w
              %deep: u32 = if %big {{
                store tile[%l], %m
                workgroup_barrier
                %back: u32 = load tile[%mirror]
                yield %back
              }} else {{
                yield %n
              }}
              %c: u32 = const 100
              yield %deep, %c
            }} else {{
              %c: u32 = const 200
              yield %at, %c
            }}
            %sum: u32 = add %x, %y
            store out[%at], %sum",
            at(size)
        );
        check(size, 6, &body, |i| {
            let (w, l) = (i / n, i % n);
            match w {
                0 | 2 => n + 100,
                4 => l + 100,
                _ => i + 200,
            }
        });
    }
}

/// A switch and a loop whose conditions come from memory by a uniform load.
#[test]
fn uniform_loads() {
    let size = [5, 2, 1];
    let body = format!(
        "buffer cell: u32[2] workgroup read_write
        {}
        %zero: u32 = const 0
        %one: u32 = const 1
        %three: u32 = const 3
        %seven: u32 = const 7
        %turns: u32, %sum: u32 = loop (%t: u32 = %zero, %s: u32 = %zero) {{
          %first: bool = eq %l, %seven
          if %first {{
            %old: u32 = load cell[%zero]
            %new: u32 = add %old, %one
            store cell[%zero], %new
          }}
          %seen: u32 = uniform_load cell[%zero]
          %again: bool = lt %seen, %three
          %k: u32 = switch %seen {{
            case 2 {{
              workgroup_barrier
              yield %l
            }}
            default {{
              yield %seen
            }}
          }}
          %u: u32 = add %s, %k
          %v: u32 = add %t, %one
          yield %again, %v, %u
        }}
        %x: u32 = mul %turns, %sum
        store out[%at], %x",
        at(size)
    );
    check(size, 2, &body, |i| 3 * (1 + i % 10 + 3));
}

/// A private array that lives across a barrier, and one that does not; both start as zero in each workgroup.
#[test]
fn private_arrays() {
    for size in [[1, 1, 1], [7, 1, 1], [1, 5, 13]] {
        let body = format!(
            "buffer across: u32[4] private read_write
            buffer inside: u32[40] private read_write
            {}
            %three: u32 = const 3
            %i: u32 = rem %l, %three
            %a: u32 = load across[%i]
            %b: u32 = load inside[%i]
            store across[%i], %at
            store inside[%i], %at
            %c: u32 = load inside[%i]
            workgroup_barrier
            %d: u32 = load across[%i]
            %e: u32 = load across[%three]
            %ab: u32 = add %a, %b
            %cd: u32 = add %c, %d
            %abcd: u32 = add %ab, %cd
            %sum: u32 = add %abcd, %e
            store out[%at], %sum",
            at(size)
        );
        check(size, 4, &body, |i| 2 * i);
    }
}

/// A private array that only one piece uses, but in every turn of a loop.
#[test]
fn private_arrays_in_loops() {
    let size = [7, 1, 1];
    let body = format!(
        "buffer own: u32[2] private read_write
        {}
        %zero: u32 = const 0
        %one: u32 = const 1
        %four: u32 = const 4
        %turns: u32 = loop (%t: u32 = %zero) {{
          %x: u32 = load own[%one]
          %y: u32 = add %x, %l
          store own[%one], %y
          store out[%at], %y
          workgroup_barrier
          %next: u32 = add %t, %one
          %again: bool = lt %next, %four
          yield %again, %next
        }}",
        at(size)
    );
    check(size, 2, &body, |i| 4 * (i % 7));
}

/// Workgroup memory is zero when a workgroup starts, whatever ran before.
#[test]
fn workgroup_memory_starts_as_zero() {
    for words in [1, 31, 32, 1000] {
        let body = format!(
            "buffer tile: u32[{words}] workgroup read_write
            {}
            %last: u32 = const {}
            %old: u32 = load tile[%last]
            workgroup_barrier
            store tile[%last], %n
            store out[%at], %old",
            at([4, 1, 1]),
            words - 1
        );
        check([4, 1, 1], 50, &body, |_| 0);
    }
}

/// Subgroups of 8, the last one shorter; vectors and scalars as operands.
#[test]
fn subgroups() {
    for size in [[1, 1, 1], [7, 1, 1], [33, 1, 1], [1, 5, 13]] {
        let n: u32 = size.iter().product();
        let active = |i: u32| {
            let first = i % n / 8 * 8;
            (first, (first + 8).min(n))
        };
        let lanes = |i: u32| {
            let (a, b) = active(i);
            a..b
        };
        type Expect<'a> = &'a dyn Fn(u32) -> u32;
        let cases: [(&str, Expect); 9] = [
            ("%r: u32 = subgroup_add %l", &|i| lanes(i).sum()),
            ("%r: u32 = subgroup_max %l", &|i| active(i).1 - 1),
            ("%r: u32 = subgroup_exclusive_add %l", &|i| (active(i).0..i % n).sum()),
            ("%r: u32 = subgroup_inclusive_mul %l", &|i| {
                (active(i).0..=i % n).fold(1, |a: u32, b| a.wrapping_mul(b))
            }),
            ("%r: u32 = subgroup_shuffle_xor %l, %one", &|i| {
                let other = (i % n) ^ 1;
                if other < n { other } else { 0 }
            }),
            ("%r: u32 = subgroup_shuffle %l, %n", &|i| {
                let from = active(i).0 + n;
                if n < 8 && from < active(i).1 { from } else { 0 }
            }),
            ("%r: u32 = subgroup_add %n", &|i| n * lanes(i).count() as u32),
            (
                "%odd: bool = eq %bit, %one\n %v: u32x4 = subgroup_ballot %odd\n %r: u32 = extract %v.x",
                &|i| lanes(i).filter(|l| l % 2 == 1).map(|l| 1 << (l % 8)).sum(),
            ),
            ("%v: u32x2 = compose %l, %n\n %s: u32x2 = subgroup_add %v\n %r: u32 = extract %s.x", &|i| {
                lanes(i).sum()
            }),
        ];
        for (op, expect) in cases {
            let body = format!(
                "{}\n%one: u32 = const 1\n%bit: u32 = and %l, %one\n{op}\nstore out[%at], %r",
                at(size)
            );
            check(size, 2, &body, expect);
        }
    }
}

/// Subgroup operations in control flow, where invocations are together and where they part.
#[test]
fn divergent_subgroups() {
    let loop_body = format!(
        "{}
        %zero: u32 = const 0
        %one: u32 = const 1
        %three: u32 = const 3
        %r: u32, %t: u32 = loop (%x: u32 = %one, %t: u32 = %zero) {{
          %s: u32 = subgroup_add %x
          %u: u32 = add %t, %one
          %again: bool = lt %u, %three
          yield %again, %s, %u
        }}
        store out[%at], %r",
        at([8, 1, 1])
    );
    check([8, 1, 1], 1, &loop_body, |_| 512);
    // In a branch those that are there take part.
    let branch = format!(
        "{}
        %three: u32 = const 3
        %c: bool = lt %l, %three
        %r: u32 = if %c {{
          %s: u32 = subgroup_add %l
          yield %s
        }} else {{
          %d: bool = lt %w, %l
          %v: u32x4 = subgroup_ballot %d
          %b: u32 = extract %v.x
          yield %b
        }}
        store out[%at], %r",
        at([13, 1, 1])
    );
    check([13, 1, 1], 3, &branch, |i| {
        let (l, w) = (i % 13, i / 13);
        let there = l / 8 * 8..(l / 8 * 8 + 8).min(13);
        if l < 3 { 3 } else { there.filter(|&x| x >= 3 && x > w).map(|x| 1 << (x % 8)).sum() }
    });
    // Invocations leave a loop one after another; each turn counts those that are left.
    let leaving = format!(
        "{}
        %zero: u32 = const 0
        %one: u32 = const 1
        %seven: u32 = const 7
        %turns: u32 = and %l, %seven
        %i: u32, %r: u32 = loop (%i: u32 = %zero, %t: u32 = %zero) {{
          %count: u32 = subgroup_add %one
          %u: u32 = add %t, %count
          %again: bool = lt %i, %turns
          %j: u32 = add %i, %one
          yield %again, %j, %u
        }}
        store out[%at], %r",
        at([16, 1, 1])
    );
    check([16, 1, 1], 2, &leaving, |i| (0..=i % 8).map(|turn| 8 - turn).sum());
}

/// Every operation across a subgroup is known here.
#[test]
fn all_subgroup_operations() {
    for info in OPS.iter().filter(|i| i.effect == vyre_ir::Effect::Converges) {
        let (operands, result) = match info.rule {
            vyre_ir::Rule::Lane(_) => ("%l, %w", "u32"),
            vyre_ir::Rule::Ballot => ("%c", "u32x4"),
            vyre_ir::Rule::Same(class, _) if class.has(vyre_ir::Scalar::Bool) => ("%c", "bool"),
            _ => ("%l", "u32"),
        };
        let text = format!(
            "program p workgroup(8, 1, 1) {{\n{OUT}{}\n%c: bool = eq %l, %w\n%r: {result} = {} {operands}\n}}",
            at([8, 1, 1]),
            info.name
        );
        try_run(&read(&text), [1, 1, 1], &mut [vec![0; 32]]).unwrap_or_else(|e| panic!("{e}"));
    }
}
