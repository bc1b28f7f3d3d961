//! Roots.

use crate::shipped::Shipped;
use vyre_ir::dialect::Law;

pub(super) const OPS: &[Shipped] = &[
    Shipped {
        doc: "Cube root, also of negative numbers. cbrt(-0) = -0, infinite for infinities. A third of the exponent as first \
              guess, after Kahan, \"Computing a real cube root\", 1991; a step of Halley's and one of Newton's method.",
        ulp: Some(0.55),
        laws: &[],
        text: "op math.cbrt(%x: f32) -> f32 {
  %magnitude: f32 = abs %x
  // Away from subnormal numbers and from overflow by a power of 8.
  %one: f32 = const 1.0
  %is_small: bool = lt %magnitude, %one
  %up: f32 = const 16777216.0
  %down: f32 = const 0.015625
  %scale: f32 = select %is_small, %up, %down
  %a: f32 = mul %magnitude, %scale
  // Within 5 percent: a third of the bits, and two thirds of the exponent's bias.
  %bits: u32 = bitcast %a
  %three_bits: u32 = const 3
  %third: u32 = div %bits, %three_bits
  %bias: u32 = const 709965728
  %guess: u32 = add %third, %bias
  %y: f32 = bitcast %guess
  // Halley: y (y^3 + 2 a) / (2 y^3 + a)
  %yy: f32 = mul %y, %y
  %yyy: f32 = mul %yy, %y
  %two_a: f32 = add %a, %a
  %above: f32 = add %yyy, %two_a
  %two_yyy: f32 = add %yyy, %yyy
  %below: f32 = add %two_yyy, %a
  %ratio: f32 = div %above, %below
  %z: f32 = mul %y, %ratio
  // Newton: z - (z^3 - a) / (3 z^2), with z^2 in two parts.
  %square: f32 = mul %z, %z
  %minus_square: f32 = neg %square
  %rest: f32 = fma %z, %z, %minus_square
  %minus_a: f32 = neg %a
  %excess: f32 = fma %square, %z, %minus_a
  %residual: f32 = fma %rest, %z, %excess
  %three: f32 = const 3.0
  %slope: f32 = mul %square, %three
  %step: f32 = div %residual, %slope
  %root: f32 = sub %z, %step
  %root_down: f32 = const 0.00390625
  %root_up: f32 = const 4.0
  %unscale: f32 = select %is_small, %root_down, %root_up
  %positive: f32 = mul %root, %unscale
  %negative: f32 = neg %positive
  %zero: f32 = const 0.0
  %is_negative: bool = lt %x, %zero
  %signed: f32 = select %is_negative, %negative, %positive
  %infinity: f32 = const inf
  %is_zero: bool = eq %x, %zero
  %is_infinite: bool = eq %magnitude, %infinity
  %is_special: bool = or %is_zero, %is_infinite
  %r: f32 = select %is_special, %x, %signed
  yield %r
}",
    },
    Shipped {
        doc: "sqrt(x^2 + y^2) without overflow or underflow on the way. Infinite if one of them is, even if the other is NaN. \
              Special cases: IEEE 754-2019, section 9.2.1.",
        ulp: Some(1.2),
        laws: &[Law::Commutative],
        text: "op math.hypot(%x: f32, %y: f32) -> f32 {
  %a: f32 = abs %x
  %b: f32 = abs %y
  %is_less: bool = lt %a, %b
  %large: f32 = select %is_less, %b, %a
  %small: f32 = select %is_less, %a, %b
  // A power of 2 that brings the larger between 2^-60 and 2^60.
  %one: f32 = const 1.0
  %high: f32 = const 1152921504606846976.0
  %low: f32 = const 8.881784197001252e-16
  %up: f32 = const 1237940039285380274899124224.0
  %down: f32 = const 8.077935669463161e-28
  %is_high: bool = lt %high, %large
  %is_low: bool = lt %large, %low
  %scale1: f32 = select %is_low, %up, %one
  %scale: f32 = select %is_high, %down, %scale1
  %unscale1: f32 = select %is_low, %down, %one
  %unscale: f32 = select %is_high, %up, %unscale1
  %l: f32 = mul %large, %scale
  %s: f32 = mul %small, %scale
  %ss: f32 = mul %s, %s
  %sum: f32 = fma %l, %l, %ss
  %root: f32 = sqrt %sum
  %value: f32 = mul %root, %unscale
  %infinity: f32 = const inf
  %a_infinite: bool = eq %a, %infinity
  %b_infinite: bool = eq %b, %infinity
  %is_infinite: bool = or %a_infinite, %b_infinite
  %r: f32 = select %is_infinite, %infinity, %value
  yield %r
}",
    },
];
