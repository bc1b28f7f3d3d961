//! Integer instructions as functions of bits. Inputs have no bits beyond their width; neither have results.
//!
//! What the PTX ISA leaves undefined has a value here too: a division by zero gives all ones, its remainder the
//! dividend.

use crate::code::{Comparison, Flags};

#[inline(always)]
fn mask(flags: Flags) -> u64 {
    u64::MAX >> (64 - u32::from(flags.width))
}

/// The value of a signed integer of some width.
#[inline(always)]
pub(crate) fn signed(value: u64, width: u8) -> i64 {
    let unused = 64 - u32::from(width);
    ((value << unused) as i64) >> unused
}

#[inline(always)]
fn wide(value: u64, is_signed: bool, width: u8) -> i128 {
    if is_signed { i128::from(signed(value, width)) } else { i128::from(value) }
}

/// The nearest value that the width has.
fn clamp(value: i128, flags: Flags) -> u64 {
    let width = u32::from(flags.width);
    let (low, high) = if flags.signed {
        (-(1i128 << (width - 1)), (1i128 << (width - 1)) - 1)
    } else {
        (0, (1i128 << width) - 1)
    };
    value.clamp(low, high) as u64 & mask(flags)
}

pub(crate) fn add(a: u64, b: u64, flags: Flags) -> u64 {
    if flags.saturate {
        return clamp(wide(a, flags.signed, flags.width) + wide(b, flags.signed, flags.width), flags);
    }
    a.wrapping_add(b) & mask(flags)
}

pub(crate) fn subtract(a: u64, b: u64, flags: Flags) -> u64 {
    if flags.saturate {
        return clamp(wide(a, flags.signed, flags.width) - wide(b, flags.signed, flags.width), flags);
    }
    a.wrapping_sub(b) & mask(flags)
}

pub(crate) fn multiply_low(a: u64, b: u64, flags: Flags) -> u64 {
    a.wrapping_mul(b) & mask(flags)
}

pub(crate) fn multiply_high(a: u64, b: u64, flags: Flags) -> u64 {
    let product = wide(a, flags.signed, flags.width).wrapping_mul(wide(b, flags.signed, flags.width));
    (if flags.signed { product >> flags.width } else { (product as u128 >> flags.width) as i128 }) as u64
        & mask(flags)
}

/// The product of twice the width.
pub(crate) fn multiply_wide(a: u64, b: u64, flags: Flags) -> u64 {
    let product = wide(a, flags.signed, flags.width).wrapping_mul(wide(b, flags.signed, flags.width)) as u64;
    product & (u64::MAX >> (64 - 2 * u32::from(flags.width)))
}

pub(crate) fn mad_low(a: u64, b: u64, c: u64, flags: Flags) -> u64 {
    a.wrapping_mul(b).wrapping_add(c) & mask(flags)
}

pub(crate) fn mad_high(a: u64, b: u64, c: u64, flags: Flags) -> u64 {
    let high = multiply_high(a, b, Flags { saturate: false, ..flags });
    add(high, c, flags)
}

pub(crate) fn mad_wide(a: u64, b: u64, c: u64, flags: Flags) -> u64 {
    multiply_wide(a, b, flags).wrapping_add(c) & (u64::MAX >> (64 - 2 * u32::from(flags.width)))
}

/// `mul24`, `mad24`: products of the low 24 bits; the mode 1 asks for bits 16 to 47.
pub(crate) fn mad_24(a: u64, b: u64, c: u64, flags: Flags) -> u64 {
    let narrow =
        |value: u64| if flags.signed { signed(value & 0xff_ffff, 24) } else { (value & 0xff_ffff) as i64 };
    let product = narrow(a).wrapping_mul(narrow(b));
    let product = if flags.mode == 1 { product >> 16 } else { product };
    add(product as u64 & 0xffff_ffff, c, flags)
}

pub(crate) fn multiply_24(a: u64, b: u64, flags: Flags) -> u64 {
    mad_24(a, b, 0, flags)
}

/// The sum of `c` and the distance of `a` and `b`.
pub(crate) fn distance(a: u64, b: u64, c: u64, flags: Flags) -> u64 {
    let distance = (wide(a, flags.signed, flags.width) - wide(b, flags.signed, flags.width)).unsigned_abs();
    (distance as u64).wrapping_add(c) & mask(flags)
}

pub(crate) fn divide(a: u64, b: u64, flags: Flags) -> u64 {
    if b == 0 {
        return mask(flags);
    }
    (wide(a, flags.signed, flags.width) / wide(b, flags.signed, flags.width)) as u64 & mask(flags)
}

pub(crate) fn remainder(a: u64, b: u64, flags: Flags) -> u64 {
    if b == 0 {
        return a;
    }
    (wide(a, flags.signed, flags.width) % wide(b, flags.signed, flags.width)) as u64 & mask(flags)
}

pub(crate) fn minimum(a: u64, b: u64, flags: Flags) -> u64 {
    let less = if flags.signed { signed(a, flags.width) < signed(b, flags.width) } else { a < b };
    relu(if less { a } else { b }, flags)
}

pub(crate) fn maximum(a: u64, b: u64, flags: Flags) -> u64 {
    let less = if flags.signed { signed(a, flags.width) < signed(b, flags.width) } else { a < b };
    relu(if less { b } else { a }, flags)
}

fn relu(value: u64, flags: Flags) -> u64 {
    if flags.relu && signed(value, flags.width) < 0 { 0 } else { value }
}

/// Does the same in both halves.
fn halves(a: u64, b: u64, flags: Flags, of_half: fn(u64, u64, Flags) -> u64) -> u64 {
    let flags = Flags { width: 16, ..flags };
    of_half(a & 0xffff, b & 0xffff, flags) | of_half(a >> 16, b >> 16, flags) << 16
}

pub(crate) fn add_halves(a: u64, b: u64, flags: Flags) -> u64 {
    halves(a, b, flags, add)
}

pub(crate) fn minimum_halves(a: u64, b: u64, flags: Flags) -> u64 {
    halves(a, b, flags, minimum)
}

pub(crate) fn maximum_halves(a: u64, b: u64, flags: Flags) -> u64 {
    halves(a, b, flags, maximum)
}

pub(crate) fn absolute(a: u64, flags: Flags) -> u64 {
    signed(a, flags.width).unsigned_abs() & mask(flags)
}

pub(crate) fn negate(a: u64, flags: Flags) -> u64 {
    a.wrapping_neg() & mask(flags)
}

pub(crate) fn and(a: u64, b: u64, _: Flags) -> u64 {
    a & b
}

pub(crate) fn or(a: u64, b: u64, _: Flags) -> u64 {
    a | b
}

pub(crate) fn xor(a: u64, b: u64, _: Flags) -> u64 {
    a ^ b
}

pub(crate) fn not(a: u64, flags: Flags) -> u64 {
    !a & mask(flags)
}

/// 1 where all bits are 0.
pub(crate) fn logical_not(a: u64, _: Flags) -> u64 {
    u64::from(a == 0)
}

pub(crate) fn shift_left(a: u64, count: u64, flags: Flags) -> u64 {
    if count >= u64::from(flags.width) { 0 } else { a << count & mask(flags) }
}

pub(crate) fn shift_right(a: u64, count: u64, flags: Flags) -> u64 {
    if flags.signed {
        (signed(a, flags.width) >> count.min(63)) as u64 & mask(flags)
    } else if count >= u64::from(flags.width) {
        0
    } else {
        a >> count
    }
}

fn funnel_count(count: u64, flags: Flags) -> u64 {
    // Mode 1 wraps, mode 0 clamps.
    if flags.mode == 1 { count & 31 } else { count.min(32) }
}

/// The high word of `high:low` shifted to the left.
pub(crate) fn funnel_left(low: u64, high: u64, count: u64, flags: Flags) -> u64 {
    ((high << 32 | low) << funnel_count(count, flags) >> 32) & 0xffff_ffff
}

/// The low word of `high:low` shifted to the right.
pub(crate) fn funnel_right(low: u64, high: u64, count: u64, flags: Flags) -> u64 {
    (high << 32 | low) >> funnel_count(count, flags) & 0xffff_ffff
}

pub(crate) fn population(a: u64, _: Flags) -> u64 {
    u64::from(a.count_ones())
}

pub(crate) fn leading_zeros(a: u64, flags: Flags) -> u64 {
    u64::from(a.leading_zeros()) - (64 - u64::from(flags.width))
}

pub(crate) fn reverse(a: u64, flags: Flags) -> u64 {
    a.reverse_bits() >> (64 - u32::from(flags.width))
}

/// The place of the highest bit that is not the sign; mode 1 counts the shift that brings it to the top.
pub(crate) fn find_highest(a: u64, flags: Flags) -> u64 {
    let a = if flags.signed && signed(a, flags.width) < 0 { !a & mask(flags) } else { a };
    match a.checked_ilog2() {
        None => 0xffff_ffff,
        Some(at) if flags.mode == 1 => u64::from(flags.width) - 1 - u64::from(at),
        Some(at) => u64::from(at),
    }
}

pub(crate) fn extract(a: u64, position: u64, length: u64, flags: Flags) -> u64 {
    let (position, length) = (position & 0xff, length & 0xff);
    let top = u64::from(flags.width) - 1;
    let sign = if !flags.signed || length == 0 { 0 } else { a >> (position + length - 1).min(top) & 1 };
    let kept = if length == 0 { 0 } else { low_bits(length) };
    let field = if position > top { 0 } else { a >> position };
    let available = (top + 1).saturating_sub(position).min(length);
    let filled = if sign == 1 { kept & !low_bits(available) } else { 0 };
    // A field that is shorter than the width is extended by its sign.
    let extended = if sign == 1 { !kept } else { 0 };
    (field & low_bits(available) | filled | extended) & mask(flags)
}

fn low_bits(count: u64) -> u64 {
    if count >= 64 { u64::MAX } else { (1 << count) - 1 }
}

/// `b` with bits of `a` in it.
pub(crate) fn insert(a: u64, b: u64, position: u64, length: u64, flags: Flags) -> u64 {
    let (position, length) = (position & 0xff, length & 0xff);
    if position >= u64::from(flags.width) {
        return b;
    }
    let field = low_bits(length) << position & mask(flags);
    b & !field | a << position & field
}

/// Each bit from the table, by the bits of the three inputs.
pub(crate) fn lookup(a: u64, b: u64, c: u64, table: u64, _: Flags) -> u64 {
    let mut out = 0;
    for entry in 0..8 {
        if table >> entry & 1 == 1 {
            let a = if entry & 4 == 0 { !a } else { a };
            let b = if entry & 2 == 0 { !b } else { b };
            let c = if entry & 1 == 0 { !c } else { c };
            out |= a & b & c;
        }
    }
    out & 0xffff_ffff
}

/// Bytes of `b:a` as the selector says; its fourth bit copies a byte's sign over the byte. Modes: 0 by four selectors,
/// then f4e, b4e, rc8, ecl, ecr, rc16.
pub(crate) fn permute(a: u64, b: u64, selector: u64, flags: Flags) -> u64 {
    let bytes = a | b << 32;
    let s = selector & 3;
    let choice: [u64; 4] = match flags.mode {
        0 => [0, 1, 2, 3].map(|byte| selector >> (4 * byte) & 15),
        1 => [0, 1, 2, 3].map(|byte| byte + s),
        2 => [0, 7, 6, 5].map(|byte| (byte + s) & 7),
        3 => [s; 4],
        4 => [0, 1, 2, 3].map(|byte: u64| byte.max(s)),
        5 => [0, 1, 2, 3].map(|byte: u64| byte.min(s)),
        _ => [s & 1, s & 1, s & 1, s & 1].map(|half| half * 2),
    };
    let mut out = 0;
    for (at, choice) in choice.into_iter().enumerate() {
        let mut byte = bytes >> (8 * (choice & 7)) & 0xff;
        if flags.mode == 6 {
            byte = bytes >> (8 * ((choice & 7) + at as u64 % 2)) & 0xff;
        } else if choice & 8 != 0 {
            byte = if byte & 0x80 != 0 { 0xff } else { 0 };
        }
        out |= byte << (8 * at);
    }
    out
}

/// The dot product of four bytes, plus `c`.
pub(crate) fn dot_bytes(a: u64, b: u64, c: u64, flags: Flags) -> u64 {
    let mut sum = c;
    for byte in 0..4 {
        let a = wide(a >> (8 * byte) & 0xff, flags.signed, 8);
        let b = wide(b >> (8 * byte) & 0xff, flags.other_signed, 8);
        sum = sum.wrapping_add((a * b) as u64);
    }
    sum & 0xffff_ffff
}

/// The dot product of the halves of `a` and two bytes of `b`, plus `c`; mode 1 takes the high bytes.
pub(crate) fn dot_halves(a: u64, b: u64, c: u64, flags: Flags) -> u64 {
    let b = if flags.mode == 1 { b >> 16 } else { b };
    let mut sum = c;
    for half in 0..2 {
        let a = wide(a >> (16 * half) & 0xffff, flags.signed, 16);
        let b = wide(b >> (8 * half) & 0xff, flags.other_signed, 8);
        sum = sum.wrapping_add((a * b) as u64);
    }
    sum & 0xffff_ffff
}

/// The low bits of `a`, extended by sign or zero; mode 1 wraps the count, mode 0 clamps it.
pub(crate) fn extend(a: u64, count: u64, flags: Flags) -> u64 {
    let count = if flags.mode == 1 { count & 31 } else { count.min(32) };
    match count {
        0 => 0,
        count if flags.signed => signed(a & low_bits(count), count as u8) as u64 & 0xffff_ffff,
        count => a & low_bits(count),
    }
}

/// A mask of `count` bits from `first` on; mode 1 wraps both, mode 0 clamps.
pub(crate) fn bit_mask(first: u64, count: u64, flags: Flags) -> u64 {
    let (first, count) =
        if flags.mode == 1 { (first & 31, count & 31) } else { (first.min(32), count.min(32)) };
    low_bits(count) << first & 0xffff_ffff
}

/// The place of the n-th bit from `base` on, upward, or downward where the count is negative.
pub(crate) fn find_nth(bits: u64, base: u64, offset: u64, _: Flags) -> u64 {
    let offset = signed(offset, 32);
    let base = (base & 0xffff_ffff) as i64;
    let step = if offset < 0 { -1 } else { 1 };
    let mut left = if offset == 0 { 1 } else { offset.abs() };
    let mut at = base;
    while (0..32).contains(&at) {
        if bits >> at & 1 == 1 {
            left -= 1;
            if left == 0 {
                return at as u64;
            }
        } else if offset == 0 {
            break;
        }
        at += step;
    }
    0xffff_ffff
}

/// `a` where the predicate `c` holds, else `b`.
pub(crate) fn select(a: u64, b: u64, c: u64, _: Flags) -> u64 {
    if c != 0 { a } else { b }
}

/// `a` where `c`, an s32, is not negative, else `b`.
pub(crate) fn select_by_sign(a: u64, b: u64, c: u64, _: Flags) -> u64 {
    if (c as u32 as i32) >= 0 { a } else { b }
}

/// `a` where `c`, an f32, is not negative and no NaN, else `b`.
pub(crate) fn select_by_float(a: u64, b: u64, c: u64, _: Flags) -> u64 {
    if f32::from_bits(c as u32) >= 0.0 { a } else { b }
}

pub(crate) fn compare(a: u64, b: u64, flags: Flags) -> u64 {
    let order = if flags.signed { signed(a, flags.width).cmp(&signed(b, flags.width)) } else { a.cmp(&b) };
    u64::from(match flags.comparison {
        Comparison::Equal => order.is_eq(),
        Comparison::NotEqual => order.is_ne(),
        Comparison::Less => order.is_lt(),
        Comparison::LessEqual => order.is_le(),
        Comparison::Greater => order.is_gt(),
        Comparison::GreaterEqual => order.is_ge(),
        Comparison::Numbers | Comparison::Nan => false,
    })
}

/// `a + b + carry` or `a - b - carry`, and the carry out of it.
pub(crate) fn with_carry(a: u64, b: u64, carry: bool, subtracts: bool, flags: Flags) -> (u64, bool) {
    let (a, b, carry) = (u128::from(a), u128::from(b), u128::from(carry));
    let sum = if subtracts { a.wrapping_sub(b).wrapping_sub(carry) } else { a + b + carry };
    (sum as u64 & mask(flags), sum >> flags.width & 1 == 1)
}
