//! The table for scalars: which Cranelift instructions compute one lane of an operation.
//!
//! A row that the table lacks is not an error: [`emit`] gives `None` and the caller calls the row's reference
//! semantics instead ([`crate::shim::Shim::Evaluate`]), so a new operation works at once and only slowly. A test
//! compares every row and scalar with those semantics.
//!
//! Cranelift's integer division traps where vyre's is defined, and its minimum propagates NaN where vyre's does not;
//! both are built from simpler instructions. f16 and bf16 travel as 16-bit integers, because Cranelift lowers nothing
//! for them; only what is exact on their bits is here.

use cranelift_codegen::ir::condcodes::{FloatCC, IntCC};
use cranelift_codegen::ir::types::{F32, F64, I8, I16, I32, I64};
use cranelift_codegen::ir::{self, InstBuilder, InstructionData, MemFlagsData, Opcode, Value};
use cranelift_frontend::FunctionBuilder;
use vyre_ir::{Op, Scalar, Sig};

/// What the processor has beyond the baseline.
#[derive(Copy, Clone, Debug)]
pub(crate) struct Features {
    /// Fused multiply-add of f32 and f64.
    pub fma: bool,
    /// Rounding to an integer in one instruction (SSE 4.1).
    pub round: bool,
}

/// How a lane of that type travels.
pub(crate) fn clif_type(scalar: Scalar) -> ir::Type {
    match scalar {
        Scalar::F32 => F32,
        Scalar::F64 => F64,
        Scalar::Bool => I8,
        other => int_type(other.bytes()),
    }
}

/// The integer of that many bytes.
fn int_type(bytes: u32) -> ir::Type {
    match bytes {
        1 => I8,
        2 => I16,
        4 => I32,
        _ => I64,
    }
}

/// A constant from its bits.
pub(crate) fn constant(b: &mut FunctionBuilder, scalar: Scalar, bits: u64) -> Value {
    match scalar {
        Scalar::F32 => b.ins().f32const(f32::from_bits(bits as u32)),
        Scalar::F64 => b.ins().f64const(f64::from_bits(bits)),
        _ => integer(b, clif_type(scalar), bits as i64),
    }
}

fn integer(b: &mut FunctionBuilder, ty: ir::Type, n: i64) -> Value {
    // Cranelift wants the immediate's unused high bits to be zero.
    b.ins().iconst(ty, n & (u64::MAX >> (64 - ty.bits())) as i64)
}

/// The bits of an integer constant.
pub(crate) fn known(b: &FunctionBuilder, value: Value) -> Option<u64> {
    let inst = b.func.dfg.value_def(value).inst()?;
    match b.func.dfg.insts[inst] {
        InstructionData::UnaryImm { opcode: Opcode::Iconst, imm } => Some(imm.bits() as u64),
        _ => None,
    }
}

/// A lane of the operation, or `None` where only the reference semantics exist.
pub(crate) fn emit(
    b: &mut FunctionBuilder,
    features: Features,
    op: Op,
    sig: Sig,
    args: &[Value],
) -> Option<Value> {
    match (op, args) {
        (Op::Select, &[c, x, y]) => Some(b.ins().select(c, x, y)),
        (Op::Convert, &[x]) => convert(b, sig.operand, sig.result, x),
        (Op::Bitcast, &[x]) => Some(cast(b, x, clif_type(sig.result))),
        _ if sig.operand == Scalar::Bool => bool_op(b, op, args),
        _ if sig.operand.is_int() => int_op(b, op, sig.operand, args),
        _ if matches!(sig.operand, Scalar::F32 | Scalar::F64) => float_op(b, features, op, args),
        _ => small_float_op(b, op, args),
    }
}

fn bool_op(b: &mut FunctionBuilder, op: Op, args: &[Value]) -> Option<Value> {
    Some(match (op, args) {
        (Op::And, &[x, y]) => b.ins().band(x, y),
        (Op::Or, &[x, y]) => b.ins().bor(x, y),
        (Op::Xor | Op::Ne, &[x, y]) => b.ins().bxor(x, y),
        (Op::Not, &[x]) => b.ins().bxor_imm_u(x, 1),
        (Op::Eq, &[x, y]) => b.ins().icmp(IntCC::Equal, x, y),
        _ => return None,
    })
}

fn int_op(b: &mut FunctionBuilder, op: Op, scalar: Scalar, args: &[Value]) -> Option<Value> {
    let signed = scalar.is_signed();
    Some(match (op, args) {
        (Op::Div | Op::Rem, &[x, y]) => divide(b, op, scalar, x, y),
        (Op::MulHi, &[x, y]) if scalar.bits() == 64 && signed => b.ins().smulhi(x, y),
        (Op::MulHi, &[x, y]) if scalar.bits() == 64 => b.ins().umulhi(x, y),
        (Op::MulHi, &[x, y]) => {
            let (x, y) = (extend(b, x, I64, signed), extend(b, y, I64, signed));
            let product = b.ins().imul(x, y);
            let high = b.ins().ushr_imm_u(product, scalar.bits() as i64);
            b.ins().ireduce(clif_type(scalar), high)
        }
        (Op::CountOnes, &[x]) if scalar.bits() >= 32 => b.ins().popcnt(x),
        (Op::CountOnes, &[x]) => {
            let wide = b.ins().uextend(I32, x);
            let ones = b.ins().popcnt(wide);
            b.ins().ireduce(clif_type(scalar), ones)
        }
        (Op::LeadingZeros, &[x]) if scalar.bits() >= 32 => b.ins().clz(x),
        (Op::LeadingZeros, &[x]) => {
            let wide = b.ins().uextend(I32, x);
            let zeros = b.ins().clz(wide);
            let zeros = b.ins().iadd_imm_s(zeros, scalar.bits() as i64 - 32);
            b.ins().ireduce(clif_type(scalar), zeros)
        }
        (Op::TrailingZeros, &[x]) if scalar.bits() >= 32 => b.ins().ctz(x),
        (Op::TrailingZeros, &[x]) => {
            let wide = b.ins().uextend(I32, x);
            let stop = b.ins().bor_imm_u(wide, 1 << scalar.bits());
            let zeros = b.ins().ctz(stop);
            b.ins().ireduce(clif_type(scalar), zeros)
        }
        (Op::ReverseBits, &[x]) => b.ins().bitrev(x),
        _ => return plain_int_op(b, op, signed, args),
    })
}

/// The operations on integers that are one instruction for a scalar and for a vector register alike.
pub(crate) fn plain_int_op(b: &mut FunctionBuilder, op: Op, signed: bool, args: &[Value]) -> Option<Value> {
    let pick = |s, u| if signed { s } else { u };
    Some(match (op, args) {
        (Op::Add, &[x, y]) => b.ins().iadd(x, y),
        (Op::Sub, &[x, y]) => b.ins().isub(x, y),
        (Op::Mul, &[x, y]) => b.ins().imul(x, y),
        (Op::Min, &[x, y]) if signed => b.ins().smin(x, y),
        (Op::Min, &[x, y]) => b.ins().umin(x, y),
        (Op::Max, &[x, y]) if signed => b.ins().smax(x, y),
        (Op::Max, &[x, y]) => b.ins().umax(x, y),
        (Op::Neg, &[x]) => b.ins().ineg(x),
        (Op::Abs, &[x]) => b.ins().iabs(x),
        (Op::And, &[x, y]) => b.ins().band(x, y),
        (Op::Or, &[x, y]) => b.ins().bor(x, y),
        (Op::Xor, &[x, y]) => b.ins().bxor(x, y),
        (Op::Not, &[x]) => b.ins().bnot(x),
        // Cranelift takes the amount modulo the width of a lane too; for vectors it is one for all lanes.
        (Op::Shl, &[x, n]) => b.ins().ishl(x, n),
        (Op::Shr, &[x, n]) if signed => b.ins().sshr(x, n),
        (Op::Shr, &[x, n]) => b.ins().ushr(x, n),
        (Op::Eq, &[x, y]) => b.ins().icmp(IntCC::Equal, x, y),
        (Op::Ne, &[x, y]) => b.ins().icmp(IntCC::NotEqual, x, y),
        (Op::Lt, &[x, y]) => b.ins().icmp(pick(IntCC::SignedLessThan, IntCC::UnsignedLessThan), x, y),
        (Op::Le, &[x, y]) => {
            b.ins().icmp(pick(IntCC::SignedLessThanOrEqual, IntCC::UnsignedLessThanOrEqual), x, y)
        }
        _ => return None,
    })
}

/// Quotient and remainder that never trap: where the divisor is 0, or -1 under the smallest number, dividing by 1
/// gives what the rows say.
fn divide(b: &mut FunctionBuilder, op: Op, scalar: Scalar, x: Value, y: Value) -> Value {
    let signed = scalar.is_signed();
    if scalar.bits() < 32 {
        // Wide enough that the smallest number is no special case; the truncated result is the wrapped one.
        let (wide_x, wide_y) = (extend(b, x, I32, signed), extend(b, y, I32, signed));
        let wide = divide(b, op, if signed { Scalar::I32 } else { Scalar::U32 }, wide_x, wide_y);
        return b.ins().ireduce(clif_type(scalar), wide);
    }
    if let (Scalar::U32, Some(n)) = (scalar, known(b, y).filter(|&n| n > 1)) {
        return divide_by(b, op, x, n);
    }
    let ty = clif_type(scalar);
    let constant = known(b, y).map(|bits| bits << (64 - scalar.bits()));
    let safe = match constant {
        Some(bits) if bits != 0 && !(signed && bits as i64 >> (64 - scalar.bits()) == -1) => y,
        _ => {
            let zero = b.ins().icmp_imm_u(IntCC::Equal, y, 0);
            let mut special = zero;
            if signed {
                let minus_one = b.ins().icmp_imm_s(IntCC::Equal, y, -1);
                let smallest = integer(b, ty, i64::MIN >> (64 - scalar.bits()));
                let smallest = b.ins().icmp(IntCC::Equal, x, smallest);
                let overflow = b.ins().band(minus_one, smallest);
                special = b.ins().bor(zero, overflow);
            }
            let one = integer(b, ty, 1);
            b.ins().select(special, one, y)
        }
    };
    match (op, signed) {
        (Op::Div, true) => b.ins().sdiv(x, safe),
        (Op::Div, false) => b.ins().udiv(x, safe),
        (_, true) => b.ins().srem(x, safe),
        (_, false) => b.ins().urem(x, safe),
    }
}

/// Quotient and remainder of 32 bits by a constant above 1, with one multiplication: for `m = floor(2^64 / n) + 1` the
/// quotient is the high half of `x m`, because `m n - 2^64 <= n` and so `x m / 2^64` exceeds `x / n` by less than
/// `x / 2^64 < 1 / n`.
fn divide_by(b: &mut FunctionBuilder, op: Op, x: Value, n: u64) -> Value {
    let quotient = if n.is_power_of_two() {
        b.ins().ushr_imm_u(x, n.trailing_zeros() as i64)
    } else {
        let wide = b.ins().uextend(I64, x);
        let factor = b.ins().iconst(I64, (u64::MAX / n + 1) as i64);
        let high = b.ins().umulhi(wide, factor);
        b.ins().ireduce(I32, high)
    };
    if op == Op::Div {
        return quotient;
    }
    let product = b.ins().imul_imm_u(quotient, n as i64);
    b.ins().isub(x, product)
}

fn float_op(b: &mut FunctionBuilder, features: Features, op: Op, args: &[Value]) -> Option<Value> {
    match (op, args) {
        (Op::Min | Op::Max, &[x, y]) => Some(extreme(b, op, x, y)),
        _ => plain_float_op(b, features, op, args),
    }
}

/// The operations on floats that are the same instructions for a scalar and for a vector register.
pub(crate) fn plain_float_op(
    b: &mut FunctionBuilder,
    features: Features,
    op: Op,
    args: &[Value],
) -> Option<Value> {
    Some(match (op, args) {
        (Op::Add, &[x, y]) => b.ins().fadd(x, y),
        (Op::Sub, &[x, y]) => b.ins().fsub(x, y),
        (Op::Mul, &[x, y]) => b.ins().fmul(x, y),
        (Op::Div, &[x, y]) => b.ins().fdiv(x, y),
        (Op::Rem, &[x, y]) if features.round => {
            let quotient = b.ins().fdiv(x, y);
            let whole = b.ins().trunc(quotient);
            let product = b.ins().fmul(y, whole);
            b.ins().fsub(x, product)
        }
        (Op::Neg, &[x]) => b.ins().fneg(x),
        (Op::Abs, &[x]) => b.ins().fabs(x),
        (Op::Fma, &[x, y, z]) if features.fma => b.ins().fma(x, y, z),
        (Op::Sqrt, &[x]) => b.ins().sqrt(x),
        (Op::Floor, &[x]) if features.round => b.ins().floor(x),
        (Op::Ceil, &[x]) if features.round => b.ins().ceil(x),
        (Op::Trunc, &[x]) if features.round => b.ins().trunc(x),
        (Op::Round, &[x]) if features.round => b.ins().nearest(x),
        (Op::Eq, &[x, y]) => b.ins().fcmp(FloatCC::Equal, x, y),
        (Op::Ne, &[x, y]) => b.ins().fcmp(FloatCC::NotEqual, x, y),
        (Op::Lt, &[x, y]) => b.ins().fcmp(FloatCC::LessThan, x, y),
        (Op::Le, &[x, y]) => b.ins().fcmp(FloatCC::LessThanOrEqual, x, y),
        _ => return None,
    })
}

/// The smaller or larger number: a NaN gives way to a number, and -0 is smaller than +0.
fn extreme(b: &mut FunctionBuilder, op: Op, x: Value, y: Value) -> Value {
    let (x, y) = if known_float(b, x).is_some() { (y, x) } else { (x, y) };
    let (low, high) = if op == Op::Min { (x, y) } else { (y, x) };
    let first = b.ins().fcmp(FloatCC::LessThan, low, high);
    // One machine instruction with the comparison; gives `y` where either is NaN and where the two are equal.
    let nearly = b.ins().select(first, x, y);
    if let Some(limit) = known_float(b, y) {
        // With a constant that is right, except that a zero may lose against a zero that goes first.
        let loses = limit == 0.0 && limit.is_sign_negative() == (op == Op::Max);
        if !limit.is_nan() && !loses {
            return nearly;
        }
    }
    let number = b.ins().fcmp(FloatCC::Equal, y, y);
    let number = b.ins().select(number, nearly, x);
    // Equal numbers have the same bits, unless they are zeros of two signs.
    let (ty, int) = (b.func.dfg.value_type(x), int_type(b.func.dfg.value_type(x).bytes()));
    let (x_bits, y_bits) = (cast(b, x, int), cast(b, y, int));
    let both = if op == Op::Min { b.ins().bor(x_bits, y_bits) } else { b.ins().band(x_bits, y_bits) };
    let both = cast(b, both, ty);
    let equal = b.ins().fcmp(FloatCC::Equal, x, y);
    b.ins().select(equal, both, number)
}

fn known_float(b: &FunctionBuilder, value: Value) -> Option<f64> {
    let inst = b.func.dfg.value_def(value).inst()?;
    match b.func.dfg.insts[inst] {
        InstructionData::UnaryIeee32 { imm, .. } => Some(f32::from_bits(imm.bits()) as f64),
        InstructionData::UnaryIeee64 { imm, .. } => Some(f64::from_bits(imm.bits())),
        _ => None,
    }
}

fn small_float_op(b: &mut FunctionBuilder, op: Op, args: &[Value]) -> Option<Value> {
    match (op, args) {
        (Op::Neg, &[x]) => Some(b.ins().bxor_imm_u(x, 0x8000)),
        (Op::Abs, &[x]) => Some(b.ins().band_imm_u(x, 0x7fff)),
        _ => None,
    }
}

fn convert(b: &mut FunctionBuilder, from: Scalar, to: Scalar, x: Value) -> Option<Value> {
    let native = |s| matches!(s, Scalar::F32 | Scalar::F64);
    if from == to {
        return Some(x);
    }
    let (ty, signed) = (clif_type(to), from.is_signed());
    Some(match (from, to) {
        (Scalar::Bool, _) if to.is_int() => extend(b, x, ty, false),
        (_, Scalar::Bool) if from.is_int() => b.ins().icmp_imm_u(IntCC::NotEqual, x, 0),
        (_, Scalar::Bool) if native(from) => {
            let zero = constant(b, from, 0);
            b.ins().fcmp(FloatCC::NotEqual, x, zero)
        }
        _ if from.is_int() && to.is_int() && to.bits() < from.bits() => b.ins().ireduce(ty, x),
        _ if from.is_int() && to.is_int() => extend(b, x, ty, signed),
        _ if (from.is_int() || from == Scalar::Bool) && native(to) => {
            let x = if from.bits() < 32 { extend(b, x, I32, signed) } else { x };
            if signed { b.ins().fcvt_from_sint(ty, x) } else { b.ins().fcvt_from_uint(ty, x) }
        }
        _ if native(from) && to.is_int() => saturate(b, to, x),
        (Scalar::F32, Scalar::F64) => b.ins().fpromote(F64, x),
        (Scalar::F64, Scalar::F32) => b.ins().fdemote(F32, x),
        _ => return None,
    })
}

/// Float to integer, NaN to 0.
fn saturate(b: &mut FunctionBuilder, to: Scalar, x: Value) -> Value {
    let ty = clif_type(to);
    if to.bits() >= 32 {
        return if to.is_signed() {
            b.ins().fcvt_to_sint_sat(ty, x)
        } else {
            b.ins().fcvt_to_uint_sat(ty, x)
        };
    }
    let clamped = if to.is_signed() {
        let wide = b.ins().fcvt_to_sint_sat(I32, x);
        let largest = integer(b, I32, (to.mask() >> 1) as i64);
        let smallest = integer(b, I32, -((to.mask() >> 1) as i64) - 1);
        let wide = b.ins().smin(wide, largest);
        b.ins().smax(wide, smallest)
    } else {
        let wide = b.ins().fcvt_to_uint_sat(I32, x);
        let largest = integer(b, I32, to.mask() as i64);
        b.ins().umin(wide, largest)
    };
    b.ins().ireduce(ty, clamped)
}

/// An integer in a type at least as wide.
pub(crate) fn extend(b: &mut FunctionBuilder, x: Value, to: ir::Type, signed: bool) -> Value {
    match (b.func.dfg.value_type(x) == to, signed) {
        (true, _) => x,
        (false, true) => b.ins().sextend(to, x),
        (false, false) => b.ins().uextend(to, x),
    }
}

/// The same bits in another type of the same width.
pub(crate) fn cast(b: &mut FunctionBuilder, x: Value, to: ir::Type) -> Value {
    if b.func.dfg.value_type(x) == to { x } else { b.ins().bitcast(to, MemFlagsData::new(), x) }
}

/// The bits as a 64-bit integer, the unused high ones zero.
pub(crate) fn to_word(b: &mut FunctionBuilder, x: Value) -> Value {
    let bytes = b.func.dfg.value_type(x).bytes();
    let int = cast(b, x, int_type(bytes));
    extend(b, int, I64, false)
}

/// The reverse of [`to_word`].
pub(crate) fn of_word(b: &mut FunctionBuilder, word: Value, scalar: Scalar) -> Value {
    let int = int_type(scalar.bytes());
    let narrow = if int == I64 { word } else { b.ins().ireduce(int, word) };
    cast(b, narrow, clif_type(scalar))
}
