//! Ranges: how large values are, and which accesses are in bounds, on small programs.

use vyre_ir::text::parse;
use vyre_ir::verify::verify;
use vyre_ir::{Op, Program};
use vyre_opt::analysis::ranges;

/// A program in workgroups of 16 by 4 with values to try things on.
#[track_caller]
fn program(lines: &str) -> Program {
    let text = format!(
        "program test workgroup(16, 4, 1) {{
           buffer a: u32[] storage read_write @group(0) @binding(0)
           buffer b: u32[] storage read_write @group(0) @binding(1)
           buffer v: f32x4[] storage read_write @group(0) @binding(2)
           buffer f: u32[8] storage read_write @group(0) @binding(3)
           buffer t: u32[64] workgroup read_write
           buffer q: u32[10] private read_write
           %zero: u32 = const 0
           %one: u32 = const 1
           %two: u32 = const 2
           %three: u32 = const 3
           %four: u32 = const 4
           %seven: u32 = const 7
           %ten: u32 = const 10
           %thirty: u32 = const 30
           %big: u32 = const 1048576
           %i0: i32 = const 0
           %i1: i32 = const 1
           %five: i32 = const 5
           %minus: i32 = const -5
           %true: bool = const true
           %false: bool = const false
           %x: u32 = local_id x
           %y: u32 = local_id y
           %g: u32 = global_id x
           %w: u32 = load b[%g]
           %s: i32 = convert %w
           %n: u32 = length a
           {}
         }}",
        lines.replace("; ", "\n")
    );
    let p = parse("test", &text).unwrap_or_else(|errors| panic!("{}\n{text}", errors[0]));
    verify(&p).unwrap_or_else(|errors| panic!("{}\n{p}", errors[0]));
    p
}

/// Expects the last value of the program to be at most so large.
#[track_caller]
fn largest(lines: &str, expected: u32) {
    let p = program(lines);
    let body = &p.regions[p.body].insts;
    let last = body.iter().rev().find_map(|&inst| p.insts[inst].results.first());
    assert_eq!(ranges(&p).largest(*last.expect("something is computed")), expected, "{lines}");
}

/// Expects of the program's last access that it is proven or not; last in program order.
#[track_caller]
fn access(lines: &str, expected: bool) {
    let p = program(lines);
    let mut accesses = Vec::new();
    p.walk(p.body, &mut |inst| {
        accesses.extend(p.accessed(&p.insts[inst]).map(|_| inst));
    });
    let ranges = ranges(&p);
    let last = accesses.last().expect("there is an access");
    assert_eq!(ranges.in_bounds(*last), expected, "{lines}\n{p}");
}

#[track_caller]
fn proven(lines: &str) {
    access(lines, true);
}

#[track_caller]
fn open(lines: &str) {
    access(lines, false);
}

#[test]
fn arithmetic() {
    for (line, expected) in [
        ("%z: u32 = add %x, %seven", 22),
        ("%z: u32 = mul %x, %seven", 105),
        ("%z: u32 = and %w, %thirty", 30),
        ("%z: u32 = or %x, %thirty", 31),
        ("%z: u32 = xor %x, %three", 15),
        ("%z: u32 = rem %w, %seven", 6),
        ("%z: u32 = rem %w, %x", 14),
        ("%z: u32 = rem %x, %w", 15),
        ("%z: u32 = div %x, %w", 15),
        ("%z: u32 = div %x, %four", 3),
        ("%z: u32 = shl %x, %three", 120),
        ("%z: u32 = shl %big, %thirty", 0xc000_0000),
        ("%z: u32 = shr %big, %three", 1 << 17),
        ("%z: u32 = shr %x, %w", 15),
        ("%z: u32 = min %w, %seven", 7),
        ("%z: u32 = max %x, %thirty", 30),
        ("%z: u32 = mul %big, %big", 0x8000_0000),
        ("%z: u32 = mul_hi %big, %big", 256),
        ("%z: u32 = sub %thirty, %x", 30),
        ("%z: u32 = sub %x, %seven", u32::MAX),
        ("%z: u32 = sub %x, %thirty", u32::MAX - 14),
        ("%z: u32 = not %x", u32::MAX),
        ("%z: u32 = count_ones %w", 32),
        ("%z: i32 = min %s, %five", u32::MAX),
        ("%z: i32 = max %s, %minus", u32::MAX),
        ("%z: i32 = max %s, %i0", i32::MAX as u32),
        ("%m: i32 = max %s, %i0; %z: i32 = min %m, %five", 5),
        ("%m: i32 = min %s, %five; %z: i32 = max %m, %i0", i32::MAX as u32),
        ("%z: i32 = add %minus, %five", 0),
        ("%z: i32 = rem %s, %five", u32::MAX),
        ("%z: i32 = abs %s", 1 << 31),
        ("%h: i32 = convert %x; %z: i32 = sub %h, %i1", u32::MAX),
        ("%b: u8 = convert %w; %z: u32 = convert %b", 255),
        ("%b: i8 = convert %w; %z: u32 = convert %b", u32::MAX),
        ("%b: bool = lt %w, %x; %z: u32 = convert %b", 1),
        ("%b: bool = lt %x, %thirty; %z: u32 = select %b, %x, %w", 15),
        ("%b: bool = lt %x, %seven; %z: u32 = select %b, %x, %w", u32::MAX),
        ("%b: bool = lt %w, %seven; %z: u32 = select %b, %w, %ten", 10),
        ("%b: bool = lt %w, %seven; %z: u32 = select %b, %ten, %w", u32::MAX),
        ("%z: u32 = local_index", 63),
        ("%z: u32 = local_id z", 0),
        ("%z: u32 = global_id x", u32::MAX - 16),
        ("%z: u32 = workgroup_id x", u32::MAX / 16 - 1),
        ("%z: u32 = length f", 8),
        ("%z: u32 = load f[%x]", u32::MAX),
    ] {
        largest(line, expected);
    }
}

#[test]
fn arrays_of_fixed_size() {
    proven("%z: u32 = load q[%zero]");
    proven("%i: u32 = rem %w, %ten; store q[%i], %w");
    open("%i: u32 = min %w, %ten; store q[%i], %w");
    proven("%row: u32 = mul %y, %four; %i: u32 = add %row, %x; %z: u32 = load t[%i]");
    open("%k: u32 = const 17; %row: u32 = mul %y, %k; %i: u32 = add %row, %x; %z: u32 = load t[%i]");
    proven("%li: u32 = local_index; %z: u32 = atomic_add t[%li], %w");
    // All lanes, in scalars of the accessed type.
    proven("%k: u32 = const 60; %z: u32x4 = load t[%k]");
    open("%k: u32 = const 61; %z: u32x4 = load t[%k]");
    proven("%k: u32 = const 127; %z: f16 = load t[%k]");
    open("%k: u32 = const 128; %z: f16 = load t[%k]");
    proven("%k: u32 = const 31; %z: u64 = load t[%k]");
    open("%k: u32 = const 32; %z: u64 = load t[%k]");
    // Bound memory has the size that is declared, else at least one element.
    proven("%z: u32 = load f[%seven]");
    open("%k: u32 = const 8; %z: u32 = load f[%k]");
    proven("%z: u32 = load b[%zero]");
    open("%z: u32 = load b[%one]");
    proven("%z: f32x4 = load v[%zero]");
}

/// A body in the branch of a condition that is `%c`.
fn guarded(condition: &str, body: &str) -> String {
    format!("{condition}\nif %c {{\n{body}\n}} else {{\n}}")
}

/// A body where a condition that is `%c` is false: how an early return arrives.
fn after_return(condition: &str, body: &str) -> String {
    format!("{condition}\nif %c {{\n}} else {{\n{body}\n}}")
}

#[test]
fn guards() {
    let below = "%c: bool = lt %w, %n";
    proven(&guarded(below, "store a[%w], %x"));
    proven(&after_return("%c: bool = le %n, %w", "store a[%w], %x"));
    proven(&after_return("%d: bool = lt %w, %n; %c: bool = not %d", "store a[%w], %x"));
    open(&guarded(below, "store b[%w], %x"));
    open(&after_return(below, "store a[%w], %x"));
    open(&guarded("%c: bool = le %w, %n", "store a[%w], %x"));
    open(&format!("{}\nstore a[%w], %x", guarded(below, "")));
    // The index is another one than that of the guard.
    open(&guarded(below, "%i: u32 = add %w, %one; store a[%i], %x"));
    open(&guarded(below, "%i: u32 = sub %w, %one; store a[%i], %x"));
    proven(&guarded(
        "%d: bool = lt %w, %n; %e: bool = ne %w, %zero; %c: bool = and %d, %e",
        "%i: u32 = sub %w, %one; store a[%i], %x",
    ));
    proven(&guarded(below, "%i: u32 = div %w, %two; store a[%i], %x"));
    // Computed before the guard.
    proven(&guarded("%h: u32 = shr %w, %one; %c: bool = lt %w, %n", "store a[%h], %x"));
    proven(&guarded("%h: u32 = add %w, %three; %c: bool = lt %w, %seven", "store q[%h], %x"));
    open(&guarded("%h: u32 = add %w, %four; %c: bool = lt %w, %seven", "store q[%h], %x"));
    // Of a sum the guard says something of what it is made of, unless it can wrap.
    proven(&guarded("%h: u32 = add %g, %three; %c: bool = lt %h, %n", "store a[%g], %x"));
    open(&guarded("%h: u32 = add %w, %three; %c: bool = lt %h, %n", "store a[%w], %x"));
    proven(&guarded(
        "%k: u32 = shl %w, %two; %h: u32 = add %k, %three; %c: bool = lt %h, %n",
        "%z: u32x4 = load a[%k]",
    ));
    open(&guarded(
        "%k: u32 = shl %w, %two; %h: u32 = add %k, %two; %c: bool = lt %h, %n",
        "%z: u32x4 = load a[%k]",
    ));
    // Signed comparisons.
    let signed = "%m: i32 = convert %n; %c: bool = lt %s, %m";
    open(&guarded(signed, "store a[%w], %x"));
    proven(&guarded(
        "%m: i32 = convert %n; %d: bool = lt %s, %m; %e: bool = le %i0, %s; %c: bool = and %d, %e",
        "store a[%w], %x",
    ));
    proven(&guarded("%m: i32 = convert %n; %xi: i32 = convert %x; %c: bool = lt %xi, %m", "store a[%x], %w"));
    open(&guarded("%c: bool = lt %s, %five", "store q[%w], %x"));
    proven(&guarded(
        "%d: bool = lt %s, %five; %e: bool = lt %minus, %s; %e2: bool = le %i0, %s; %f: bool = and %d, %e; %c: bool = and %e2, %f",
        "store q[%w], %x",
    ));
    // By another value.
    proven(&guarded("%d: bool = lt %w, %g; %e: bool = le %g, %n; %c: bool = and %d, %e", "store a[%w], %x"));
    open(&guarded("%d: bool = le %w, %g; %e: bool = le %g, %n; %c: bool = and %d, %e", "store a[%w], %x"));
    open(&guarded("%d: bool = lt %w, %g; %e: bool = le %g, %n; %c: bool = or %d, %e", "store a[%w], %x"));
    proven(&guarded("%c: bool = eq %w, %seven", "store q[%w], %x"));
    proven(&guarded(
        "%groups: u32 = num_workgroups x; %c: bool = le %groups, %n",
        "%wg: u32 = workgroup_id x; store a[%wg], %x",
    ));
    proven(&guarded(
        "%k: u32 = const 16; %groups: u32 = num_workgroups x; %all: u32 = mul %groups, %k; %c: bool = le %all, %n",
        "store a[%g], %x",
    ));
    // A difference that does not wrap.
    proven(&guarded(
        "%d: bool = lt %w, %n; %e: bool = le %x, %w; %c: bool = and %d, %e",
        "%i: u32 = sub %w, %x; store a[%i], %x",
    ));
    proven("%h: u32 = local_index; switch %w {; case 5 {; store q[%w], %x; }; default {; }; }");
    open("%h: u32 = local_index; switch %w {; case 5 {; }; default {; store q[%w], %x; }; }");
}

#[test]
fn clamps() {
    let last = "%e: u32 = sub %n, %one";
    proven(&format!("{last}; %i: u32 = min %w, %e; store a[%i], %x"));
    proven("%k: u32 = const 4294967295; %e: u32 = add %n, %k; %i: u32 = min %w, %e; store a[%i], %x");
    open("%i: u32 = min %w, %n; store a[%i], %x");
    open("%m: u32 = length b; %e: u32 = sub %m, %one; %i: u32 = min %w, %e; store a[%i], %x");
    proven("%i: u32 = rem %w, %n; store a[%i], %x");
    open("%m: u32 = load b[%zero]; %i: u32 = rem %w, %m; store q[%i], %x");
    proven(&format!("{last}; %c: bool = lt %w, %n; %i: u32 = select %c, %w, %e; store a[%i], %x"));
    proven("%c: bool = lt %w, %n; %i: u32 = select %c, %w, %zero; store a[%i], %x");
    open("%c: bool = lt %w, %n; %i: u32 = select %c, %zero, %w; store a[%i], %x");
    proven("%c: bool = lt %w, %n; %i: u32 = if %c {; yield %w; } else {; yield %zero; }; store a[%i], %x");
    open("%c: bool = lt %w, %n; %i: u32 = if %c {; yield %w; } else {; yield %one; }; store a[%i], %x");
}

#[test]
fn elements_of_several_scalars() {
    let below = "%m: u32 = length v; %c: bool = lt %w, %m";
    let at = |lane: &str, load: &str| {
        guarded(below, &format!("%k: u32 = shl %w, %two; %i: u32 = add %k, {lane}; {load} = load v[%i]"))
    };
    proven(&at("%zero", "%z: f32x4"));
    proven(&at("%three", "%z: f32"));
    open(&at("%four", "%z: f32"));
    open(&at("%one", "%z: f32x4"));
    open(&guarded(below, "%k: u32 = mul %w, %seven; %z: f32 = load v[%k]"));
    // Narrower and wider scalars than the buffer's.
    proven(&guarded(
        "%c: bool = lt %w, %n",
        "%k: u32 = shl %w, %one; %i: u32 = add %k, %one; %z: f16 = load a[%i]",
    ));
    open(&guarded(
        "%c: bool = lt %w, %n",
        "%k: u32 = shl %w, %one; %i: u32 = add %k, %two; %z: f16 = load a[%i]",
    ));
    open(&guarded("%c: bool = lt %w, %n", "%z: u64 = load a[%w]"));
    proven(&guarded("%h: u32 = div %n, %two; %c: bool = lt %w, %h", "%z: u64 = load a[%w]"));
    // An array after two words, of elements of two words.
    let array = "%k: u32 = const 4294967294; %at: u32 = max %n, %two; %d: u32 = add %at, %k; %h: u32 = shr %d, %one; %c: bool = lt %w, %h";
    proven(&guarded(array, "%l: u32 = shl %w, %one; %i: u32 = add %l, %three; %z: u32 = load a[%i]"));
    open(&guarded(array, "%l: u32 = shl %w, %one; %i: u32 = add %l, %four; %z: u32 = load a[%i]"));
    // Elements of three words.
    proven(&guarded(
        "%h: u32 = div %n, %three; %c: bool = lt %w, %h",
        "%l: u32 = mul %w, %three; %z: u32x3 = load a[%l]",
    ));
}

#[test]
fn loops() {
    let counting = |first: &str, condition: &str, body: &str, step: &str| {
        format!(
            "%r: u32 = loop (%i: u32 = {first}) {{
               %c: bool = {condition}
               %next: u32 = if %c {{
                 {body}
                 %m: u32 = add %i, {step}
                 yield %m
               }} else {{
                 yield %i
               }}
               yield %c, %next
             }}"
        )
    };
    proven(&counting("%zero", "lt %i, %ten", "store q[%i], %x", "%one"));
    proven(&counting("%zero", "lt %i, %n", "store a[%i], %x", "%one"));
    proven(&counting("%g", "lt %i, %n", "store a[%i], %x", "%w"));
    open(&counting("%g", "lt %i, %n", "%k: u32 = add %i, %one; store a[%k], %x", "%w"));
    open(&counting("%zero", "ne %i, %n", "store q[%i], %x", "%one"));
    open(&counting("%zero", "lt %i, %n", "store q[%i], %x", "%one"));
    // What is left of the counter after the loop.
    proven(&(counting("%zero", "lt %i, %seven", "", "%one") + "\nstore q[%r], %x"));
    open(&(counting("%zero", "lt %i, %ten", "", "%one") + "\nstore q[%r], %x"));
    // Tested at the end, as loops are after rotation.
    let rotated = |first: &str, limit: &str, step: &str, body: &str| {
        format!(
            "%r: u32 = loop (%i: u32 = {first}) {{
               {body}
               %m: u32 = add %i, {step}
               %c: bool = lt %m, {limit}
               yield %c, %m
             }}"
        )
    };
    proven(&rotated("%zero", "%ten", "%one", "store q[%i], %x"));
    proven(&rotated("%zero", "%n", "%w", "store a[%i], %x"));
    open(&rotated("%one", "%n", "%w", "store a[%i], %x"));
    proven(&guarded(
        "%c: bool = lt %g, %n",
        &rotated("%g", "%n", "%w", "store a[%i], %x").replace("%c", "%d"),
    ));
    open(&rotated("%g", "%n", "%w", "store a[%i], %x"));
    // The counter may wrap, but is tested before each use; or it is not.
    proven(&rotated("%zero", "%ten", "%w", "store q[%i], %x"));
    open(&rotated("%zero", "%ten", "%w", "%k: u32 = add %i, %one; store q[%k], %x"));
    // One turn.
    proven(&rotated("%zero", "%ten", "%big", "%k: u32 = add %i, %one; store q[%k], %x"));
    // Signed, and halving.
    let signed = |init: &str, condition: &str, step: &str| {
        format!(
            "%r: i32 = loop (%i: i32 = {init}) {{
               %c: bool = {condition}
               %next: i32 = if %c {{
                 %k: u32 = convert %i
                 store q[%k], %x
                 %m: i32 = add %i, {step}
                 yield %m
               }} else {{
                 yield %i
               }}
               yield %c, %next
             }}"
        )
    };
    proven(&signed("%i0", "lt %i, %five", "%i1"));
    open(&signed("%s", "lt %i, %five", "%i1"));
    open(&signed("%five", "le %minus, %i", "%minus"));
    let halving = |test: &str, array: &str| {
        format!(
            "%h: u32 = const 32
             %li: u32 = local_index
             %r: u32 = loop (%s: u32 = %h) {{
               %c: bool = lt %li, %s
               if %c {{
                 %j: u32 = add %li, %s
                 store {array}[%j], %x
               }} else {{
               }}
               %next: u32 = shr %s, %one
               %go: bool = {test} %zero, %next
               yield %go, %next
             }}"
        )
    };
    proven(&halving("lt", "t").replace("%s", "%stride"));
    open(&halving("lt", "q").replace("%s", "%stride"));
    // One loop in another; the inner one starts where the outer one is.
    let inner = rotated("%o", "%ten", "%one", "store q[%i], %x");
    proven(&format!(
        "%e: u32 = loop (%o: u32 = %zero) {{
           {inner}
           %p: u32 = add %o, %one
           %d: bool = lt %p, %ten
           yield %d, %p
         }}"
    ));
    open(&format!(
        "%e: u32 = loop (%o: u32 = %zero) {{
           {inner}
           %p: u32 = add %o, %one
           %d: bool = lt %p, %thirty
           yield %d, %p
         }}"
    ));
    // What going on says of the limit is not true of the first turn.
    open(
        "%r: u32 = loop (%i: u32 = %three) {
           store a[%i], %x
           %d: bool = lt %seven, %n
           %e: bool = lt %i, %ten
           %c: bool = and %d, %e
           yield %c, %four
         }",
    );
    // Nor is a bound by what another turn computed.
    open(
        "%r: u32 = loop (%i: u32 = %zero) {
           %m: u32 = load b[%x]
           %d: bool = lt %m, %n
           if %d {
             store a[%i], %x
           } else {
           }
           %next: u32 = subgroup_shuffle %w, %i
           %c: bool = le %next, %m
           yield %c, %next
         }",
    );
    // Two counters that feed each other.
    open(
        "%r: u32, %r2: u32 = loop (%i: u32 = %zero, %k: u32 = %one) {
           store q[%i], %x
           %m: u32 = add %k, %k
           %c: bool = lt %w, %m
           yield %c, %k, %m
         }",
    );
}

#[test]
fn a_break_in_the_middle() {
    proven(
        "%r: i32 = loop (%i: i32 = %i0) {
           %c: bool = lt %i, %five
           %go: bool, %next: i32 = if %c {
             %k: u32 = convert %i
             store q[%k], %x
             %b: bool = eq %w, %k
             %go2: bool, %n2: i32 = if %b {
               yield %false, %i
             } else {
               %m: i32 = add %i, %i1
               yield %true, %m
             }
             yield %go2, %n2
           } else {
             yield %false, %i
           }
           yield %go, %next
         }",
    );
}

/// Programs that a careless search would never be done with.
#[test]
fn deep_and_long_programs_take_little_time() {
    let mut lines = String::new();
    for i in 0..2000 {
        let before = if i == 0 { "%w".into() } else { format!("%c{}", i - 1) };
        lines += &format!("%c{i}: u32 = add {before}, {before}\n");
    }
    let mut nested = String::from("store q[%x], %w");
    for i in 0..60 {
        nested = format!(
            "%lr{i}: u32 = loop (%li{i}: u32 = %zero) {{
               {nested}
               %ln{i}: u32 = add %li{i}, %w
               %lg{i}: bool = lt %ln{i}, %n
               yield %lg{i}, %ln{i}
             }}"
        );
    }
    let p = program(&(lines + &nested));
    let loops = p.insts.values().filter(|data| data.op == Op::Loop).count();
    assert_eq!(loops, 60);
    let p_ranges = ranges(&p);
    p.walk(p.body, &mut |inst| {
        assert!(p.insts[inst].op != Op::Store || !p_ranges.in_bounds(inst));
    });
}
