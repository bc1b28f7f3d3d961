//! The table for vectors of 32 bits: which Cranelift instructions compute four lanes of an operation at once.
//!
//! Integers of 32 bits and less, bools and small floats travel as `I32X4`: bools as masks of 0 and -1, small integers
//! extended by their sign ([`super::narrow`]), small floats as their bits ([`super::half`]). f32 travels as `F32X4`,
//! 64 bits as two lanes a vector ([`super::wide`]). Each entry gives exactly what [`super::scalar`] gives for a lane.
//! What has no entry is done by that table lane by lane, so a missing entry is slow and never wrong.

use super::scalar::{Features, extend, known, plain_float_op, plain_int_op};
use super::{Lanes, bits};
use cranelift_codegen::ir::condcodes::{CondCode, FloatCC, IntCC};
use cranelift_codegen::ir::types::{F32X4, F64X2, I8X16, I32, I32X4, I64X2};
use cranelift_codegen::ir::{
    self, ConstantData, Endianness, InstBuilder, InstructionData, MemFlagsData, Opcode, Value,
};
use cranelift_frontend::FunctionBuilder;
use smallvec::SmallVec;
use vyre_ir::{Op, Scalar};

/// Bytes of a vector.
pub(super) const BYTES: i32 = 16;

/// Lanes of a vector of a type.
pub(super) fn lanes_of(scalar: Scalar) -> usize {
    if scalar.bytes() == 8 { 2 } else { 4 }
}

/// How lanes of a type travel.
pub(super) fn vector_type(scalar: Scalar) -> ir::Type {
    match scalar {
        Scalar::F32 => F32X4,
        Scalar::F64 => F64X2,
        Scalar::I64 | Scalar::U64 => I64X2,
        _ => I32X4,
    }
}

/// The same bits in another vector type.
pub(super) fn cast(b: &mut FunctionBuilder, x: Value, to: ir::Type) -> Value {
    if b.func.dfg.value_type(x) == to {
        return x;
    }
    b.ins().bitcast(to, MemFlagsData::new().with_endianness(Endianness::Little), x)
}

/// `x` where the mask is set, else `y`.
pub(super) fn blend(b: &mut FunctionBuilder, mask: Value, x: Value, y: Value) -> Value {
    if x == y {
        return x;
    }
    let mask = cast(b, mask, b.func.dfg.value_type(x));
    b.ins().bitselect(mask, x, y)
}

/// A scalar as it is in a lane of a vector.
pub(super) fn lane_word(b: &mut FunctionBuilder, scalar: Scalar, x: Value) -> Value {
    match scalar {
        Scalar::Bool => mask_word(b, x),
        _ if scalar.bytes() < 4 => extend(b, x, I32, scalar.is_signed()),
        _ => x,
    }
}

/// The same scalar in all lanes.
pub(super) fn splat(b: &mut FunctionBuilder, scalar: Scalar, x: Value) -> Value {
    // A vector of constants is one load.
    if let (Some(bits), true) = (known(b, x), matches!(vector_type(scalar), I32X4)) {
        let bits = match scalar {
            Scalar::Bool => (bits as u32).wrapping_neg(),
            _ if scalar.is_int() && scalar.is_signed() => {
                let unused = 64 - scalar.bits();
                ((bits << unused) as i64 >> unused) as u32
            }
            _ => bits as u32,
        };
        return words(b, [bits; 4]);
    }
    let x = lane_word(b, scalar, x);
    b.ins().splat(vector_type(scalar), x)
}

/// A bool as 0 or -1.
fn mask_word(b: &mut FunctionBuilder, x: Value) -> Value {
    let wide = b.ins().uextend(I32, x);
    b.ins().ineg(wide)
}

/// A vector of constants.
pub(super) fn words(b: &mut FunctionBuilder, lanes: [u32; 4]) -> Value {
    let bytes: Vec<u8> = lanes.into_iter().flat_map(u32::to_le_bytes).collect();
    let constant = b.func.dfg.constants.insert(ConstantData::from(bytes));
    b.ins().vconst(I32X4, constant)
}

/// A vector of constant bytes.
pub(super) fn byte_table(b: &mut FunctionBuilder, bytes: [u8; 16]) -> Value {
    let constant = b.func.dfg.constants.insert(ConstantData::from(bytes.to_vec()));
    b.ins().vconst(I8X16, constant)
}

/// The same word in all lanes.
pub(super) fn splat_bits(b: &mut FunctionBuilder, bits: u32) -> Value {
    words(b, [bits; 4])
}

/// Words of two vectors in an order: those of the first are 0 to 3, of the second 4 to 7.
pub(super) fn shuffle(b: &mut FunctionBuilder, x: Value, y: Value, order: [u8; 4]) -> Value {
    let ty = b.func.dfg.value_type(x);
    let (x, y) = (cast(b, x, I8X16), cast(b, y, I8X16));
    let bytes: Vec<u8> = order.iter().flat_map(|&w| 4 * w..4 * w + 4).collect();
    let shuffled = shuffle_bytes(b, x, y, &bytes);
    cast(b, shuffled, ty)
}

/// Bytes of two vectors in an order.
pub(super) fn shuffle_bytes(b: &mut FunctionBuilder, x: Value, y: Value, order: &[u8]) -> Value {
    let order = b.func.dfg.immediates.push(ConstantData::from(order));
    b.ins().shuffle(x, y, order)
}

/// Does something to each vector of the operands.
pub(super) fn map(
    b: &mut FunctionBuilder,
    args: &[Lanes],
    mut f: impl FnMut(&mut FunctionBuilder, &[Value]) -> Option<Value>,
) -> Option<Lanes> {
    (0..args[0].len())
        .map(|i| {
            let args: SmallVec<[Value; 3]> = args.iter().map(|a| a[i]).collect();
            f(b, &args)
        })
        .collect()
}

/// An operation on bools.
pub(super) fn bool_op(b: &mut FunctionBuilder, op: Op, args: &[Value]) -> Option<Value> {
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
        Some(InstructionData::FloatCompare { opcode: Opcode::Fcmp, cond, args: [y, z] })
            if b.func.dfg.value_type(y) == F32X4 =>
        {
            b.ins().fcmp(cond.complement(), y, z)
        }
        _ => b.ins().bnot(x),
    }
}

/// An operation on integers of 32 bits, shifts left out.
pub(super) fn int_op(b: &mut FunctionBuilder, op: Op, signed: bool, args: &[Value]) -> Option<Value> {
    Some(match (op, args) {
        (Op::MulHi, &[x, y]) => bits::mul_hi(b, signed, x, y),
        (Op::Div, &[x, y]) => bits::divide(b, signed, x, y),
        (Op::Rem, &[x, y]) => bits::remainder(b, signed, x, y),
        (Op::CountOnes, &[x]) => bits::ones(b, x),
        (Op::LeadingZeros, &[x]) => bits::leading_zeros(b, x),
        (Op::TrailingZeros, &[x]) => bits::trailing_zeros(b, x),
        (Op::ReverseBits, &[x]) => bits::reverse(b, x, 4),
        (Op::Shl | Op::Shr, _) => return None,
        _ => return plain_int_op(b, op, signed, args),
    })
}

/// An operation on f32 or f64; comparisons give masks of as many bits.
pub(super) fn float_op(b: &mut FunctionBuilder, features: Features, op: Op, args: &[Value]) -> Option<Value> {
    match (op, args) {
        (Op::Min | Op::Max, &[x, y]) => Some(extreme(b, op, x, y)),
        _ => plain_float_op(b, features, op, args),
    }
}

/// The smaller or larger number, as for a scalar.
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
fn known_float(b: &FunctionBuilder, value: Value) -> Option<f64> {
    let def = |value| Some(b.func.dfg.insts[b.func.dfg.value_def(value).inst()?]);
    match def(value)? {
        InstructionData::Unary { opcode: Opcode::Splat, arg } => match def(arg)? {
            InstructionData::UnaryIeee32 { imm, .. } => Some(f32::from_bits(imm.bits()) as f64),
            InstructionData::UnaryIeee64 { imm, .. } => Some(f64::from_bits(imm.bits())),
            _ => None,
        },
        _ => None,
    }
}

/// A conversion between bools, integers that travel in 32 bits, and f32. Small integers are not yet in range.
pub(super) fn convert(b: &mut FunctionBuilder, from: Scalar, to: Scalar, x: Value) -> Option<Value> {
    use Scalar::{Bool, F32};
    let int = |s: Scalar| s.is_int() && s.bytes() <= 4;
    Some(match (from, to) {
        _ if from == to => x,
        _ if int(from) && int(to) => x,
        (Bool, _) if int(to) => b.ins().ineg(x),
        (Bool, F32) => {
            let one = splat_bits(b, 1.0f32.to_bits());
            let bits = b.ins().band(x, one);
            cast(b, bits, F32X4)
        }
        (_, Bool) if int(from) => {
            let zero = splat_bits(b, 0);
            b.ins().icmp(IntCC::NotEqual, x, zero)
        }
        (F32, Bool) => {
            let zero = splat_bits(b, 0);
            let zero = cast(b, zero, F32X4);
            b.ins().fcmp(FloatCC::NotEqual, x, zero)
        }
        // What is small or has a sign is in the range of a signed number.
        (_, F32) if int(from) && from != Scalar::U32 => b.ins().fcvt_from_sint(F32X4, x),
        (Scalar::U32, F32) => b.ins().fcvt_from_uint(F32X4, x),
        (F32, Scalar::U32) => b.ins().fcvt_to_uint_sat(I32X4, x),
        (F32, _) if int(to) => {
            let wide = b.ins().fcvt_to_sint_sat(I32X4, x);
            if to == Scalar::I32 { wide } else { clamp(b, to, wide) }
        }
        _ => return None,
    })
}

/// The nearest number of a small type to an i32.
pub(super) fn clamp(b: &mut FunctionBuilder, to: Scalar, x: Value) -> Value {
    let (low, high) = match to.is_signed() {
        true => (-((to.mask() >> 1) as i64) - 1, (to.mask() >> 1) as i64),
        false => (0, to.mask() as i64),
    };
    let (low, high) = (splat_bits(b, low as u32), splat_bits(b, high as u32));
    let x = b.ins().smin(x, high);
    b.ins().smax(x, low)
}
