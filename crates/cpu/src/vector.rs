//! The vector table: which Cranelift instructions compute four invocations' lanes of an operation at once.
//!
//! Numbers of 32 bits travel as `I32X4` and `F32X4`, truth as masks: `I32X4` of 0 and -1. Each entry gives exactly
//! what [`crate::ops`] gives lane by lane. What has no entry is done by that table one invocation after another, so a
//! missing entry is slow and never wrong.

use crate::ops::{Features, plain_float_op, plain_int_op};
use cranelift_codegen::ir::condcodes::{CondCode, FloatCC, IntCC};
use cranelift_codegen::ir::types::{F32X4, I32, I32X4};
use cranelift_codegen::ir::{
    self, ConstantData, Endianness, InstBuilder, InstructionData, MemFlagsData, Opcode, Value,
};
use cranelift_frontend::FunctionBuilder;
use vyre_ir::{Op, Scalar, Sig};

/// Invocations of a vector.
pub(crate) const LANES: usize = 4;

/// Whether a type that differs between invocations can be in vectors.
pub(crate) fn fits(scalar: Scalar) -> bool {
    matches!(scalar, Scalar::Bool | Scalar::I32 | Scalar::U32 | Scalar::F32)
}

/// How four invocations' lanes of that type travel.
pub(crate) fn vector_type(scalar: Scalar) -> ir::Type {
    if scalar == Scalar::F32 { F32X4 } else { I32X4 }
}

/// The same bits in another vector type.
pub(crate) fn cast(b: &mut FunctionBuilder, x: Value, to: ir::Type) -> Value {
    if b.func.dfg.value_type(x) == to {
        return x;
    }
    b.ins().bitcast(to, MemFlagsData::new().with_endianness(Endianness::Little), x)
}

/// `x` where the mask is set, else `y`.
pub(crate) fn blend(b: &mut FunctionBuilder, mask: Value, x: Value, y: Value) -> Value {
    if x == y {
        return x;
    }
    let mask = cast(b, mask, b.func.dfg.value_type(x));
    b.ins().bitselect(mask, x, y)
}

/// The same scalar in all lanes; a bool becomes a mask.
pub(crate) fn splat(b: &mut FunctionBuilder, scalar: Scalar, x: Value) -> Value {
    let x = if scalar == Scalar::Bool { mask_word(b, x) } else { x };
    b.ins().splat(vector_type(scalar), x)
}

/// A bool as 0 or -1.
pub(crate) fn mask_word(b: &mut FunctionBuilder, x: Value) -> Value {
    let wide = b.ins().uextend(I32, x);
    b.ins().ineg(wide)
}

/// `first`, `first + 1`, `first + 2`, `first + 3`.
pub(crate) fn counting(b: &mut FunctionBuilder, first: u32) -> Value {
    let bytes: Vec<u8> = (first..first + LANES as u32).flat_map(u32::to_le_bytes).collect();
    let constant = b.func.dfg.constants.insert(ConstantData::from(bytes));
    b.ins().vconst(I32X4, constant)
}

fn splat_bits(b: &mut FunctionBuilder, bits: u32) -> Value {
    let scalar = b.ins().iconst(I32, bits as i64);
    b.ins().splat(I32X4, scalar)
}

/// Four lanes of the operation, or `None` where there is only the way of one lane after another.
pub(crate) fn emit(
    b: &mut FunctionBuilder,
    features: Features,
    op: Op,
    sig: Sig,
    args: &[Value],
) -> Option<Value> {
    match (op, args) {
        (Op::Select, &[c, x, y]) => Some(blend(b, c, x, y)),
        (Op::Convert, &[x]) => convert(b, sig.operand, sig.result, x),
        (Op::Bitcast, &[x]) => Some(cast(b, x, vector_type(sig.result))),
        _ => match sig.operand {
            Scalar::Bool => bool_op(b, op, args),
            Scalar::I32 | Scalar::U32 => plain_int_op(b, op, sig.operand.is_signed(), args),
            Scalar::F32 => float_op(b, features, op, args),
            _ => None,
        },
    }
}

fn bool_op(b: &mut FunctionBuilder, op: Op, args: &[Value]) -> Option<Value> {
    Some(match (op, args) {
        (Op::And, &[x, y]) => b.ins().band(x, y),
        (Op::Or, &[x, y]) => b.ins().bor(x, y),
        (Op::Xor | Op::Ne, &[x, y]) => b.ins().bxor(x, y),
        (Op::Not, &[x]) => not(b, x),
        (Op::Eq, &[x, y]) => b.ins().icmp(IntCC::Equal, x, y),
        _ => return None,
    })
}

/// The other truth; of a comparison of floats the opposite one, which is true for NaN.
fn not(b: &mut FunctionBuilder, x: Value) -> Value {
    let inst = b.func.dfg.value_def(x).inst();
    match inst.map(|inst| b.func.dfg.insts[inst]) {
        Some(InstructionData::FloatCompare { opcode: Opcode::Fcmp, cond, args: [y, z] }) => {
            b.ins().fcmp(cond.complement(), y, z)
        }
        _ => b.ins().bnot(x),
    }
}

fn float_op(b: &mut FunctionBuilder, features: Features, op: Op, args: &[Value]) -> Option<Value> {
    match (op, args) {
        (Op::Min | Op::Max, &[x, y]) => Some(extreme(b, op, x, y)),
        _ => plain_float_op(b, features, op, args),
    }
}

/// The smaller or larger number, as for one lane in [`crate::ops`].
fn extreme(b: &mut FunctionBuilder, op: Op, x: Value, y: Value) -> Value {
    let (x, y) = if known_float(b, x).is_some() { (y, x) } else { (x, y) };
    let (low, high) = if op == Op::Min { (x, y) } else { (y, x) };
    let first = b.ins().fcmp(FloatCC::LessThan, low, high);
    let nearly = blend(b, first, x, y);
    if let Some(limit) = known_float(b, y) {
        // With a constant that is right, except that a zero may lose against a zero that goes first.
        let loses = limit == 0.0 && limit.is_sign_negative() == (op == Op::Max);
        if !limit.is_nan() && !loses {
            return nearly;
        }
    }
    let number = b.ins().fcmp(FloatCC::Equal, y, y);
    let number = blend(b, number, nearly, x);
    // Equal numbers have the same bits, unless they are zeros of two signs.
    let both = if op == Op::Min { b.ins().bor(x, y) } else { b.ins().band(x, y) };
    let equal = b.ins().fcmp(FloatCC::Equal, x, y);
    blend(b, equal, both, number)
}

/// The number that all lanes are, if it is a constant.
fn known_float(b: &FunctionBuilder, value: Value) -> Option<f32> {
    let def = |value| Some(b.func.dfg.insts[b.func.dfg.value_def(value).inst()?]);
    match def(value)? {
        InstructionData::Unary { opcode: Opcode::Splat, arg } => match def(arg)? {
            InstructionData::UnaryIeee32 { imm, .. } => Some(f32::from_bits(imm.bits())),
            _ => None,
        },
        _ => None,
    }
}

fn convert(b: &mut FunctionBuilder, from: Scalar, to: Scalar, x: Value) -> Option<Value> {
    use Scalar::{Bool, F32, I32, U32};
    Some(match (from, to) {
        _ if from == to => x,
        (I32 | U32, I32 | U32) => x,
        (Bool, I32 | U32) => b.ins().ineg(x),
        (Bool, F32) => {
            let one = splat_bits(b, 1.0f32.to_bits());
            let bits = b.ins().band(x, one);
            cast(b, bits, F32X4)
        }
        (I32 | U32, Bool) => {
            let zero = splat_bits(b, 0);
            b.ins().icmp(IntCC::NotEqual, x, zero)
        }
        (F32, Bool) => {
            let zero = splat_bits(b, 0);
            let zero = cast(b, zero, F32X4);
            b.ins().fcmp(FloatCC::NotEqual, x, zero)
        }
        (I32, F32) => b.ins().fcvt_from_sint(F32X4, x),
        (U32, F32) => b.ins().fcvt_from_uint(F32X4, x),
        (F32, I32) => b.ins().fcvt_to_sint_sat(I32X4, x),
        (F32, U32) => b.ins().fcvt_to_uint_sat(I32X4, x),
        _ => return None,
    })
}
