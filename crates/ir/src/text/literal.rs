//! Scalar constants, both ways: what is written reads back as the same bits.
//!
//! Integers are decimal; floats the shortest decimal that reads back, `inf` or `-inf`; NaNs their bits in
//! hexadecimal. Bits in hexadecimal are read for every type.

use crate::lane::convert;
use crate::types::Scalar;
use std::fmt;

/// A scalar constant from its bits.
pub(super) struct Number(pub Scalar, pub u64);

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Number(scalar, bits) = *self;
        if bits & !scalar.mask() != 0 {
            return write!(f, "{bits:#x}");
        }
        match scalar {
            Scalar::Bool => write!(f, "{}", bits == 1),
            Scalar::I8 => write!(f, "{}", bits as i8),
            Scalar::I16 => write!(f, "{}", bits as i16),
            Scalar::I32 => write!(f, "{}", bits as i32),
            Scalar::I64 => write!(f, "{}", bits as i64),
            Scalar::U8 | Scalar::U16 | Scalar::U32 | Scalar::U64 => write!(f, "{bits}"),
            _ if f64::from_bits(convert(scalar, Scalar::F64, bits)).is_nan() => write!(f, "{bits:#x}"),
            // `{:?}` of Rust's own floats is the shortest decimal that reads back the same.
            Scalar::F32 => write!(f, "{:?}", f32::from_bits(bits as u32)),
            Scalar::F64 => write!(f, "{:?}", f64::from_bits(bits)),
            Scalar::F16 => small(f, scalar, bits),
            Scalar::BF16 => small(f, scalar, bits),
        }
    }
}

/// The shortest decimal that reads back as these bits of f16 or bf16; integers of ordinary size are exact.
fn small(f: &mut fmt::Formatter<'_>, scalar: Scalar, bits: u64) -> fmt::Result {
    let x = f64::from_bits(convert(scalar, Scalar::F64, bits));
    if x.fract() == 0.0 && x.abs() < 65536.0 {
        return write!(f, "{x:?}");
    }
    let short = (0..17).find_map(|digits| {
        let near: f64 = format!("{x:.digits$e}").parse().ok()?;
        (convert(Scalar::F64, scalar, near.to_bits()) == bits).then_some(near)
    });
    write!(f, "{:?}", short.unwrap_or(x))
}

/// The bits of a constant, if it is one of the type: in range, and no finite number that would become infinite.
pub fn parse(scalar: Scalar, text: &str) -> Option<u64> {
    if let Some(digits) = text.strip_prefix("0x") {
        return u64::from_str_radix(digits, 16).ok().filter(|bits| bits & !scalar.mask() == 0);
    }
    if scalar == Scalar::Bool {
        return match text {
            "false" => Some(0),
            "true" => Some(1),
            _ => None,
        };
    }
    let from_f64 = |x: f64| convert(Scalar::F64, scalar, x.to_bits());
    if scalar.is_int() {
        let number: i128 = text.parse().ok()?;
        let bits = number as u64 & scalar.mask();
        let back =
            if scalar.is_signed() { convert(scalar, Scalar::I64, bits) as i64 as i128 } else { bits as i128 };
        return (back == number).then_some(bits);
    }
    match text {
        "inf" => return Some(from_f64(f64::INFINITY)),
        "-inf" => return Some(from_f64(f64::NEG_INFINITY)),
        _ if !text.trim_start_matches('-').starts_with(|c: char| c.is_ascii_digit()) => return None,
        _ => (),
    }
    // Rounding a decimal to f64 and then to f32 would round twice.
    let bits = match scalar {
        Scalar::F32 => text.parse::<f32>().ok()?.to_bits() as u64,
        _ => from_f64(text.parse().ok()?),
    };
    f64::from_bits(convert(scalar, Scalar::F64, bits)).is_finite().then_some(bits)
}
