//! Going from one value to another.

use crate::shipped::Shipped;

pub(super) const OPS: &[Shipped] = &[
    Shipped {
        doc: "a + t (b - a), the point at t between a and b: a at t = 0, b at t = 1, each exactly. Error at \
              most one unit in the last place of the larger of |a (1 - t)| and the result, where neither overflows. \
              Definition: OpenGL Shading Language 4.60, section 8.3, mix.",
        ulp: None,
        laws: &[],
        text: "op math.lerp(%a: f32, %b: f32, %t: f32) -> f32 {
  %minus: f32 = neg %t
  %rest: f32 = fma %minus, %a, %a
  %r: f32 = fma %t, %b, %rest
  yield %r
}",
    },
    Shipped {
        doc: "t^2 (3 - 2 t) with t = (x - low) / (high - low) between 0 and 1: 0 up to low, 1 from high on. A step where \
              low = high, 0 at the edge itself. The error is that where neither difference overflows; \
              it is the sum of what each rounding can add, the largest seen is 5.2. Definition: OpenGL Shading Language 4.60, section 8.3.",
        ulp: Some(9.0),
        laws: &[],
        text: "op math.smoothstep(%low: f32, %high: f32, %x: f32) -> f32 {
  %zero: f32 = const 0.0
  %one: f32 = const 1.0
  %off: f32 = sub %x, %low
  %width: f32 = sub %high, %low
  %share: f32 = div %off, %width
  // Comparisons and not `min` and `max`, which would lose NaN.
  %is_below: bool = lt %share, %zero
  %t1: f32 = select %is_below, %zero, %share
  %is_above: bool = lt %one, %t1
  %t2: f32 = select %is_above, %one, %t1
  %at_low: bool = eq %x, %low
  %t: f32 = select %at_low, %zero, %t2
  %minus_two: f32 = const -2.0
  %three: f32 = const 3.0
  %slope: f32 = fma %t, %minus_two, %three
  %square: f32 = mul %t, %t
  %r: f32 = mul %square, %slope
  yield %r
}",
    },
];
