//! Operations on vectors of integers of 32 bits that neither Cranelift nor the processor has.

use super::vector::{blend, byte_table, cast, shuffle, shuffle_bytes, splat_bits};
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::types::{F32X4, F64X2, I8, I8X16, I32X4, I64X2};
use cranelift_codegen::ir::{ConstantData, InstBuilder, Value};
use cranelift_frontend::FunctionBuilder;

/// The high halves of products.
pub(super) fn mul_hi(b: &mut FunctionBuilder, signed: bool, x: Value, y: Value) -> Value {
    // A product of widened numbers is one instruction.
    let product = |b: &mut FunctionBuilder, low: bool| {
        let mut widen = |x| match (signed, low) {
            (true, true) => b.ins().swiden_low(x),
            (true, false) => b.ins().swiden_high(x),
            (false, true) => b.ins().uwiden_low(x),
            (false, false) => b.ins().uwiden_high(x),
        };
        let (x, y) = (widen(x), widen(y));
        b.ins().imul(x, y)
    };
    let (low, high) = (product(b, true), product(b, false));
    let (low, high) = (cast(b, low, I32X4), cast(b, high, I32X4));
    shuffle(b, low, high, [1, 3, 5, 7])
}

/// Quotients, towards zero, by way of f64: its quotient of two integers of 32 bits is on the right side of the next
/// integer, because it is off by less than a part in 2^53, and the next integer is further than one in 2^32 away.
fn quotient(b: &mut FunctionBuilder, signed: bool, x: Value, y: Value) -> Value {
    let half = |b: &mut FunctionBuilder, low: bool| {
        let mut wide = |x| {
            let x = if low { x } else { shuffle(b, x, x, [2, 3, 2, 3]) };
            match signed {
                true => {
                    let x = b.ins().swiden_low(x);
                    b.ins().fcvt_from_sint(F64X2, x)
                }
                false => {
                    let x = b.ins().uwiden_low(x);
                    b.ins().fcvt_from_uint(F64X2, x)
                }
            }
        };
        let (x, y) = (wide(x), wide(y));
        b.ins().fdiv(x, y)
    };
    let (low, high) = (half(b, true), half(b, false));
    let (low, high) = (to_words(b, signed, low), to_words(b, signed, high));
    shuffle(b, low, high, [0, 1, 4, 5])
}

/// Two f64 as integers of 32 bits, towards zero and saturating, NaN to 0, in the first two words.
pub(super) fn to_words(b: &mut FunctionBuilder, signed: bool, x: Value) -> Value {
    let zero = b.func.dfg.constants.insert(ConstantData::from([0; 16].as_slice()));
    let zero = b.ins().vconst(I64X2, zero);
    // Cranelift knows the pair of instructions as one.
    if signed {
        let wide = b.ins().fcvt_to_sint_sat(I64X2, x);
        b.ins().snarrow(wide, zero)
    } else {
        let wide = b.ins().fcvt_to_uint_sat(I64X2, x);
        b.ins().uunarrow(wide, zero)
    }
}

/// `x / 0 = x`, and the smallest number divided by -1 is itself.
pub(super) fn divide(b: &mut FunctionBuilder, signed: bool, x: Value, y: Value) -> Value {
    let special = undivided(b, signed, x, y);
    let quotient = quotient(b, signed, x, y);
    blend(b, special, x, quotient)
}

pub(super) fn remainder(b: &mut FunctionBuilder, signed: bool, x: Value, y: Value) -> Value {
    let quotient = divide(b, signed, x, y);
    // Where the quotient is `x`, `y` is 0, 1 or -1, and 0 is right in the place of the remainder.
    let product = b.ins().imul(quotient, y);
    let difference = b.ins().isub(x, product);
    let zero = splat_bits(b, 0);
    let divisor_zero = b.ins().icmp(IntCC::Equal, y, zero);
    b.ins().band_not(difference, divisor_zero)
}

/// Where the quotient is the dividend.
fn undivided(b: &mut FunctionBuilder, signed: bool, x: Value, y: Value) -> Value {
    let zero = splat_bits(b, 0);
    let by_zero = b.ins().icmp(IntCC::Equal, y, zero);
    if !signed {
        return by_zero;
    }
    let (minus_one, smallest) = (splat_bits(b, u32::MAX), splat_bits(b, 1 << 31));
    let minus_one = b.ins().icmp(IntCC::Equal, y, minus_one);
    let smallest = b.ins().icmp(IntCC::Equal, x, smallest);
    let overflow = b.ins().band(minus_one, smallest);
    b.ins().bor(by_zero, overflow)
}

/// Number of one bits.
pub(super) fn ones(b: &mut FunctionBuilder, x: Value) -> Value {
    let bytes = byte_ones(b, x);
    // The highest byte of the product is the sum of the four.
    let factor = splat_bits(b, 0x0101_0101);
    let sum = b.ins().imul(bytes, factor);
    b.ins().ushr_imm_u(sum, 24)
}

/// Number of one bits of each byte.
pub(super) fn byte_ones(b: &mut FunctionBuilder, x: Value) -> Value {
    let ty = b.func.dfg.value_type(x);
    let bytes = cast(b, x, I8X16);
    let ones = b.ins().popcnt(bytes);
    cast(b, ones, ty)
}

/// Number of zero bits above the highest one.
pub(super) fn leading_zeros(b: &mut FunctionBuilder, x: Value) -> Value {
    // The exponent of a float says it, if the conversion does not round up to the next power of two: where a bit is set
    // the next lower one is cleared. A number with the highest bit is negative then.
    let lower = b.ins().ushr_imm_u(x, 1);
    let top = b.ins().band_not(x, lower);
    let float = b.ins().fcvt_from_sint(F32X4, top);
    let bits = cast(b, float, I32X4);
    let exponent = b.ins().sshr_imm_u(bits, 23);
    let above = splat_bits(b, 127 + 31);
    let zeros = b.ins().isub(above, exponent);
    // 0 has the exponent 0, negative numbers far below 0.
    let (none, all) = (splat_bits(b, 0), splat_bits(b, 32));
    let zeros = b.ins().smin(zeros, all);
    let negative = b.ins().icmp(IntCC::SignedLessThan, x, none);
    b.ins().band_not(zeros, negative)
}

/// Number of zero bits below the lowest one.
pub(super) fn trailing_zeros(b: &mut FunctionBuilder, x: Value) -> Value {
    let below = below_lowest(b, x);
    ones(b, below)
}

/// The zero bits below the lowest one, as ones.
pub(super) fn below_lowest(b: &mut FunctionBuilder, x: Value) -> Value {
    let ty = b.func.dfg.value_type(x);
    let minus_one = splat_bits(b, u32::MAX);
    let minus_one = cast(b, minus_one, ty);
    let less = b.ins().iadd(x, minus_one);
    b.ins().band_not(less, x)
}

/// Bits in opposite order, of lanes of so many bytes.
pub(super) fn reverse(b: &mut FunctionBuilder, x: Value, bytes: u8) -> Value {
    let ty = b.func.dfg.value_type(x);
    let mirrored: [u8; 16] = std::array::from_fn(|n| (n as u8).reverse_bits());
    let nibbles = splat_bits(b, 0x0f0f_0f0f);
    let words = cast(b, x, I32X4);
    let low = b.ins().band(words, nibbles);
    let high = b.ins().ushr_imm_u(words, 4);
    let high = b.ins().band(high, nibbles);
    let to_high = byte_table(b, mirrored);
    let to_low = byte_table(b, mirrored.map(|n| n >> 4));
    let (low, high) = (cast(b, low, I8X16), cast(b, high, I8X16));
    let low = b.ins().swizzle(to_high, low);
    let high = b.ins().swizzle(to_low, high);
    let both = b.ins().bor(low, high);
    let order: Vec<u8> = (0..16).map(|i| i / bytes * bytes + bytes - 1 - i % bytes).collect();
    let swapped = shuffle_bytes(b, both, both, &order);
    cast(b, swapped, ty)
}

/// 2 to the powers `n`; 0 where `n` is not below 32, and not above 255.
fn power(b: &mut FunctionBuilder, n: Value) -> Value {
    // Byte `k` of a power is that of `n - 8k`, and 0 where that is negative or above 7.
    let bytes = cast(b, n, I8X16);
    let order: Vec<u8> = (0..16).map(|i| i / 4 * 4).collect();
    let n = shuffle_bytes(b, bytes, bytes, &order);
    let before = byte_table(b, std::array::from_fn(|i| 8 * (i as u8 % 4)));
    let n = b.ins().isub(n, before);
    let table = byte_table(b, std::array::from_fn(|k| if k < 8 { 1 << k } else { 0 }));
    let power = b.ins().swizzle(table, n);
    cast(b, power, I32X4)
}

/// Shifts by an amount for each lane, which is below 32.
pub(super) fn shift_left(b: &mut FunctionBuilder, x: Value, n: Value) -> Value {
    let power = power(b, n);
    b.ins().imul(x, power)
}

/// As [`shift_left`].
pub(super) fn shift_right(b: &mut FunctionBuilder, signed: bool, x: Value, n: Value) -> Value {
    if signed {
        // The complement of a negative number is none.
        let shift = b.ins().iconst(I8, 31);
        let sign = b.ins().sshr(x, shift);
        let x = b.ins().bxor(x, sign);
        let shifted = shift_right(b, false, x, n);
        return b.ins().bxor(shifted, sign);
    }
    // The high half of the product with a power of two; that of the 32nd is 0 here.
    let width = splat_bits(b, 32);
    let opposite = b.ins().isub(width, n);
    let power = power(b, opposite);
    let shifted = mul_hi(b, false, x, power);
    let zero = splat_bits(b, 0);
    let none = b.ins().icmp(IntCC::Equal, n, zero);
    blend(b, none, x, shifted)
}
