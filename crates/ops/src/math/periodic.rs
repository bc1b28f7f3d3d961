//! Sine and cosine of multiples of pi, and the sine's quotient.

use crate::shipped::Shipped;

pub(super) const OPS: &[Shipped] = &[
    Shipped {
        doc: "sin(pi x), exact where x is a multiple of a half: there is no error from reducing the angle. NaN at infinity; \
              zeros have the sign of x. Definition: IEEE 754-2019, section 9.2, sinPi.",
        ulp: Some(2.4),
        laws: &[],
        text: "op math.sin_pi(%x: f32) -> f32 {
  %n: f32 = round %x
  %r: f32 = sub %x, %n
  %pi: f32 = const 3.1415927
  %angle: f32 = mul %r, %pi
  %sine: f32 = sin %angle
  %minus: f32 = neg %sine
  // Odd n change the sign.
  %half: f32 = const 0.5
  %half_n: f32 = mul %n, %half
  %whole: f32 = floor %half_n
  %is_even: bool = eq %half_n, %whole
  %value: f32 = select %is_even, %sine, %minus
  %zero: f32 = const 0.0
  %signed_zero: f32 = mul %x, %zero
  %is_zero: bool = eq %r, %zero
  %result: f32 = select %is_zero, %signed_zero, %value
  yield %result
}",
    },
    Shipped {
        doc: "cos(pi x), exact where x is a multiple of a half: there is no error from reducing the angle. NaN at infinity; \
              zeros are +0. Definition: IEEE 754-2019, section 9.2, cosPi.",
        ulp: Some(2.4),
        laws: &[],
        text: "op math.cos_pi(%x: f32) -> f32 {
  %a: f32 = abs %x
  %half: f32 = const 0.5
  %half_a: f32 = mul %a, %half
  %n: f32 = round %half_a
  %two_n: f32 = add %n, %n
  %difference: f32 = sub %a, %two_n
  %r: f32 = abs %difference
  // cos(pi r) = sin(pi (1/2 - r)); the difference is exact where the result is small.
  %turned: f32 = sub %half, %r
  %pi: f32 = const 3.1415927
  %angle: f32 = mul %turned, %pi
  %result: f32 = sin %angle
  yield %result
}",
    },
    Shipped {
        doc: "sin(x) / x: 1 at 0, 0 at infinity. Definition: DLMF 3.3.43.",
        ulp: Some(3.0),
        laws: &[],
        text: "op math.sinc(%x: f32) -> f32 {
  %sine: f32 = sin %x
  %quotient: f32 = div %sine, %x
  %zero: f32 = const 0.0
  %one: f32 = const 1.0
  %infinity: f32 = const inf
  %a: f32 = abs %x
  %is_zero: bool = eq %x, %zero
  %finite: f32 = select %is_zero, %one, %quotient
  %is_infinite: bool = eq %a, %infinity
  %r: f32 = select %is_infinite, %zero, %finite
  yield %r
}",
    },
];
