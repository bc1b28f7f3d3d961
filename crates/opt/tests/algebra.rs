//! The rules of `simplify`, one line each: an expression of `%a`, `%b`, `%c` and what it becomes.

mod common;
use common::{after, check, program};
use vyre_opt::Target;

/// `before` and `expected` are instructions separated by `;`, or only the name of a value. `T` stands for the
/// type, `B` for bool and `U` for u32 of its lanes. The last line's value is the one that is used.
#[track_caller]
fn rule(ty: &str, before: &str, expected: &str) {
    let lanes = ty.find('x').map_or("", |i| &ty[i..]);
    let scalar = ty.split('x').next().expect("a type");
    let parse = |lines: &str| {
        let lines =
            lines.replace('T', ty).replace('B', &format!("bool{lanes}")).replace('U', &format!("u32{lanes}"));
        let last = lines.rsplit(';').next().expect("at least one line").trim();
        let result = &last[..last.find(':').unwrap_or(last.len())];
        let result_type = last.split([':', '=']).nth(1).map_or(ty, str::trim);
        let lines = if last == result { "" } else { &lines.replace(';', "\n") };
        let result = match result_type.starts_with("bool") {
            true => format!("%use: {} = convert {result}\nstore w[%i], %use", ty.replace(scalar, "u32")),
            false => format!("store w[%i], {result}"),
        };
        program(&format!(
            "%i: u32 = global_id x
             %a: {ty} = load w[%i]
             %j: u32 = global_id y
             %b: {ty} = load w[%j]
             %k0: u32 = global_id z
             %c: {ty} = load w[%k0]
             {lines}
             {result}"
        ))
    };
    let expected = after(&parse(expected), &["dce"], &Target::SCALAR);
    check(&Target::SCALAR, "simplify", &parse(before), &expected);
}

#[test]
fn neutral_and_absorbing_operands() {
    for ty in ["i8", "u16", "i32", "u32", "i64", "u64", "u32x3"] {
        for op in ["add", "sub", "or", "xor"] {
            rule(ty, &format!("%k: T = const 0; %z: T = {op} %a, %k"), "%a");
        }
        rule(ty, "%k: T = const 0; %z: T = add %k, %a", "%a");
        rule(ty, "%k: T = const 1; %z: T = mul %a, %k", "%a");
        rule(ty, "%k: T = const 1; %z: T = div %a, %k", "%a");
        rule(ty, "%k: T = const 1; %z: T = rem %a, %k", "%z: T = const 0");
        rule(ty, "%k: T = const 0; %z: T = div %a, %k", "%a");
        rule(ty, "%k: T = const 0; %z: T = rem %a, %k", "%z: T = const 0");
        rule(ty, "%k: T = const 0; %z: T = mul %a, %k", "%z: T = const 0");
        rule(ty, "%k: T = const 0; %z: T = and %a, %k", "%z: T = const 0");
        rule(ty, "%k: T = const 0; %m: T = not %k; %z: T = not %a", "%z: T = not %a");
        rule(ty, "%k: U = const 0; %z: T = shl %a, %k", "%a");
        rule(ty, "%k: U = const 64; %z: T = shr %a, %k", "%a");
        rule(ty, "%z: T = sub %a, %a", "%z: T = const 0");
        rule(ty, "%z: T = xor %a, %a", "%z: T = const 0");
        for op in ["and", "or", "min", "max"] {
            rule(ty, &format!("%z: T = {op} %a, %a"), "%a");
        }
        rule(ty, "%n: T = not %a; %z: T = not %n", "%a");
        rule(ty, "%n: T = not %a; %z: T = and %a, %n", "%z: T = const 0");
        rule(ty, "%r: T = reverse_bits %a; %z: T = reverse_bits %r", "%a");
    }
    rule("u8", "%k: T = const 255; %z: T = and %a, %k", "%a");
    rule("u8", "%k: T = const 255; %z: T = or %a, %k", "%z: T = const 255");
    rule("u8", "%k: T = const 255; %z: T = xor %a, %k", "%z: T = not %a");
    rule("u8", "%k: T = const 255; %z: T = min %a, %k", "%a");
    rule("u8", "%k: T = const 0; %z: T = min %a, %k", "%z: T = const 0");
    rule("i8", "%k: T = const -128; %z: T = max %a, %k", "%a");
    rule("i8", "%k: T = const -128; %z: T = min %a, %k", "%z: T = const -128");
    rule("i8", "%k: T = const 0; %z: T = min %a, %k", "%k: T = const 0; %z: T = min %a, %k");
}

#[test]
fn signs_of_integers() {
    rule("i32", "%n: T = neg %a; %z: T = neg %n", "%a");
    rule("i32", "%n: T = neg %b; %z: T = add %a, %n", "%z: T = sub %a, %b");
    rule("i32", "%n: T = neg %a; %z: T = add %n, %b", "%z: T = sub %b, %a");
    rule("i32", "%n: T = neg %b; %z: T = sub %a, %n", "%z: T = add %a, %b");
    rule("i32", "%k: T = const 0; %z: T = sub %k, %a", "%z: T = neg %a");
    rule("i32", "%k: T = const -1; %z: T = mul %a, %k", "%z: T = neg %a");
    rule("i32", "%n: T = neg %a; %z: T = abs %n", "%z: T = abs %a");
}

#[test]
fn powers_of_two() {
    for ty in ["u32", "u32x2"] {
        rule(ty, "%k: T = const 8; %z: T = mul %a, %k", "%n: U = const 3; %z: T = shl %a, %n");
        rule(ty, "%k: T = const 8; %z: T = div %a, %k", "%n: U = const 3; %z: T = shr %a, %n");
        rule(ty, "%k: T = const 8; %z: T = rem %a, %k", "%n: T = const 7; %z: T = and %a, %n");
    }
    rule("i8", "%k: T = const -128; %z: T = mul %a, %k", "%n: U = const 7; %z: T = shl %a, %n");
    // Division of negative numbers rounds towards zero; shifting does not.
    rule("i32", "%k: T = const 8; %z: T = div %a, %k", "%k: T = const 8; %z: T = div %a, %k");
    rule("i32", "%k: T = const 8; %z: T = rem %a, %k", "%k: T = const 8; %z: T = rem %a, %k");
}

#[test]
fn chains_of_constants() {
    let add = |n: u32| format!("%k: T = const {n}; %z: T = add %a, %k");
    rule("u32", "%k: T = const 3; %y: T = add %a, %k; %l: T = const 4; %z: T = add %y, %l", &add(7));
    rule("u32", "%k: T = const 3; %y: T = add %a, %k; %l: T = const 4; %z: T = sub %y, %l", &add(u32::MAX));
    rule("u32", "%k: T = const 3; %y: T = sub %a, %k; %l: T = const 3; %z: T = add %y, %l", "%a");
    rule(
        "u8",
        "%k: U = const 3; %y: T = shl %a, %k; %l: U = const 4; %z: T = shl %y, %l",
        "%k: U = const 7; %z: T = shl %a, %k",
    );
    rule("u8", "%k: U = const 4; %y: T = shl %a, %k; %l: U = const 4; %z: T = shl %y, %l", "%z: T = const 0");
    rule(
        "i8",
        "%k: U = const 4; %y: T = shr %a, %k; %l: U = const 4; %z: T = shr %y, %l",
        "%k: U = const 7; %z: T = shr %a, %k",
    );
    // The amount is taken modulo the width before it is added.
    rule(
        "u8",
        "%k: U = const 8; %y: T = shl %a, %k; %l: U = const 4; %z: T = shl %y, %l",
        "%k: U = const 4; %z: T = shl %a, %k",
    );
    // Floating-point addition is not associative.
    let floats = "%k: T = const 3.0; %y: T = add %a, %k; %l: T = const 4.0; %z: T = add %y, %l";
    rule("f32", floats, floats);
}

#[test]
fn exact_float_rules() {
    for ty in ["f16", "bf16", "f32", "f64", "f32x4"] {
        rule(ty, "%k: T = const -0.0; %z: T = add %a, %k", "%a");
        rule(ty, "%k: T = const 0.0; %z: T = sub %a, %k", "%a");
        rule(ty, "%k: T = const 1.0; %z: T = mul %a, %k", "%a");
        rule(ty, "%k: T = const 1.0; %z: T = div %a, %k", "%a");
        rule(ty, "%k: T = const -1.0; %z: T = div %a, %k", "%z: T = neg %a");
        rule(ty, "%k: T = const 4.0; %z: T = div %a, %k", "%n: T = const 0.25; %z: T = mul %a, %n");
        rule(ty, "%k: T = const -0.5; %z: T = div %a, %k", "%n: T = const -2.0; %z: T = mul %a, %n");
        rule(ty, "%n: T = neg %b; %z: T = add %a, %n", "%z: T = sub %a, %b");
        rule(ty, "%m: T = neg %a; %n: T = neg %b; %z: T = mul %m, %n", "%z: T = mul %a, %b");
        rule(ty, "%k: T = const 1.0; %z: T = fma %a, %k, %b", "%z: T = add %a, %b");
        rule(ty, "%k: T = const -0.0; %z: T = fma %a, %b, %k", "%z: T = mul %a, %b");
        rule(ty, "%f: T = floor %a; %z: T = ceil %f", "%z: T = floor %a");
        rule(ty, "%z: T = min %a, %a", "%a");
    }
}

#[test]
fn float_rules_that_would_not_be_exact() {
    for lines in [
        "%k: T = const 0.0; %z: T = add %a, %k",
        "%k: T = const -0.0; %z: T = sub %a, %k",
        "%k: T = const 0.0; %z: T = mul %a, %k",
        "%k: T = const 3.0; %z: T = div %a, %k",
        "%k: T = const 0.0; %z: T = div %a, %k",
        "%k: T = const 0.0; %z: T = fma %a, %b, %k",
        "%z: T = sub %a, %a",
        "%z: T = div %a, %a",
        "%z: B = eq %a, %a",
        "%z: B = ne %a, %a",
        "%z: B = le %a, %a",
        "%l: B = lt %a, %b; %z: B = not %l",
        "%k: T = const 0.0; %z: T = sub %k, %a",
    ] {
        rule("f32", lines, lines);
    }
    // 2^-126 is the smallest normal number; the reciprocal of 2^127 is below it.
    let huge = "%k: T = const 0x7f000000; %z: T = div %a, %k";
    rule("f32", huge, huge);
    rule(
        "f32",
        "%k: T = const 0x7e800000; %z: T = div %a, %k",
        "%k: T = const 0x00800000; %z: T = mul %a, %k",
    );
}

#[test]
fn comparisons() {
    rule("u32", "%z: B = lt %a, %a", "%z: B = const false");
    rule("f32", "%z: B = lt %a, %a", "%z: B = const false");
    rule("u32", "%k: T = const 0; %z: B = lt %a, %k", "%z: B = const false");
    rule("u32", "%k: T = const 0; %z: B = le %k, %a", "%z: B = const true");
    rule("i32", "%k: T = const 2147483647; %z: B = lt %k, %a", "%z: B = const false");
    rule("i32", "%k: T = const 0; %z: B = lt %a, %k", "%k: T = const 0; %z: B = lt %a, %k");
    rule("u32", "%l: B = lt %a, %b; %z: B = not %l", "%z: B = le %b, %a");
    rule("f32", "%l: B = eq %a, %b; %z: B = not %l", "%z: B = ne %a, %b");
    let p = "%p: B = lt %a, %b";
    rule(
        "u32",
        &format!("{p}; %n: u32 = convert %p; %k: u32 = const 0; %z: B = ne %n, %k"),
        "%z: B = lt %a, %b",
    );
    rule(
        "u32",
        &format!("{p}; %n: u32 = convert %p; %k: u32 = const 1; %z: B = ne %n, %k"),
        "%z: B = le %b, %a",
    );
    rule(
        "u32",
        &format!("{p}; %n: u32 = convert %p; %k: u32 = const 2; %z: B = ne %n, %k"),
        "%z: B = const true",
    );
    let choice = "%x: T = const 5; %y: T = const 6; %s: T = select %p, %x, %y";
    rule("u32", &format!("{p}; {choice}; %k: T = const 6; %z: B = eq %s, %k"), "%z: B = le %b, %a");
}

#[test]
fn bools_and_choices() {
    let p = "%p: B = lt %a, %b; %q: B = lt %b, %c";
    let both = |tail: &str| format!("{p}; {tail}");
    rule("u32", &both("%z: T = select %p, %a, %a"), "%a");
    rule("u32", &both("%k: B = const true; %z: T = select %k, %a, %b"), "%a");
    rule(
        "u32",
        &both("%t: B = const true; %f: B = const false; %z: B = select %p, %t, %f"),
        "%z: B = lt %a, %b",
    );
    rule(
        "u32",
        &both("%t: B = const true; %f: B = const false; %z: B = select %p, %f, %t"),
        "%z: B = le %b, %a",
    );
    rule("u32", &both("%t: B = const true; %z: B = select %p, %t, %q"), &both("%z: B = or %p, %q"));
    rule("u32", &both("%f: B = const false; %z: B = select %p, %q, %f"), &both("%z: B = and %p, %q"));
    rule(
        "f32",
        &both("%n: B = not %p; %z: T = select %n, %a, %b"),
        "%p: B = lt %a, %b; %z: T = select %p, %b, %a",
    );
    rule(
        "u32",
        &both("%s: T = select %p, %a, %b; %z: T = select %p, %s, %c"),
        "%p: B = lt %a, %b; %z: T = select %p, %a, %c",
    );
    rule("u32", &both("%z: B = and %p, %p"), "%z: B = lt %a, %b");
    rule("u32", &both("%t: B = const true; %z: B = eq %p, %t"), "%z: B = lt %a, %b");
    rule("u32", &both("%t: B = const true; %z: B = ne %p, %t"), "%z: B = le %b, %a");
    rule("u32", &both("%z: B = xor %p, %p"), "%z: B = const false");
    rule("u32", &both("%t: B = const true; %z: B = or %p, %t"), "%z: B = const true");
}

#[test]
fn conversions() {
    // By way of a type that holds every number, or that keeps the bits that count.
    rule("i32", "%x: i64 = convert %a; %z: T = convert %x", "%a");
    rule("i32", "%x: u32 = convert %a; %z: T = convert %x", "%a");
    rule("i32", "%x: f64 = convert %a; %z: T = convert %x", "%a");
    rule("f32", "%x: f64 = convert %a; %z: T = convert %x", "%a");
    rule("i64", "%x: i32 = convert %a; %z: i8 = convert %x", "%z: i8 = convert %a");
    rule("u8", "%x: f32 = convert %a; %z: f64 = convert %x", "%z: f64 = convert %a");
    rule("u8", "%x: i32 = convert %a; %z: f32 = convert %x", "%z: f32 = convert %a");
    rule("f16", "%x: f32 = convert %a; %z: i32 = convert %x", "%z: i32 = convert %a");
    rule("u32", "%x: i32 = bitcast %a; %z: f32 = bitcast %x", "%z: f32 = bitcast %a");
    rule("f32", "%x: u32 = bitcast %a; %z: f32 = bitcast %x", "%a");
    for (ty, lines) in [
        ("i32", "%x: i8 = convert %a; %z: T = convert %x"),
        ("i32", "%x: u32 = convert %a; %z: i64 = convert %x"),
        ("i32", "%x: f32 = convert %a; %z: T = convert %x"),
        ("f64", "%x: f32 = convert %a; %z: T = convert %x"),
        // 300 saturates to 255 by way of a float and wraps to 44 directly.
        ("u16", "%x: f32 = convert %a; %z: u8 = convert %x"),
        ("f32", "%x: i32 = convert %a; %z: T = convert %x"),
        ("f16", "%x: bf16 = convert %a; %z: f32 = convert %x"),
    ] {
        rule(ty, lines, lines);
    }
}

#[test]
fn vectors_taken_apart() {
    rule("u32", "%v: u32x2 = compose %a, %b; %z: T = extract %v.y", "%b");
    let parts = "%x: u32 = extract %a.x; %y: u32 = extract %a.y";
    rule("u32x2", &format!("{parts}; %z: T = compose %x, %y"), "%a");
    let turned = format!("{parts}; %z: T = compose %y, %x");
    rule("u32x2", &turned, &turned);
}
