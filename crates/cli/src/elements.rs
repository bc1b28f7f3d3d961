//! Numbers of a buffer's element type as text and back, and generated contents.

use half::{bf16, f16};
use vyre_ir::lane::convert;
use vyre_ir::{Scalar, Type};

/// The number of these bits as text: decimal, shortest that reads back.
pub fn show(scalar: Scalar, bits: u64) -> String {
    match scalar {
        Scalar::F16 => f16::from_bits(bits as u16).to_string(),
        Scalar::BF16 => bf16::from_bits(bits as u16).to_string(),
        Scalar::F32 => match f32::from_bits(bits as u32) {
            x if x.is_finite() && x != 0.0 && !(1e-5..1e9).contains(&x.abs()) => format!("{x:e}"),
            x => x.to_string(),
        },
        Scalar::F64 => match f64::from_bits(bits) {
            x if x.is_finite() && x != 0.0 && !(1e-5..1e17).contains(&x.abs()) => format!("{x:e}"),
            x => x.to_string(),
        },
        _ if scalar.is_signed() => (convert(scalar, Scalar::I64, bits) as i64).to_string(),
        _ => bits.to_string(),
    }
}

/// The number of these bits in JSON; numbers that JSON does not have are strings.
pub fn json(scalar: Scalar, bits: u64) -> serde_json::Value {
    let text = show(scalar, bits);
    match text.parse::<serde_json::Number>() {
        Ok(number) => number.into(),
        Err(_) => text.into(),
    }
}

/// The bits of scalar `index` in bytes of that type, if there is one.
pub fn scalar_at(bytes: &[u8], scalar: Scalar, index: usize) -> Option<u64> {
    let size = scalar.bytes() as usize;
    let start = index.checked_mul(size)?;
    let mut word = [0; 8];
    word[..size].copy_from_slice(bytes.get(start..start.checked_add(size)?)?);
    Some(u64::from_le_bytes(word))
}

/// Element `index` of a buffer as text: a number, or numbers in parentheses.
pub fn show_element(bytes: &[u8], ty: Type, index: usize) -> String {
    let lanes = ty.lanes as usize;
    let each: Vec<String> = (index * lanes..(index + 1) * lanes)
        .filter_map(|i| scalar_at(bytes, ty.scalar, i))
        .map(|bits| show(ty.scalar, bits))
        .collect();
    if lanes == 1 { each.concat() } else { format!("({})", each.join(", ")) }
}

/// Reads a literal: a number, or numbers in brackets, which may be nested and are taken in order.
///
/// In an integer buffer of 32 bits `1.5f` stands for the bits of that f32 and `-3i` for those of that i32: a
/// structure of mixed types is seen as words.
pub fn parse_literal(text: &str, scalar: Scalar) -> Result<Vec<u64>, String> {
    let text = text.trim();
    if !text.starts_with('[') {
        return Ok(vec![parse_number(text, scalar)?]);
    }
    let (mut values, mut depth, mut word, mut previous) = (Vec::new(), 0usize, String::new(), ' ');
    for c in text.chars() {
        if depth == 0 && previous == ']' {
            return Err("there is text after the last bracket".into());
        }
        match c {
            '[' if word.trim().is_empty() => depth += 1,
            ',' if word.trim().is_empty() && previous != ']' => {
                return Err("there is a comma too many".into());
            }
            ']' | ',' => {
                if !word.trim().is_empty() {
                    values.push(parse_number(word.trim(), scalar)?);
                    word.clear();
                }
                depth -= (c == ']') as usize;
            }
            c => word.push(c),
        }
        if !c.is_whitespace() {
            previous = c;
        }
    }
    if depth > 0 { Err("a bracket is not closed".into()) } else { Ok(values) }
}

/// The bits of one number.
fn parse_number(text: &str, scalar: Scalar) -> Result<u64, String> {
    let no = || format!("`{text}` is not a number of type {scalar}");
    let clean = text.replace('_', "");
    if scalar.is_float() {
        let hex = || integer(&clean).map(|x| x as f64).ok_or_else(no);
        let x: f64 = clean.parse().or_else(|_| hex())?;
        // f32 is parsed as such: rounding the decimal to f64 first would round twice.
        let bits = match scalar {
            Scalar::F32 => clean.parse::<f32>().map_or((x as f32).to_bits(), f32::to_bits) as u64,
            _ => convert(Scalar::F64, scalar, x.to_bits()),
        };
        return Ok(bits);
    }
    if scalar.bytes() == 4 {
        if let Some(x) = clean.strip_suffix('f').filter(|_| !clean.contains('x')) {
            return x.parse::<f32>().map(|x| x.to_bits() as u64).map_err(|_| no());
        }
        if let Some(x) = clean.strip_suffix('i') {
            return x.parse::<i32>().map(|x| x as u32 as u64).map_err(|_| no());
        }
    }
    let clean = clean.strip_suffix('u').unwrap_or(&clean);
    let Some(x) = integer(clean) else {
        let hint = if scalar.bytes() == 4 && clean.parse::<f32>().is_ok() {
            format!("; write `{text}f` for the bits of that f32")
        } else {
            String::new()
        };
        return Err(no() + &hint);
    };
    let (min, max) = match scalar.is_signed() {
        true => (-(1i128 << (scalar.bits() - 1)), (1i128 << (scalar.bits() - 1)) - 1),
        false => (0, scalar.mask() as i128),
    };
    if !(min..=max).contains(&x) {
        return Err(format!("`{text}` is outside {scalar}'s {min} to {max}"));
    }
    Ok(x as u64 & scalar.mask())
}

fn integer(text: &str) -> Option<i128> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    if digits.starts_with(['+', '-']) {
        return None;
    }
    let magnitude = match digits.strip_prefix("0x") {
        Some(hex) => u64::from_str_radix(hex, 16).ok()?,
        None => digits.parse::<u64>().ok()?,
    };
    Some(sign * magnitude as i128)
}

/// Scalars 0, 1, 2, ... in place.
pub fn fill_iota(bytes: &mut [u8], scalar: Scalar) {
    fill(bytes, scalar, |i| convert(Scalar::U64, scalar, i));
}

/// Pseudo-random scalars in place: integers over their whole range, floats from 0 up to 1. The same for the same
/// seed on every machine (SplitMix64: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014).
pub fn fill_random(bytes: &mut [u8], scalar: Scalar, seed: u64) {
    fill(bytes, scalar, |i| {
        let mut z = seed.wrapping_add((i + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^= z >> 31;
        if !scalar.is_float() {
            return z & scalar.mask();
        }
        // As many bits as the type holds exactly below 1.
        let digits = match scalar {
            Scalar::BF16 => 8,
            Scalar::F16 => 11,
            Scalar::F32 => 24,
            _ => 53,
        };
        let x = (z >> (64 - digits)) as f64 / (1u64 << digits) as f64;
        convert(Scalar::F64, scalar, x.to_bits())
    });
}

fn fill(bytes: &mut [u8], scalar: Scalar, value: impl Fn(u64) -> u64) {
    let size = scalar.bytes() as usize;
    for (i, out) in bytes.chunks_exact_mut(size).enumerate() {
        out.copy_from_slice(&value(i as u64).to_le_bytes()[..size]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals() {
        let ok: [(&str, Scalar, &[u64]); 12] = [
            ("[1, 2,3]", Scalar::U32, &[1, 2, 3]),
            ("[[1,2],[3,4]]", Scalar::U8, &[1, 2, 3, 4]),
            ("[]", Scalar::U8, &[]),
            ("7", Scalar::I64, &[7]),
            ("-1", Scalar::I16, &[0xffff]),
            ("0xff_ff", Scalar::U16, &[0xffff]),
            ("0.5", Scalar::F32, &[0x3f00_0000]),
            ("-0", Scalar::F32, &[0x8000_0000]),
            ("16777217", Scalar::F32, &[0x4b80_0000]),
            ("inf", Scalar::F16, &[0x7c00]),
            ("[1.5f, -3i, 4]", Scalar::U32, &[0x3fc0_0000, 0xffff_fffd, 4]),
            ("18446744073709551615", Scalar::U64, &[u64::MAX]),
        ];
        for (text, scalar, expect) in ok {
            assert_eq!(parse_literal(text, scalar).as_deref(), Ok(expect), "{text}");
        }
        let bad = [
            "[1",
            "1]",
            "[1]]",
            "[1] 2",
            "[1][2]",
            "1.5",
            "-1",
            "4294967296",
            "x",
            "",
            "--1",
            "[1 2]",
            "1,2",
        ];
        for text in bad {
            assert!(parse_literal(text, Scalar::U32).is_err(), "{text}");
        }
    }

    #[test]
    fn numbers_read_back() {
        for (scalar, bits) in [
            (Scalar::F32, 0x3dcc_cccd),
            (Scalar::F32, 0x7149_f2ca),
            (Scalar::F32, 1),
            (Scalar::F64, 0x3fb9_9999_9999_999a),
            (Scalar::F16, 0x2e66),
            (Scalar::I8, 0x80),
            (Scalar::U64, u64::MAX),
        ] {
            let text = show(scalar, bits);
            assert_eq!(parse_literal(&text, scalar), Ok(vec![bits]), "{scalar} {text}");
        }
    }

    #[test]
    fn random_is_in_range_and_fixed() {
        let mut bytes = [0; 400];
        fill_random(&mut bytes, Scalar::F32, 1);
        let floats: Vec<f32> =
            bytes.chunks_exact(4).map(|b| f32::from_le_bytes(b.try_into().unwrap())).collect();
        assert!(floats.iter().all(|x| (0.0..1.0).contains(x)));
        let mean = floats.iter().sum::<f32>() / 100.0;
        assert!((0.4..0.6).contains(&mean), "{mean}");
        // SplitMix64 with seed 0 starts with this number.
        let mut word = [0; 8];
        fill_random(&mut word, Scalar::U64, 0);
        assert_eq!(u64::from_le_bytes(word), 0xe220_a839_7b1d_cdaf);
    }
}
