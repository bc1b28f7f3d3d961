//! Activation functions of neural networks.
//!
//! All are made from exponentials of what is not positive, so nothing overflows on the way.

use crate::shipped::Shipped;

pub(super) const OPS: &[Shipped] = &[
    Shipped {
        doc: "1 / (1 + e^-x), the logistic function: 0 at -infinity, 1 at infinity. Verhulst, \"Recherches \
              mathematiques sur la loi d'accroissement de la population\", 1845.",
        ulp: Some(3.5),
        laws: &[],
        text: "op math.sigmoid(%x: f32) -> f32 {
  %a: f32 = abs %x
  %minus: f32 = neg %a
  %e: f32 = exp %minus
  %one: f32 = const 1.0
  %sum: f32 = add %e, %one
  %zero: f32 = const 0.0
  %negative: bool = lt %x, %zero
  %numerator: f32 = select %negative, %e, %one
  %r: f32 = div %numerator, %sum
  yield %r
}",
    },
    Shipped {
        doc: "x / (1 + e^-x), also called swish. silu(-0) = -0, -0 at -infinity. Elfwing, Uchibe and Doya, \"Sigmoid-weighted \
              linear units for neural network function approximation in reinforcement learning\", 2018.",
        ulp: Some(6.0),
        laws: &[],
        text: "op math.silu(%x: f32) -> f32 {
  // Below -120 it is -0.
  %low: f32 = const -120.0
  %is_low: bool = lt %x, %low
  %c: f32 = select %is_low, %low, %x
  // e^-|x| as the square of a root that is not subnormal where the result is not 0.
  %a: f32 = abs %c
  %half: f32 = const -0.5
  %exponent: f32 = mul %a, %half
  %root: f32 = exp %exponent
  %one: f32 = const 1.0
  %sum: f32 = fma %root, %root, %one
  %zero: f32 = const 0.0
  %negative: bool = lt %c, %zero
  %less: f32 = mul %c, %root
  %left: f32 = select %negative, %less, %c
  %numerator: f32 = select %negative, %root, %one
  %right: f32 = div %numerator, %sum
  %r: f32 = mul %left, %right
  yield %r
}",
    },
    Shipped {
        doc: "log(1 + e^x): 0 at -infinity, x far above 0. Dugas et al., \"Incorporating second-order functional knowledge \
              for better option pricing\", 2000.",
        ulp: Some(3.3),
        laws: &[],
        text: "op math.softplus(%x: f32) -> f32 {
  %a: f32 = abs %x
  %minus: f32 = neg %a
  %e: f32 = exp %minus
  %log: f32 = call math.log1p %e
  %zero: f32 = const 0.0
  %positive: f32 = max %x, %zero
  %r: f32 = add %positive, %log
  yield %r
}",
    },
    Shipped {
        doc: "x times the normal distribution's cumulative function, x erfc(-x / sqrt 2) / 2, with its small values too. \
              gelu(-0) = -0, -0 at -infinity. Hendrycks and Gimpel, \"Gaussian error linear units\", 2016.",
        ulp: Some(6.5),
        laws: &[],
        text: "op math.gelu(%x: f32) -> f32 {
  // Below -20 it is -0; above 20 it is x.
  %low: f32 = const -20.0
  %is_low: bool = lt %x, %low
  %x1: f32 = select %is_low, %low, %x
  %a: f32 = abs %x1
  %high: f32 = const 20.0
  %is_high: bool = lt %high, %a
  %c: f32 = select %is_high, %high, %a
  // erfc(c / sqrt 2) / 2 = e^-(c^2 / 2) scaled; the square in two parts.
  %root_half: f32 = const 0.70710677
  %z: f32 = mul %c, %root_half
  %erfcx: f32 = call math.erfcx_abs %z
  %half: f32 = const 0.5
  %minus_half: f32 = const -0.5
  %scaled: f32 = mul %erfcx, %half
  %square: f32 = mul %c, %c
  %minus: f32 = neg %square
  %rest: f32 = fma %c, %c, %minus
  %exponent: f32 = mul %square, %minus_half
  %e: f32 = exp %exponent
  %off: f32 = mul %rest, %minus_half
  %power: f32 = fma %e, %off, %e
  %product: f32 = mul %x1, %scaled
  %below: f32 = mul %product, %power
  %one: f32 = const 1.0
  %tail: f32 = mul %scaled, %power
  %share: f32 = sub %one, %tail
  %above: f32 = mul %x, %share
  %zero: f32 = const 0.0
  %negative: bool = lt %x, %zero
  %r: f32 = select %negative, %below, %above
  yield %r
}",
    },
    Shipped {
        doc: "The approximation of gelu by x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2, as x / (1 + e^-u). -0 at \
              -infinity. Error at most 2.5 units in the last place of x: small results far below 0 are less accurate. \
              Hendrycks and Gimpel, \"Gaussian error linear units\", 2016.",
        ulp: None,
        laws: &[],
        text: "op math.gelu_tanh(%x: f32) -> f32 {
  // Below -20 it is -0.
  %low: f32 = const -20.0
  %is_low: bool = lt %x, %low
  %c: f32 = select %is_low, %low, %x
  // u = x (sqrt(8 / pi) + 0.044715 sqrt(8 / pi) x^2)
  %square: f32 = mul %c, %c
  %cubic: f32 = const 0.071354814
  %linear: f32 = const 1.5957692
  %slope: f32 = fma %square, %cubic, %linear
  %u: f32 = mul %c, %slope
  %sigmoid: f32 = call math.sigmoid %u
  %r: f32 = mul %c, %sigmoid
  yield %r
}",
    },
];
