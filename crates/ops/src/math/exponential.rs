//! Exponentials and logarithms near 0 and 1, where the plain ones lose what matters.

use crate::shipped::Shipped;
use vyre_ir::dialect::Law;

pub(super) const OPS: &[Shipped] = &[
    Shipped {
        doc: "e^x - 1, with its small values too. expm1(-0) = -0, -1 at -infinity. Argument reduction after Cody and \
              Waite, \"Software Manual for the Elementary Functions\", 1980.",
        ulp: Some(1.7),
        laws: &[],
        text: "op math.expm1(%x: f32) -> f32 {
  // Below -18 it is -1, above 88.73 infinite.
  %low: f32 = const -18.0
  %is_low: bool = lt %x, %low
  %x1: f32 = select %is_low, %low, %x
  %high: f32 = const 89.0
  %is_high: bool = lt %high, %x1
  %x2: f32 = select %is_high, %high, %x1
  // x = n log 2 + r; log 2 in two parts, the first so short that its product with n is exact.
  %per_log2: f32 = const 1.442695
  %scaled: f32 = mul %x2, %per_log2
  %n: f32 = round %scaled
  %log2_high: f32 = const -0.69314575
  %log2_low: f32 = const -1.4286068e-6
  %r1: f32 = fma %n, %log2_high, %x2
  %r: f32 = fma %n, %log2_low, %r1
  // e^r - 1 = r + r^2 P(r) for |r| <= 0.347; error of P 2^-27.7.
  %p5: f32 = const 0.00019891125
  %c4: f32 = const 0.0013933771
  %p4: f32 = fma %p5, %r, %c4
  %c3: f32 = const 0.0083333105
  %p3: f32 = fma %p4, %r, %c3
  %c2: f32 = const 0.041666463
  %p2: f32 = fma %p3, %r, %c2
  %c1: f32 = const 0.16666667
  %p1: f32 = fma %p2, %r, %c1
  %c0: f32 = const 0.5
  %p0: f32 = fma %p1, %r, %c0
  %rr: f32 = mul %r, %r
  %near: f32 = fma %rr, %p0, %r
  // 2^n (e^r - 1) + (2^n - 1), at half its size so that 2^n is finite.
  %i: i32 = convert %n
  %bias: i32 = const 126
  %biased: i32 = add %i, %bias
  %mantissa: u32 = const 23
  %power_bits: i32 = shl %biased, %mantissa
  %power: f32 = bitcast %power_bits
  %minus_half: f32 = const -0.5
  %less: f32 = add %power, %minus_half
  %half: f32 = fma %power, %near, %less
  %far: f32 = add %half, %half
  %zero: f32 = const 0.0
  %is_near: bool = eq %n, %zero
  %value: f32 = select %is_near, %near, %far
  %is_zero: bool = eq %x, %zero
  %result: f32 = select %is_zero, %x, %value
  yield %result
}",
    },
    Shipped {
        doc: "log(1 + x), as accurate for small x. log1p(-0) = -0, log1p(-1) = -infinity, NaN below. The logarithm of \
              1 + x rounded, plus what the rounding took: Hewlett-Packard, \"HP-15C Advanced Functions Handbook\", 1982.",
        ulp: Some(1.6),
        laws: &[],
        text: "op math.log1p(%x: f32) -> f32 {
  %one: f32 = const 1.0
  %u: f32 = add %x, %one
  %log: f32 = log %u
  // x - (u - 1), where the difference that is exact depends on which of 1 and x is larger.
  %u1: f32 = sub %u, %one
  %small: f32 = sub %x, %u1
  %ux: f32 = sub %u, %x
  %large: f32 = sub %one, %ux
  %is_large: bool = lt %one, %x
  %off: f32 = select %is_large, %large, %small
  %correction: f32 = div %off, %u
  %sum: f32 = add %log, %correction
  %zero: f32 = const 0.0
  %infinity: f32 = const inf
  %at_pole: bool = eq %u, %zero
  %at_end: bool = eq %u, %infinity
  %special: bool = or %at_pole, %at_end
  %r: f32 = select %special, %log, %sum
  %is_zero: bool = eq %x, %zero
  %result: f32 = select %is_zero, %x, %r
  yield %result
}",
    },
    Shipped {
        doc: "log(e^x + e^y) without overflow: the larger plus log1p(e^-difference). The larger itself where it is infinite. \
              Error at most 2 units in the last place of the largest of |x|, |y| and 1. Blanchard, Higham and Higham, \
              \"Accurately computing the log-sum-exp and softmax functions\", IMA Journal of Numerical Analysis 41, 2021.",
        ulp: None,
        laws: &[Law::Commutative],
        text: "op math.log_add_exp(%x: f32, %y: f32) -> f32 {
  %is_less: bool = lt %x, %y
  %large: f32 = select %is_less, %y, %x
  %small: f32 = select %is_less, %x, %y
  %zero: f32 = const 0.0
  %equal: bool = eq %small, %large
  %difference: f32 = sub %small, %large
  %d: f32 = select %equal, %zero, %difference
  %e: f32 = exp %d
  %log: f32 = call math.log1p %e
  %r: f32 = add %large, %log
  yield %r
}",
    },
];
