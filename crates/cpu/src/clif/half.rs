//! The table for vectors of f16 and bf16, which travel as their bits in lanes of 32 bits.
//!
//! They are computed in f32 and rounded once more, which is correctly rounded (`vyre_ir::lane` says why). The
//! conversions are exact for all numbers: subnormals, infinities and NaN too.

use super::scalar::Features;
use super::vector::{blend, cast, float_op, splat_bits};
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::types::{F32X4, I32X4};
use cranelift_codegen::ir::{InstBuilder, Value};
use cranelift_frontend::FunctionBuilder;
use smallvec::SmallVec;
use vyre_ir::{Op, Scalar};

/// An operation.
pub(super) fn emit(
    b: &mut FunctionBuilder,
    features: Features,
    op: Op,
    scalar: Scalar,
    args: &[Value],
) -> Option<Value> {
    match (op, args) {
        (Op::Neg, &[x]) => {
            let sign = splat_bits(b, 0x8000);
            return Some(b.ins().bxor(x, sign));
        }
        (Op::Abs, &[x]) => {
            let bits = splat_bits(b, 0x7fff);
            return Some(b.ins().band(x, bits));
        }
        // Rounding once more is not rounding once.
        (Op::Fma, _) => return None,
        (Op::Rem, &[x, y]) => {
            let mut step = |op, args: &[Value]| emit(b, features, op, scalar, args);
            let quotient = step(Op::Div, &[x, y])?;
            let whole = step(Op::Trunc, &[quotient])?;
            let product = step(Op::Mul, &[y, whole])?;
            return step(Op::Sub, &[x, product]);
        }
        _ => {}
    }
    let args: SmallVec<[Value; 2]> = args.iter().map(|&x| to_f32(b, scalar, x)).collect();
    let wide = float_op(b, features, op, &args)?;
    match op {
        Op::Eq | Op::Ne | Op::Lt | Op::Le => Some(wide),
        _ => Some(of_f32(b, scalar, wide)),
    }
}

/// The same number in f32.
pub(super) fn to_f32(b: &mut FunctionBuilder, scalar: Scalar, x: Value) -> Value {
    if scalar == Scalar::BF16 {
        let bits = b.ins().ishl_imm_u(x, 16);
        return cast(b, bits, F32X4);
    }
    let magnitude = splat_bits(b, 0x7fff);
    let magnitude = b.ins().band(x, magnitude);
    // The exponent is too small by the difference of the two biases, also for what is subnormal in f32 now.
    let bits = b.ins().ishl_imm_u(magnitude, 13);
    let small = cast(b, bits, F32X4);
    let factor = splat_bits(b, (127 + 127 - 15) << 23);
    let factor = cast(b, factor, F32X4);
    let number = b.ins().fmul(small, factor);
    let number = cast(b, number, I32X4);
    let last = splat_bits(b, 0x7bff);
    let special = b.ins().icmp(IntCC::SignedGreaterThan, magnitude, last);
    let exponent = splat_bits(b, 0xff << 23);
    let exponent = b.ins().band(special, exponent);
    let number = b.ins().bor(number, exponent);
    let sign = b.ins().bxor(x, magnitude);
    let sign = b.ins().ishl_imm_u(sign, 16);
    let number = b.ins().bor(number, sign);
    cast(b, number, F32X4)
}

/// The nearest number to an f32, ties to even.
pub(super) fn of_f32(b: &mut FunctionBuilder, scalar: Scalar, x: Value) -> Value {
    let bits = cast(b, x, I32X4);
    if scalar == Scalar::BF16 {
        return to_bf16(b, bits);
    }
    let magnitude = splat_bits(b, 0x7fff_ffff);
    let magnitude = b.ins().band(bits, magnitude);
    let sign = b.ins().bxor(bits, magnitude);
    let sign = b.ins().ushr_imm_u(sign, 16);
    // Normal numbers: the bits that are lost, and the lowest one that is not, decide about the carry.
    let odd = b.ins().ushr_imm_u(magnitude, 13);
    let one = splat_bits(b, 1);
    let odd = b.ins().band(odd, one);
    let bias = splat_bits(b, (0u32.wrapping_sub(127 - 15) << 23).wrapping_add(0xfff));
    let normal = b.ins().iadd(magnitude, bias);
    let normal = b.ins().iadd(normal, odd);
    let normal = b.ins().ushr_imm_u(normal, 13);
    // Subnormal ones: the sum with a number whose last place is theirs rounds as they are to be.
    let place_bits = splat_bits(b, (127 - 15 + 23 - 10 + 1) << 23);
    let place = cast(b, place_bits, F32X4);
    let number = cast(b, magnitude, F32X4);
    let sum = b.ins().fadd(number, place);
    let sum = cast(b, sum, I32X4);
    let subnormal = b.ins().isub(sum, place_bits);
    let first_normal = splat_bits(b, (127 - 14) << 23);
    let is_subnormal = b.ins().icmp(IntCC::SignedLessThan, magnitude, first_normal);
    let number = blend(b, is_subnormal, subnormal, normal);
    // Infinity beyond all numbers; a NaN is quiet and keeps the high bits.
    let infinity = splat_bits(b, 0xff << 23);
    let is_nan = b.ins().icmp(IntCC::SignedGreaterThan, magnitude, infinity);
    let payload = b.ins().ushr_imm_u(magnitude, 13);
    let payload_bits = splat_bits(b, 0x3ff);
    let payload = b.ins().band(payload, payload_bits);
    let quiet = splat_bits(b, 0x200);
    let payload = b.ins().bor(payload, quiet);
    let payload = b.ins().band(payload, is_nan);
    let exponent = splat_bits(b, 0x7c00);
    let special = b.ins().bor(payload, exponent);
    let beyond = splat_bits(b, ((127 + 16) << 23) - 1);
    let is_special = b.ins().icmp(IntCC::SignedGreaterThan, magnitude, beyond);
    let number = blend(b, is_special, special, number);
    b.ins().bor(number, sign)
}

fn to_bf16(b: &mut FunctionBuilder, bits: Value) -> Value {
    let high = b.ins().ushr_imm_u(bits, 16);
    let one = splat_bits(b, 1);
    let odd = b.ins().band(high, one);
    let carry = splat_bits(b, 0x7fff);
    let carry = b.ins().iadd(carry, odd);
    let rounded = b.ins().iadd(bits, carry);
    let rounded = b.ins().ushr_imm_u(rounded, 16);
    let magnitude = splat_bits(b, 0x7fff_ffff);
    let magnitude = b.ins().band(bits, magnitude);
    let infinity = splat_bits(b, 0xff << 23);
    let is_nan = b.ins().icmp(IntCC::SignedGreaterThan, magnitude, infinity);
    let quiet = splat_bits(b, 0x40);
    let nan = b.ins().bor(high, quiet);
    blend(b, is_nan, nan, rounded)
}
