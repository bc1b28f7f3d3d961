//! Control flow that differs inside a gang, effects under it, and workgroups that gangs do not divide. `common` runs
//! everything with gangs of every size; expectations are computed here, one invocation after another.

mod common;

use common::run_u32;
use vyre_ir::text::parse;
use vyre_ir::verify::verify;

const SIZES: [[u32; 3]; 13] = [
    [1, 1, 1],
    [3, 1, 1],
    [7, 1, 1],
    [8, 1, 1],
    [9, 1, 1],
    [33, 1, 1],
    [5, 3, 1],
    [1, 5, 13],
    [16, 16, 1],
    [8, 8, 1],
    [4, 4, 2],
    [2, 1, 20],
    [1024, 1, 1],
];

const GROUPS: u32 = 3;

const HEAD: &str = "%l: u32 = local_index
    %w: u32 = workgroup_id x
    %n: u32 = const N
    %base: u32 = mul %w, %n
    %at: u32 = add %base, %l
    %zero: u32 = const 0
    %one: u32 = const 1
    %two: u32 = const 2
    %three: u32 = const 3
    %five: u32 = const 5
    %x: u32 = load in[%at]";

/// What invocation `i` finds in `in`.
fn input(i: u32) -> u32 {
    (i.wrapping_mul(2_654_435_761) >> 7) % 23
}

/// Runs a body after [`HEAD`] for all sizes; `expect(out, n, i)` is what invocation `i` does.
fn check(body: &str, expect: impl Fn(&mut Vec<u32>, u32, u32)) {
    for size in SIZES {
        let n: u32 = size.iter().product();
        let [sx, sy, sz] = size;
        let (buffers, code): (Vec<&str>, Vec<&str>) =
            body.lines().partition(|line| line.trim_start().starts_with("buffer"));
        let head = HEAD.replace('N', &n.to_string());
        let text = format!(
            "program p workgroup({sx}, {sy}, {sz}) {{
            buffer in: u32[] storage read @group(0) @binding(0)
            buffer out: u32[] storage read_write @group(0) @binding(1)
            {}\n{head}\n{}\n}}",
            buffers.join("\n"),
            code.join("\n")
        );
        let p = parse("test.vyre", &text).unwrap_or_else(|errors| panic!("{}", errors[0]));
        verify(&p).unwrap_or_else(|errors| panic!("{}", errors[0]));
        let all = n * GROUPS;
        let start = vec![0xdead; all as usize];
        let mut expected = start.clone();
        (0..all).for_each(|i| expect(&mut expected, n, i));
        let out = run_u32(&p, [GROUPS, 1, 1], &[(0..all).map(input).collect(), start]);
        assert_eq!(out[1], expected, "size {size:?}");
    }
}

/// Nested loops that invocations leave in different turns, by their counter or early, swapping what they carry.
#[test]
fn divergent_loops() {
    let body = "%r: u32, %t: u32, %u: u32 = loop (%i: u32 = %zero, %a: u32 = %x, %b: u32 = %l) {
          %j: u32, %s: u32 = loop (%k: u32 = %zero, %y: u32 = %a) {
            %y3: u32 = mul %y, %three
            %z: u32 = add %y3, %i
            %m: u32 = add %k, %one
            %rest: u32 = rem %z, %five
            %odd: bool = ne %rest, %zero
            %few: bool = lt %m, %x
            %go: bool = and %odd, %few
            yield %go, %m, %z
          }
          %next: u32 = add %i, %one
          %far: bool = lt %next, %x
          %early: u32 = rem %s, %three
          %stay: bool = ne %early, %one
          %again: bool = if %stay { yield %far } else { %q: bool = lt %next, %two yield %q }
          %bj: u32 = add %b, %j
          yield %again, %next, %bj, %s
        }
        %tu: u32 = mul %t, %two
        %v: u32 = add %tu, %u
        %vr: u32 = add %v, %r
        store out[%at], %vr";
    check(
        &body.replace(" yield %q", "\n yield %q").replace("{ ", "{\n").replace(" }", "\n}"),
        |out, n, i| {
            let x = input(i);
            let (mut c, mut a, mut b) = (0u32, x, i % n);
            loop {
                let (mut k, mut y) = (0u32, a);
                loop {
                    y = y.wrapping_mul(3).wrapping_add(c);
                    k += 1;
                    if y % 5 == 0 || k >= x {
                        break;
                    }
                }
                let next = c + 1;
                let again = if y % 3 != 1 { next < x } else { next < 2 };
                (c, a, b) = (next, b.wrapping_add(k), y);
                if !again {
                    break;
                }
            }
            out[i as usize] = a.wrapping_mul(2).wrapping_add(b).wrapping_add(c);
        },
    );
}

/// Stores and atomics for a part of the invocations only: contiguous, scattered, and all to one place.
#[test]
fn divergent_effects() {
    check(
        "%r: u32 = rem %x, %three
        %c: bool = eq %r, %one
        if %c {
          store out[%at], %x
        } else {
          %d: bool = eq %r, %two
          if %d {
            %last: u32 = sub %n, %one
            %mirror: u32 = sub %last, %l
            %to: u32 = add %base, %mirror
            %old: u32 = load in[%to]
            %oldr: u32 = rem %old, %three
            %free: bool = eq %oldr, %zero
            if %free {
              %mark: u32 = add %x, %n
              store out[%to], %mark
            }
          }
        }",
        |out, n, i| match input(i) % 3 {
            1 => out[i as usize] = input(i),
            2 => {
                let to = i / n * n + (n - 1 - i % n);
                if input(to).is_multiple_of(3) {
                    out[to as usize] = input(i) + n;
                }
            }
            _ => {}
        },
    );
    let tile = "buffer tile: u32[2] workgroup read_write
        %r: u32 = rem %x, %three
        %c: bool = eq %r, %one
        if %c {
          %a: u32 = atomic_add tile[%zero], %x
        } else {
          store tile[%one], %n
        }
        workgroup_barrier
        %first: bool = eq %l, %zero
        if %first {
          %sum: u32 = load tile[%zero]
          %seen: u32 = load tile[%one]
          %s: u32 = add %sum, %seen
          store out[%base], %s
        }";
    check(tile, |out, n, i| {
        let group = i / n * n..i / n * n + n;
        if i == group.start {
            let sum: u32 = group.clone().map(input).filter(|x| x % 3 == 1).sum();
            out[i as usize] = sum + if group.clone().any(|j| input(j) % 3 != 1) { n } else { 0 };
        }
    });
}

/// A switch whose cases differ in a gang, with values and effects.
#[test]
fn divergent_switch() {
    check(
        "%r: u32 = rem %x, %five
        %y: u32 = switch %r {
          case 0 {
            yield %l
          }
          case 3 {
            store out[%at], %x
            yield %n
          }
          default {
            %z: u32 = mul %x, %r
            yield %z
          }
        }
        %other: bool = ne %r, %three
        if %other {
          store out[%at], %y
        }",
        |out, n, i| {
            let x = input(i);
            out[i as usize] = match x % 5 {
                0 => i % n,
                3 => x,
                r => x * r,
            };
        },
    );
}

/// Indices outside: contiguous ones that begin or end outside, and scattered ones, with and without a mask.
#[test]
fn out_of_bounds() {
    let body = "buffer small: u32[5] workgroup read_write
        buffer own: u32[3] private read_write
        %minus: u32 = const 4294967294
        %below: u32 = add %at, %minus
        %a: u32 = load in[%below]
        %size: u32 = length in
        %above: u32 = add %at, %five
        %b: u32 = load in[%above]
        %scaled: u32 = mul %at, %three
        %c: u32 = load in[%scaled]
        store small[%l], %x
        %d: u32 = load small[%l]
        store own[%x], %five
        %e: u32 = load own[%x]
        %f: u32 = load own[%two]
        %odd: u32 = rem %x, %two
        %is: bool = eq %odd, %one
        %g: u32, %h: u32 = if %is {
          %ga: u32 = load in[%above]
          %gs: u32 = load in[%scaled]
          store own[%one], %x
          yield %ga, %gs
        } else {
          store out[%scaled_out], %x
          yield %one, %two
        }
        %k: u32 = load own[%one]
        %ab: u32 = add %a, %b
        %cd: u32 = add %c, %d
        %ef: u32 = add %e, %f
        %gh: u32 = add %g, %h
        %abcd: u32 = add %ab, %cd
        %efgh: u32 = add %ef, %gh
        %s: u32 = add %abcd, %efgh
        %sk: u32 = add %s, %k
        store out[%at], %sk"
        .replace(
            "store out[%scaled_out], %x",
            "%away: u32 = add %at, %minus\n%gone: u32 = or %away, %minus\nstore out[%gone], %x",
        );
    check(&body, |out, n, i| {
        let all = n * GROUPS;
        let get = |i: u32| if i < all { input(i) } else { 0 };
        let x = input(i);
        let mut own = [0; 3];
        if let Some(word) = own.get_mut(x as usize) {
            *word = 5;
        }
        let (e, f) = (own.get(x as usize).copied().unwrap_or(0), own[2]);
        let gh = if x % 2 == 1 {
            own[1] = x;
            get(i + 5) + get(i * 3)
        } else {
            3
        };
        let small = if i % n < 5 { x } else { 0 };
        out[i as usize] = get(i.wrapping_sub(2)) + get(i + 5) + get(i * 3) + small + e + f + gh + own[1];
    });
}

/// Barriers in a uniform loop; numbers and truth that differ live across them.
#[test]
fn values_across_barriers() {
    check(
        "buffer tile: u32[N] workgroup read_write
        %r: u32 = rem %x, %two
        %odd: bool = eq %r, %one
        %sum: u32, %t: u32, %flag: bool = loop (%s: u32 = %x, %i: u32 = %zero, %f: bool = %odd) {
          store tile[%l], %s
          workgroup_barrier
          %next: u32 = add %l, %one
          %wrapped: u32 = rem %next, %n
          %y: u32 = load tile[%wrapped]
          %add: u32 = select %f, %y, %one
          %z: u32 = add %s, %add
          %zr: u32 = rem %z, %three
          %g: bool = eq %zr, %zero
          workgroup_barrier
          %more: u32 = add %i, %one
          %go: bool = lt %more, %three
          yield %go, %z, %more, %g
        }
        %q: u32 = select %flag, %n, %t
        %v: u32 = add %sum, %q
        store out[%at], %v"
            .replace("u32[N]", "u32[1024]")
            .as_str(),
        |out, n, i| {
            let base = i / n * n;
            let mut s: Vec<(u32, bool)> = (base..base + n).map(|j| (input(j), input(j) % 2 == 1)).collect();
            for _ in 0..3 {
                let old = s.clone();
                for l in 0..n as usize {
                    let add = if old[l].1 { old[(l + 1) % n as usize].0 } else { 1 };
                    let z = old[l].0 + add;
                    s[l] = (z, z.is_multiple_of(3));
                }
            }
            let (sum, flag) = s[(i - base) as usize];
            out[i as usize] = sum + if flag { n } else { 3 };
        },
    );
}

/// All ids, in workgroups of every shape.
#[test]
fn positions() {
    for size in SIZES {
        let [sx, sy, sz] = size;
        let n: u32 = size.iter().product();
        let ids = [
            "local_id x",
            "local_id y",
            "local_id z",
            "global_id x",
            "global_id y",
            "global_id z",
            "local_index",
            "subgroup_lane",
            "subgroup_id",
        ];
        for (k, id) in ids.iter().enumerate() {
            let text = format!(
                "program p workgroup({sx}, {sy}, {sz}) {{
                buffer out: u32[] storage read_write @group(0) @binding(0)
                %l: u32 = local_index
                %w: u32 = workgroup_id x
                %n: u32 = const {n}
                %base: u32 = mul %w, %n
                %at: u32 = add %base, %l
                %id: u32 = {id}
                store out[%at], %id
                }}"
            );
            let p = parse("test.vyre", &text).unwrap_or_else(|errors| panic!("{}", errors[0]));
            let out = run_u32(&p, [2, 1, 1], &[vec![9; 2 * n as usize]]);
            let expect = |i: u32| {
                let (w, l) = (i / n, i % n);
                let local = [l % sx, l / sx % sy, l / sx / sy];
                [local[0], local[1], local[2], w * sx + local[0], local[1], local[2], l, l % 8, l / 8][k]
            };
            assert_eq!(out[0], (0..2 * n).map(expect).collect::<Vec<u32>>(), "{id} of {size:?}");
        }
    }
}
