//! The error function and its relatives.
//!
//! All but the middle of `erf` come from `e^(x^2) erfc x`, which is smooth on the whole half line and benign: an error
//! in its argument is not made larger. `e^(-x^2)` gets the square in two parts, without which the tail would lose as
//! many bits as the square has before the point.

use crate::shipped::Shipped;

pub(super) const OPS: &[Shipped] = &[
    Shipped {
        doc: "Error function: 2 / sqrt(pi) times the integral of e^(-t^2) from 0 to x. erf(-0) = -0, 1 at infinity. \
              Definition: DLMF 7.2.1; a polynomial below 1, 1 - erfc x above.",
        ulp: Some(1.2),
        laws: &[],
        text: "op math.erf(%x: f32) -> f32 {
  %a: f32 = abs %x
  // erf x = x + x P(x^2) for |x| <= 1; error of P 2^-29.
  %t: f32 = mul %x, %x
  %p7: f32 = const -9.667045e-06
  %c6: f32 = const 0.00011265959
  %p6: f32 = fma %p7, %t, %c6
  %c5: f32 = const -0.00084840803
  %p5: f32 = fma %p6, %t, %c5
  %c4: f32 = const 0.0052210316
  %p4: f32 = fma %p5, %t, %c4
  %c3: f32 = const -0.02686543
  %p3: f32 = fma %p4, %t, %c3
  %c2: f32 = const 0.11283782
  %p2: f32 = fma %p3, %t, %c2
  %c1: f32 = const -0.37612638
  %p1: f32 = fma %p2, %t, %c1
  %c0: f32 = const 0.12837917
  %p0: f32 = fma %p1, %t, %c0
  %near: f32 = fma %x, %p0, %x
  %one: f32 = const 1.0
  %tail: f32 = call math.erfc %a
  %above: f32 = sub %one, %tail
  %below: f32 = neg %above
  %zero: f32 = const 0.0
  %negative: bool = lt %x, %zero
  %far: f32 = select %negative, %below, %above
  %is_near: bool = lt %a, %one
  %r: f32 = select %is_near, %near, %far
  yield %r
}",
    },
    Shipped {
        doc: "Complementary error function: 1 - erf x, with its small values too. erfc(0) = 1, 2 at -infinity, 0 from \
              10.06 on. Definition: DLMF 7.2.2.",
        ulp: Some(5.0),
        laws: &[],
        text: "op math.erfc(%x: f32) -> f32 {
  %a: f32 = abs %x
  %scaled: f32 = call math.erfcx_abs %x
  // From 11 on it is 0; the square stays finite.
  %far: f32 = const 11.0
  %is_far: bool = lt %far, %a
  %c: f32 = select %is_far, %far, %a
  // e^-(high + low) = e^-high (1 - low)
  %high: f32 = mul %c, %c
  %minus: f32 = neg %high
  %low: f32 = fma %c, %c, %minus
  %e: f32 = exp %minus
  %off: f32 = mul %e, %low
  %power: f32 = sub %e, %off
  %above: f32 = mul %power, %scaled
  %two: f32 = const 2.0
  %below: f32 = sub %two, %above
  %zero: f32 = const 0.0
  %negative: bool = lt %x, %zero
  %r: f32 = select %negative, %below, %above
  yield %r
}",
    },
    Shipped {
        doc: "e^(x^2) erfc |x|, the scaled complementary error function of the magnitude of x: 1 at 0, about \
              0.5642 / |x| far out, 0 at infinity. After Shepherd and Laframboise, \"Chebyshev approximation of \
              (1 + 2 x) exp(x^2) erfc x\", Mathematics of Computation 36, 1981.",
        ulp: Some(4.5),
        laws: &[],
        text: "op math.erfcx_abs(%x: f32) -> f32 {
  %a: f32 = abs %x
  // (1 + 2 a) e^(a^2) erfc a = P(q), q = (a - 2) / (a + 2), for all a >= 0; relative error 2^-25.7.
  %far: f32 = const 1e10
  %is_far: bool = lt %far, %a
  %b: f32 = select %is_far, %far, %a
  %two: f32 = const 2.0
  %above: f32 = sub %b, %two
  %below: f32 = add %b, %two
  %q: f32 = div %above, %below
  %p12: f32 = const -2.0108931e-05
  %c11: f32 = const 6.310018e-05
  %p11: f32 = fma %p12, %q, %c11
  %c10: f32 = const 0.00022110545
  %p10: f32 = fma %p11, %q, %c10
  %c9: f32 = const -0.0003571779
  %p9: f32 = fma %p10, %q, %c9
  %c8: f32 = const -0.0014635117
  %p8: f32 = fma %p9, %q, %c8
  %c7: f32 = const 0.0012166655
  %p7: f32 = fma %p8, %q, %c7
  %c6: f32 = const 0.008724295
  %p6: f32 = fma %p7, %q, %c6
  %c5: f32 = const -0.008018636
  %p5: f32 = fma %p6, %q, %c5
  %c4: f32 = const -0.054220185
  %p4: f32 = fma %p5, %q, %c4
  %c3: f32 = const 0.1640494
  %p3: f32 = fma %p4, %q, %c3
  %c2: f32 = const -0.16603039
  %p2: f32 = fma %p3, %q, %c2
  %c1: f32 = const -0.09276376
  %p1: f32 = fma %p2, %q, %c1
  %c0: f32 = const 1.2769784
  %p0: f32 = fma %p1, %q, %c0
  %half: f32 = const 0.5
  %numerator: f32 = mul %p0, %half
  %denominator: f32 = add %a, %half
  %r: f32 = div %numerator, %denominator
  yield %r
}",
    },
];
