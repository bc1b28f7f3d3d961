//! Lists of scalars in test files: `[1, -2.5, nan, 0x7f800000]`, `zeros 8`, `iota 8`, `bytes: 0a ff`.

use vyre_ir::{Op, Scalar, Sig};

/// An element of a list: its bits, or anything.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Item {
    /// The bits of one scalar.
    Bits(u64),
    /// Matches anything; as an input it is 0.
    Any,
}

/// The items of a list of `scalar`s.
///
/// # Errors
/// A sentence that names the part that is no such scalar.
pub fn parse(text: &str, scalar: Scalar) -> Result<Vec<Item>, String> {
    let text = text.trim();
    let count = |n: &str| n.trim().parse::<usize>().map_err(|e| format!("`{text}`: {e}"));
    if let Some(n) = text.strip_prefix("zeros ") {
        return Ok(vec![Item::Bits(0); count(n)?]);
    }
    if let Some(n) = text.strip_prefix("iota ") {
        return (0..count(n)?).map(|i| number(&i.to_string(), scalar)).collect();
    }
    if let Some(bytes) = text.strip_prefix("bytes:") {
        let bytes: Result<Vec<u8>, _> = bytes.split_whitespace().map(|b| u8::from_str_radix(b, 16)).collect();
        let bytes = bytes.map_err(|e| format!("`{text}`: {e}"))?;
        let size = scalar.bytes() as usize;
        if !bytes.len().is_multiple_of(size) {
            return Err(format!("{} bytes are no whole number of {scalar}", bytes.len()));
        }
        return Ok(bytes.chunks(size).map(|chunk| Item::Bits(from_bytes(chunk))).collect());
    }
    let inner = text.strip_prefix('[').and_then(|t| t.strip_suffix(']'));
    let inner = inner.ok_or_else(|| format!("`{text}` is no list"))?;
    inner.split(',').map(str::trim).filter(|t| !t.is_empty()).map(|t| number(t, scalar)).collect()
}

fn number(text: &str, scalar: Scalar) -> Result<Item, String> {
    let error = || format!("`{text}` is no {scalar}");
    if text == "_" {
        return Ok(Item::Any);
    }
    if let Some(hex) = text.strip_prefix("0x") {
        let bits = u64::from_str_radix(hex, 16).map_err(|_| error())?;
        return if bits & !scalar.mask() == 0 { Ok(Item::Bits(bits)) } else { Err(error()) };
    }
    let bits = match scalar {
        Scalar::F32 => text.parse::<f32>().map_err(|_| error())?.to_bits() as u64,
        Scalar::F64 => text.parse::<f64>().map_err(|_| error())?.to_bits(),
        s if s.is_float() => {
            let x = text.parse::<f64>().map_err(|_| error())?.to_bits();
            let convert = Op::Convert.info().eval.expect("conversion is a basic operation");
            convert(Sig { operand: Scalar::F64, result: s }, &[x])
        }
        s => {
            let x = text.parse::<i128>().map_err(|_| error())?;
            let bits = x as u64 & s.mask();
            let back = if s.is_signed() && bits >> (s.bits() - 1) & 1 == 1 {
                bits as i128 - (1i128 << s.bits())
            } else {
                bits as i128
            };
            if back != x {
                return Err(error());
            }
            bits
        }
    };
    Ok(Item::Bits(bits))
}

/// The bits of one scalar from its bytes.
pub fn from_bytes(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |bits, &b| bits << 8 | b as u64)
}

/// The bytes of a list of `scalar`s.
pub fn to_bytes(items: &[Item], scalar: Scalar) -> Vec<u8> {
    let size = scalar.bytes() as usize;
    let bits = |item: &Item| match item {
        Item::Bits(bits) => *bits,
        Item::Any => 0,
    };
    items.iter().flat_map(|item| bits(item).to_le_bytes().into_iter().take(size)).collect()
}

/// A scalar for people.
pub fn show(bits: u64, scalar: Scalar) -> String {
    match scalar {
        Scalar::F32 => format!("{:?}", f32::from_bits(bits as u32)),
        Scalar::F64 => format!("{:?}", f64::from_bits(bits)),
        Scalar::F16 => format!("{:?}", half::f16::from_bits(bits as u16)),
        Scalar::BF16 => format!("{:?}", half::bf16::from_bits(bits as u16)),
        s if s.is_signed() => {
            let shift = 64 - s.bits();
            format!("{}", (bits << shift) as i64 >> shift)
        }
        _ => format!("{bits}"),
    }
}
