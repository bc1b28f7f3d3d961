//! NumPy's `.npy` files, versions 1 to 3: a header that says type and shape, then the bytes.
//!
//! Format: <https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html>. Only little-endian arrays in C
//! order are taken, because anything else would be reordered silently.

use std::io::Read;
use vyre_ir::{Scalar, Type};

/// What a file holds.
#[derive(Debug, PartialEq, Eq)]
pub struct Header {
    /// NumPy's name of the element type, such as `<f4`.
    pub descr: String,
    /// Elements along each axis.
    pub shape: Vec<u64>,
    /// Bytes before the data.
    pub data: u64,
}

impl Header {
    /// Scalars in all; `None` beyond 64 bits.
    pub fn scalars(&self) -> Option<u64> {
        self.shape.iter().try_fold(1u64, |n, &axis| n.checked_mul(axis))
    }
}

const MAGIC: &[u8; 6] = b"\x93NUMPY";

/// The largest header that is read; NumPy itself refuses more than 10,000 bytes.
const LONGEST: u32 = 1 << 16;

/// NumPy's name of a scalar type. bf16 has none; the package `ml_dtypes` writes two raw bytes.
pub fn descr(scalar: Scalar) -> &'static str {
    match scalar {
        Scalar::Bool => "|b1",
        Scalar::I8 => "|i1",
        Scalar::I16 => "<i2",
        Scalar::I32 => "<i4",
        Scalar::I64 => "<i8",
        Scalar::U8 => "|u1",
        Scalar::U16 => "<u2",
        Scalar::U32 => "<u4",
        Scalar::U64 => "<u8",
        Scalar::F16 => "<f2",
        Scalar::BF16 => "<V2",
        Scalar::F32 => "<f4",
        Scalar::F64 => "<f8",
    }
}

/// Whether a file of that type holds such scalars.
pub fn is_of(header: &Header, scalar: Scalar) -> bool {
    header.descr == descr(scalar)
        || scalar == Scalar::BF16 && header.descr == "|V2"
        || scalar.bytes() == 1 && header.descr.trim_start_matches(['<', '=']) == &descr(scalar)[1..]
}

/// Reads the header.
pub fn read_header(file: &mut impl Read) -> Result<Header, String> {
    let short = |_| "the file ends in its header".to_string();
    let mut start = [0; 8];
    file.read_exact(&mut start).map_err(short)?;
    if &start[..6] != MAGIC {
        return Err("it does not start like a .npy file".into());
    }
    let (len, fixed) = match start[6] {
        1 => {
            let mut len = [0; 2];
            file.read_exact(&mut len).map_err(short)?;
            (u16::from_le_bytes(len) as u32, 10)
        }
        2 | 3 => {
            let mut len = [0; 4];
            file.read_exact(&mut len).map_err(short)?;
            (u32::from_le_bytes(len), 12)
        }
        version => return Err(format!("it has format version {version}, known are 1 to 3")),
    };
    if len > LONGEST {
        return Err(format!("its header of {len} bytes is too long"));
    }
    let mut text = vec![0; len as usize];
    file.read_exact(&mut text).map_err(short)?;
    let text = String::from_utf8(text).map_err(|_| "its header is not UTF-8".to_string())?;
    parse_header(&text, fixed + len as u64)
}

/// Reads the Python dictionary with exactly the keys `descr`, `fortran_order` and `shape`.
fn parse_header(text: &str, data: u64) -> Result<Header, String> {
    let bad = || format!("its header is not understood: {}", text.trim());
    let mut rest = text.trim().strip_prefix('{').and_then(|t| t.strip_suffix('}')).ok_or_else(bad)?.trim();
    let (mut descr, mut fortran, mut shape) = (None, None, None);
    while !rest.is_empty() {
        let (key, after) = quoted(rest).ok_or_else(bad)?;
        rest = after.trim_start().strip_prefix(':').ok_or_else(bad)?.trim_start();
        match key {
            "descr" if rest.starts_with('[') => return Err("it holds records, not numbers".into()),
            "descr" => {
                let (value, after) = quoted(rest).ok_or_else(bad)?;
                (descr, rest) = (Some(value.to_string()), after);
            }
            "fortran_order" => {
                let end = rest.find(',').unwrap_or(rest.len());
                fortran = Some(match rest[..end].trim() {
                    "True" => true,
                    "False" => false,
                    _ => return Err(bad()),
                });
                rest = &rest[end..];
            }
            "shape" => {
                let inner = rest.strip_prefix('(').ok_or_else(bad)?;
                let (list, after) = inner.split_once(')').ok_or_else(bad)?;
                let axes = list.split(',').map(str::trim).filter(|axis| !axis.is_empty());
                shape =
                    Some(axes.map(|axis| axis.parse().map_err(|_| bad())).collect::<Result<Vec<u64>, _>>()?);
                rest = after;
            }
            _ => return Err(bad()),
        }
        rest = rest.trim_start();
        rest = rest.strip_prefix(',').unwrap_or(rest).trim_start();
    }
    let (Some(descr), Some(fortran), Some(shape)) = (descr, fortran, shape) else { return Err(bad()) };
    if fortran && shape.len() > 1 {
        return Err("it is in Fortran order; save it with `numpy.ascontiguousarray`".into());
    }
    Ok(Header { descr, shape, data })
}

/// The text in quotes at the start, and what follows.
fn quoted(text: &str) -> Option<(&str, &str)> {
    let quote = text.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
    text[1..].split_once(quote)
}

/// The bytes before the data of a file with `elements` elements of a type: one row a vector.
pub fn header_of(ty: Type, elements: u64) -> Vec<u8> {
    let shape = match ty.lanes {
        1 => format!("({elements},)"),
        lanes => format!("({elements}, {lanes})"),
    };
    let text = format!("{{'descr': '{}', 'fortran_order': False, 'shape': {shape}, }}", descr(ty.scalar));
    // The data starts at a multiple of 64 bytes; the header ends in a newline.
    let length = (10 + text.len() + 1).next_multiple_of(64) - 10;
    let mut bytes = MAGIC.to_vec();
    bytes.extend([1, 0]);
    bytes.extend((length as u16).to_le_bytes());
    bytes.extend(format!("{text:<0$}\n", length - 1).bytes());
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_of_numpy_are_read() {
        // As NumPy 1.26 writes `np.zeros((2, 3), "float32")` and `np.zeros(5, "uint8")`.
        let dict = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }";
        let mut file = b"\x93NUMPY\x01\x00\x76\x00".to_vec();
        file.extend(format!("{dict:<117}\n").bytes());
        let header = read_header(&mut &file[..]).unwrap();
        assert_eq!(header, Header { descr: "<f4".into(), shape: vec![2, 3], data: 128 });
        assert!(is_of(&header, Scalar::F32) && !is_of(&header, Scalar::I32));
        let bytes = parse_header("{'descr': '|u1', 'fortran_order': False, 'shape': (5,), }", 128).unwrap();
        assert_eq!(bytes.scalars(), Some(5));
        assert!(is_of(&bytes, Scalar::U8));
        let scalar =
            parse_header("{\"descr\": \"<i8\", \"fortran_order\": False, \"shape\": ()}", 0).unwrap();
        assert_eq!(scalar.scalars(), Some(1));
    }

    #[test]
    fn what_is_written_is_read() {
        for (ty, elements, shape) in [
            (Type::from(Scalar::F32), 5, vec![5]),
            (Type::new(Scalar::U16, 3), 1 << 40, vec![1 << 40, 3]),
            (Scalar::BF16.into(), 0, vec![0]),
        ] {
            let bytes = header_of(ty, elements);
            let header = read_header(&mut &bytes[..]).unwrap();
            assert_eq!((header.shape.clone(), header.data), (shape, bytes.len() as u64));
            assert_eq!(bytes.len() % 64, 0);
            assert!(is_of(&header, ty.scalar));
        }
    }

    #[test]
    fn bad_headers_are_errors() {
        let ok = "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }";
        for end in 0..ok.len() {
            assert!(parse_header(&ok[..end], 0).is_err(), "{}", &ok[..end]);
        }
        for text in [
            "{'descr': '<f4', 'fortran_order': True, 'shape': (2, 2), }",
            "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2,), }",
            "{'descr': '<f4', 'fortran_order': False, 'shape': (-2,), }",
            "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), 'more': 1}",
        ] {
            assert!(parse_header(text, 0).is_err(), "{text}");
        }
        for file in
            [&b""[..], b"\x93NUM", b"\x93NUMPY\x01\x00\xff\xff{", b"\x93NUMPY\x09\x00", b"PNG and more"]
        {
            assert!(read_header(&mut &file[..]).is_err());
        }
        let long = b"\x93NUMPY\x02\x00\xff\xff\xff\xff";
        assert!(read_header(&mut &long[..]).unwrap_err().contains("too long"));
        let huge =
            parse_header("{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296), }", 0);
        assert_eq!(huge.unwrap().scalars(), None);
    }
}
