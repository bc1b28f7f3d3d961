//! The table for vectors of 64 bits: two lanes each, `I64X2` and `F64X2`.
//!
//! Masks have words of 32 bits everywhere else, so comparisons are narrowed and masks widened.

use super::scalar::{Features, plain_int_op};
use super::vector::{bool_op, cast, float_op, shuffle, splat_bits};
use super::{Lanes, bits};
use cranelift_codegen::ir::condcodes::{FloatCC, IntCC};
use cranelift_codegen::ir::types::{F32X4, F64X2, I32X4, I64, I64X2};
use cranelift_codegen::ir::{InstBuilder, Value};
use cranelift_frontend::FunctionBuilder;
use vyre_ir::{Op, Scalar};

/// Vectors of words as twice as many of 64 bits.
pub(super) fn widen(b: &mut FunctionBuilder, words: &[Value], signed: bool) -> Lanes {
    let mut wide = Lanes::new();
    for &x in words {
        if signed {
            wide.push(b.ins().swiden_low(x));
            wide.push(b.ins().swiden_high(x));
        } else {
            wide.push(b.ins().uwiden_low(x));
            wide.push(b.ins().uwiden_high(x));
        }
    }
    wide
}

/// The low words of vectors of 64 bits, in half as many.
pub(super) fn truncate(b: &mut FunctionBuilder, wide: &[Value]) -> Lanes {
    let mut words = Lanes::new();
    for pair in wide.chunks(2) {
        let (low, high) = (cast(b, pair[0], I32X4), cast(b, pair[1], I32X4));
        words.push(shuffle(b, low, high, [0, 2, 4, 6]));
    }
    words
}

/// An operation; comparisons give masks of 64 bits.
pub(super) fn emit(
    b: &mut FunctionBuilder,
    features: Features,
    op: Op,
    scalar: Scalar,
    args: &[Value],
) -> Option<Value> {
    if scalar == Scalar::F64 {
        return float_op(b, features, op, args);
    }
    let signed = scalar.is_signed();
    Some(match (op, args) {
        (Op::Lt, &[x, y]) => less(b, signed, x, y),
        (Op::Le, &[x, y]) => {
            let more = less(b, signed, y, x);
            bool_op(b, Op::Not, &[more])?
        }
        (Op::Min, &[x, y]) => {
            let less = less(b, signed, x, y);
            b.ins().bitselect(less, x, y)
        }
        (Op::Max, &[x, y]) => {
            let less = less(b, signed, x, y);
            b.ins().bitselect(less, y, x)
        }
        (Op::CountOnes, &[x]) => ones(b, x),
        (Op::TrailingZeros, &[x]) => {
            let below = bits::below_lowest(b, x);
            ones(b, below)
        }
        (Op::LeadingZeros, &[x]) => {
            let mut smeared = x;
            for n in [1, 2, 4, 8, 16, 32] {
                let shifted = b.ins().ushr_imm_u(smeared, n);
                smeared = b.ins().bor(smeared, shifted);
            }
            let above = b.ins().bnot(smeared);
            ones(b, above)
        }
        (Op::ReverseBits, &[x]) => bits::reverse(b, x, 8),
        (Op::Div | Op::Rem | Op::MulHi | Op::Shl | Op::Shr, _) => return None,
        _ => return plain_int_op(b, op, signed, args),
    })
}

fn less(b: &mut FunctionBuilder, signed: bool, x: Value, y: Value) -> Value {
    if signed {
        return b.ins().icmp(IntCC::SignedLessThan, x, y);
    }
    let sign = b.ins().iconst(I64, i64::MIN);
    let sign = b.ins().splat(I64X2, sign);
    let (x, y) = (b.ins().bxor(x, sign), b.ins().bxor(y, sign));
    b.ins().icmp(IntCC::SignedLessThan, x, y)
}

fn ones(b: &mut FunctionBuilder, x: Value) -> Value {
    let mut sum = bits::byte_ones(b, x);
    for n in [8, 16, 32] {
        let shifted = b.ins().ushr_imm_u(sum, n);
        sum = b.ins().iadd(sum, shifted);
    }
    let mask = b.ins().iconst(I64, 0x7f);
    let mask = b.ins().splat(I64X2, mask);
    b.ins().band(sum, mask)
}

/// A conversion from or to 64 bits, if there are vectors for it. Numbers of 32 bits and less are i32, u32, f32 or bool.
pub(super) fn convert(b: &mut FunctionBuilder, from: Scalar, to: Scalar, x: &[Value]) -> Option<Lanes> {
    use Scalar::{Bool, F32, F64, I32, I64, U32, U64};
    Some(match (from, to) {
        (I64 | U64, I64 | U64) => x.into(),
        (I64 | U64, I32 | U32) => truncate(b, x),
        (I32 | U32, I64 | U64) => widen(b, x, from.is_signed()),
        (Bool, I64 | U64) => {
            let wide = widen(b, x, true);
            wide.iter().map(|&x| b.ins().ineg(x)).collect()
        }
        (I64 | U64 | F64, Bool) => {
            let zero = splat_bits(b, 0);
            let mut truth = Lanes::new();
            for &x in x {
                truth.push(if from == F64 {
                    let zero = cast(b, zero, F64X2);
                    b.ins().fcmp(FloatCC::NotEqual, x, zero)
                } else {
                    let zero = cast(b, zero, I64X2);
                    b.ins().icmp(IntCC::NotEqual, x, zero)
                });
            }
            truncate(b, &truth)
        }
        (Bool, F64) => {
            let one = b.ins().iconst(cranelift_codegen::ir::types::I64, 1.0f64.to_bits() as i64);
            let one = b.ins().splat(I64X2, one);
            let wide = widen(b, x, true);
            wide.iter()
                .map(|&x| {
                    let bits = b.ins().band(x, one);
                    cast(b, bits, F64X2)
                })
                .collect()
        }
        (I32 | U32, F64) => {
            let mut wide = Lanes::new();
            for &x in x {
                // Cranelift knows only the conversion of the low words.
                let high = shuffle(b, x, x, [2, 3, 2, 3]);
                for x in [x, high] {
                    wide.push(if from == I32 {
                        let x = b.ins().swiden_low(x);
                        b.ins().fcvt_from_sint(F64X2, x)
                    } else {
                        let x = b.ins().uwiden_low(x);
                        b.ins().fcvt_from_uint(F64X2, x)
                    });
                }
            }
            wide
        }
        (F64, I32 | U32) => {
            let words: Lanes = x.iter().map(|&x| bits::to_words(b, to == I32, x)).collect();
            pairs(b, &words)
        }
        (F32, F64) => {
            let mut wide = Lanes::new();
            for &x in x {
                let words = cast(b, x, I32X4);
                let high = shuffle(b, words, words, [2, 3, 2, 3]);
                let high = cast(b, high, F32X4);
                wide.push(b.ins().fvpromote_low(x));
                wide.push(b.ins().fvpromote_low(high));
            }
            wide
        }
        (F64, F32) => {
            let words: Lanes = x
                .iter()
                .map(|&x| {
                    let x = b.ins().fvdemote(x);
                    cast(b, x, I32X4)
                })
                .collect();
            let words = pairs(b, &words);
            words.iter().map(|&x| cast(b, x, F32X4)).collect()
        }
        _ => return None,
    })
}

/// The first two words of each two vectors as one.
fn pairs(b: &mut FunctionBuilder, words: &[Value]) -> Lanes {
    words.chunks(2).map(|pair| shuffle(b, pair[0], pair[1], [0, 1, 4, 5])).collect()
}
