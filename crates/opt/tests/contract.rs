//! What fast math makes of sums of products and of quotients, and what it leaves alone.

mod common;
use common::{check, program};
use vyre_opt::Target;

/// A machine with instructions for everything.
const RICH: Target = Target { native: |_, _| true, ..Target::SCALAR };

const LOADS: &str = "
    %i: u32 = global_id x
    %a: f32 = load w[%i]
    %b: f32 = load w[%i]
    %c: f32 = load w[%i]";

fn becomes(target: &Target, before: &str, after: &str) {
    let with_loads = |body| program(&format!("{LOADS}{body}"));
    check(target, "contract", &with_loads(before), &common::after(&with_loads(after), &["dce"], target));
}

#[track_caller]
fn stays(target: &Target, body: &str) {
    becomes(target, body, body);
}

#[test]
fn a_product_goes_into_the_sum() {
    let mul = "\n%p: f32 = mul %a, %b\n";
    let fma = "\n%s: f32 = fma %a, %b, %c\nstore w[%i], %s";
    becomes(&RICH, &format!("{mul}%s: f32 = add %p, %c\nstore w[%i], %s"), fma);
    becomes(&RICH, &format!("{mul}%s: f32 = add %c, %p\nstore w[%i], %s"), fma);
    becomes(
        &RICH,
        &format!("{mul}%s: f32 = sub %p, %c\nstore w[%i], %s"),
        "\n%n: f32 = neg %c\n%s: f32 = fma %a, %b, %n\nstore w[%i], %s",
    );
    becomes(
        &RICH,
        &format!("{mul}%s: f32 = sub %c, %p\nstore w[%i], %s"),
        "\n%n: f32 = neg %a\n%s: f32 = fma %n, %b, %c\nstore w[%i], %s",
    );
    // One of two products.
    becomes(
        &RICH,
        "\n%p: f32 = mul %a, %b\n%q: f32 = mul %b, %c\n%s: f32 = add %p, %q\nstore w[%i], %s",
        "\n%p: f32 = mul %a, %b\n%s: f32 = fma %b, %c, %p\nstore w[%i], %s",
    );
}

#[test]
fn a_product_stays() {
    // Used twice, it would be computed twice.
    stays(&RICH, "\n%p: f32 = mul %a, %b\n%s: f32 = add %p, %c\nstore w[%i], %s\nstore w[%i], %p");
    stays(&RICH, "\n%p: f32 = mul %a, %b\n%s: f32 = add %p, %p\nstore w[%i], %s");
    // Before a loop it is computed once.
    stays(
        &RICH,
        "
    %p: f32 = mul %a, %b
    %r: f32 = loop (%t: f32 = %c) {
      %s: f32 = add %t, %p
      %again: bool = lt %s, %a
      yield %again, %s
    }
    store w[%i], %r",
    );
    // Where the machine has no such instruction.
    stays(&Target::SCALAR, "\n%p: f32 = mul %a, %b\n%s: f32 = add %p, %c\nstore w[%i], %s");
    // Other types.
    stays(
        &RICH,
        "
    %h: f16 = load w[%i]
    %p: f16 = mul %h, %h
    %s: f16 = add %p, %h
    store w[%i], %s
    %x: u32 = mul %i, %i
    %y: u32 = add %x, %i
    store w[%i], %y",
    );
}

#[test]
fn a_quotient_by_a_constant_becomes_a_product() {
    // 1/3 rounded to f32 is 11184811 / 2^25.
    becomes(
        &Target::SCALAR,
        "\n%k: f32 = const 3\n%q: f32 = div %a, %k\nstore w[%i], %q",
        "\n%k: f32 = const 0.33333334\n%q: f32 = mul %a, %k\nstore w[%i], %q",
    );
    becomes(
        &Target::SCALAR,
        "\n%x: f64 = load w[%i]\n%k: f64 = const -8\n%q: f64 = div %x, %k\nstore w[%i], %q",
        "\n%x: f64 = load w[%i]\n%k: f64 = const -0.125\n%q: f64 = mul %x, %k\nstore w[%i], %q",
    );
    // The reciprocal would be 0, subnormal, infinite, or a NaN.
    for constant in ["inf", "-inf", "3e38", "0", "-0", "1e-39", "0x7fc00000"] {
        stays(
            &Target::SCALAR,
            &format!("\n%k: f32 = const {constant}\n%q: f32 = div %a, %k\nstore w[%i], %q"),
        );
    }
    stays(&Target::SCALAR, "\n%q: f32 = div %a, %b\nstore w[%i], %q");
    stays(
        &Target::SCALAR,
        "\n%k: f16 = const 3\n%h: f16 = load w[%i]\n%q: f16 = div %h, %k\nstore w[%i], %q",
    );
    // Then it can go into a sum.
    becomes(
        &RICH,
        "\n%k: f32 = const 3\n%q: f32 = div %a, %k\n%s: f32 = add %q, %c\nstore w[%i], %s",
        "\n%k: f32 = const 0.33333334\n%s: f32 = fma %a, %k, %c\nstore w[%i], %s",
    );
}
