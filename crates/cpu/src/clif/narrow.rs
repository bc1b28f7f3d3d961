//! The table for vectors of integers of 8 and 16 bits, which travel in lanes of 32 bits, extended by their sign.

use super::vector::{int_op, splat_bits};
use cranelift_codegen::ir::{InstBuilder, Value};
use cranelift_frontend::FunctionBuilder;
use vyre_ir::{Op, Scalar};

/// An operation, shifts left out.
pub(super) fn emit(b: &mut FunctionBuilder, op: Op, scalar: Scalar, args: &[Value]) -> Option<Value> {
    let width = scalar.bits();
    let signed = scalar.is_signed();
    match (op, args) {
        (Op::MulHi, &[x, y]) => {
            let product = b.ins().imul(x, y);
            Some(shift_right(b, signed, product, width))
        }
        (Op::CountOnes | Op::LeadingZeros, &[x]) => {
            let bits = splat_bits(b, scalar.mask() as u32);
            let x = b.ins().band(x, bits);
            let count = int_op(b, op, false, &[x])?;
            if op == Op::CountOnes {
                return Some(count);
            }
            let above = splat_bits(b, 32 - width);
            Some(b.ins().isub(count, above))
        }
        (Op::TrailingZeros, &[x]) => {
            let stop = splat_bits(b, 1 << width);
            let x = b.ins().bor(x, stop);
            int_op(b, op, false, &[x])
        }
        (Op::ReverseBits, &[x]) => {
            let reversed = int_op(b, op, false, &[x])?;
            Some(shift_right(b, signed, reversed, 32 - width))
        }
        (Op::Eq | Op::Ne | Op::Lt | Op::Le | Op::Min | Op::Max | Op::And | Op::Or | Op::Xor, _) => {
            int_op(b, op, signed, args)
        }
        _ => {
            let wide = int_op(b, op, signed, args)?;
            Some(in_range(b, scalar, wide))
        }
    }
}

/// What is left of a number in a type.
pub(super) fn in_range(b: &mut FunctionBuilder, scalar: Scalar, x: Value) -> Value {
    if scalar.bytes() >= 4 {
        return x;
    }
    if !scalar.is_signed() {
        let bits = splat_bits(b, scalar.mask() as u32);
        return b.ins().band(x, bits);
    }
    let above = 32 - scalar.bits() as i64;
    let high = b.ins().ishl_imm_u(x, above);
    b.ins().sshr_imm_u(high, above)
}

fn shift_right(b: &mut FunctionBuilder, signed: bool, x: Value, n: u32) -> Value {
    if signed { b.ins().sshr_imm_u(x, n as i64) } else { b.ins().ushr_imm_u(x, n as i64) }
}
