//! Where a buffer's contents come from: `--set NAME=SOURCE`.
//!
//! A source is measured before anything is read or allocated, so that all sizes can be compared with the memory there
//! is.

use crate::codes;
use crate::failure::file_error;
use crate::{elements, image, npy};
use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use vyre::{AlignedBytes, Placement};
use vyre_ir::{Diagnostic, Scalar, Type};

/// What a user may write.
pub const FORMS: &str =
    "FILE.npy, FILE.bin, FILE.png, bytes:FILE, zeros:N, iota:N, random:SEED:N, a number, or [numbers]";

/// Contents of a buffer.
#[derive(Clone, PartialEq, Debug)]
pub enum Source {
    /// A NumPy file.
    Npy(PathBuf),
    /// Raw bytes of whole elements.
    Bin(PathBuf),
    /// Raw bytes, padded with zeros to whole elements.
    Bytes(PathBuf),
    /// A picture.
    Png(PathBuf),
    /// So many zeros.
    Zeros(u64),
    /// 0, 1, 2, ...
    Iota(u64),
    /// Pseudo-random numbers.
    Random {
        /// Decides them all.
        seed: u64,
        /// How many.
        count: u64,
    },
    /// Numbers on the command line.
    Literal(String),
}

impl Source {
    /// Reads the form.
    pub fn parse(text: &str) -> Result<Source, Diagnostic> {
        let bad = |why: String| {
            Diagnostic::new(codes::C013, format!("`{text}` is not a source: {why}"))
                .fix(format!("Write {FORMS}."))
        };
        let count = |n: &str| match n.parse::<u64>() {
            Ok(0) => Err(bad("a buffer has at least one element".into())),
            Ok(n) => Ok(n),
            Err(_) => Err(bad(format!("`{n}` is not a number of elements"))),
        };
        if let Some(path) = text.strip_prefix("bytes:") {
            return Ok(Source::Bytes(path.into()));
        }
        if let Some(n) = text.strip_prefix("zeros:") {
            return Ok(Source::Zeros(count(n)?));
        }
        if let Some(n) = text.strip_prefix("iota:") {
            return Ok(Source::Iota(count(n)?));
        }
        if let Some(rest) = text.strip_prefix("random:") {
            let (seed, n) = rest.split_once(':').ok_or_else(|| bad("it has no count".into()))?;
            let seed = seed.parse().map_err(|_| bad(format!("`{seed}` is not a seed")))?;
            return Ok(Source::Random { seed, count: count(n)? });
        }
        let extension = Path::new(text).extension().and_then(|e| e.to_str()).map(str::to_ascii_lowercase);
        match extension.as_deref() {
            _ if text.starts_with('[') => Ok(Source::Literal(text.into())),
            Some("npy") => Ok(Source::Npy(text.into())),
            Some("bin") => Ok(Source::Bin(text.into())),
            Some("png") => Ok(Source::Png(text.into())),
            _ if elements::parse_literal(text, Scalar::F64).is_ok() || is_suffixed(text) => {
                Ok(Source::Literal(text.into()))
            }
            _ if Path::new(text).exists() => Err(bad(format!(
                "the file's extension does not say what it is; `bytes:{text}` takes it as it is"
            ))),
            _ => Err(bad("it has none of the forms".into())),
        }
    }

    /// How many elements of a type it gives to the buffer `name`.
    pub fn measure(&self, name: &str, ty: Type) -> Result<u64, Diagnostic> {
        let size = ty.bytes() as u64;
        match self {
            Source::Zeros(n) | Source::Iota(n) | Source::Random { count: n, .. } => Ok(*n),
            Source::Literal(text) => {
                let scalars = literal(name, text, ty)?.len() as u64;
                whole(name, "the literal", scalars, ty)
            }
            Source::Bytes(path) => Ok(open(path)?.1.div_ceil(size)),
            Source::Bin(path) => {
                let len = open(path)?.1;
                if !len.is_multiple_of(size) {
                    let message = format!(
                        "`{}` has {len} bytes, but buffer `{name}` holds {ty} of {size} bytes each",
                        path.display()
                    );
                    let fix =
                        format!("Give whole elements, or pad with `--set {name}=bytes:{}`.", path.display());
                    return Err(Diagnostic::new(codes::C014, message).fix(fix));
                }
                Ok(len / size)
            }
            Source::Npy(path) => {
                let (mut file, len) = open(path)?;
                let header = npy_header(path, &mut file)?;
                let found = header.descr.as_str();
                if !npy::is_of(&header, ty.scalar) {
                    let want = npy::descr(ty.scalar);
                    let message = format!(
                        "`{}` holds `{found}`, but buffer `{name}` holds {ty}, which is `{want}`",
                        path.display()
                    );
                    let fix = format!("Convert the array with `.astype('{want}')`.");
                    return Err(Diagnostic::new(codes::C015, message).fix(fix));
                }
                let scalars = header.scalars();
                let bytes = scalars.and_then(|n| n.checked_mul(ty.scalar.bytes() as u64));
                if bytes != Some(len.saturating_sub(header.data)) {
                    let message = format!(
                        "`{}` says it holds {:?} numbers of {found}, but has {} bytes of data",
                        path.display(),
                        header.shape,
                        len.saturating_sub(header.data)
                    );
                    return Err(Diagnostic::new(codes::C016, message).fix("Write the file again."));
                }
                whole(name, &format!("`{}`", path.display()), scalars.unwrap_or(0), ty)
            }
            Source::Png(path) => {
                if ty != Scalar::U32.into() {
                    let message = format!(
                        "`{}` gives u32 pixels of RGBA, but buffer `{name}` holds {ty}",
                        path.display()
                    );
                    return Err(Diagnostic::new(codes::C017, message).fix("Declare the buffer as u32."));
                }
                let (width, height) = self.image_size()?.expect("it is a picture");
                Ok(width as u64 * height as u64)
            }
        }
    }

    /// Width and height, if it is a picture.
    pub fn image_size(&self) -> Result<Option<(u32, u32)>, Diagnostic> {
        let Source::Png(path) = self else { return Ok(None) };
        image::size(BufReader::new(open(path)?.0)).map(Some).map_err(|why| png_error(path, &why))
    }

    /// The contents of a buffer of `elements` elements, as [`Source::measure`] gave.
    pub fn read(
        &self,
        name: &str,
        ty: Type,
        elements: u64,
        placement: Placement,
    ) -> Result<AlignedBytes, crate::failure::Failure> {
        let len = elements.saturating_mul(ty.bytes() as u64);
        let mut bytes = AlignedBytes::placed(len, placement, &format!("buffer `{name}`"))?;
        match self {
            Source::Zeros(_) => {}
            Source::Iota(_) => elements::fill_iota(&mut bytes, ty.scalar),
            Source::Random { seed, .. } => elements::fill_random(&mut bytes, ty.scalar, *seed),
            Source::Literal(text) => {
                let size = ty.scalar.bytes() as usize;
                for (out, bits) in bytes.chunks_exact_mut(size).zip(literal(name, text, ty)?) {
                    out.copy_from_slice(&bits.to_le_bytes()[..size]);
                }
            }
            Source::Bin(path) => fill(path, &mut open(path)?.0, &mut bytes)?,
            Source::Bytes(path) => {
                let (mut file, len) = open(path)?;
                let len = (len as usize).min(bytes.len());
                fill(path, &mut file, &mut bytes[..len])?;
            }
            Source::Npy(path) => {
                let mut file = open(path)?.0;
                let data = npy_header(path, &mut file)?.data;
                file.seek(SeekFrom::Start(data)).map_err(|e| file_error("read", path, &e))?;
                fill(path, &mut file, &mut bytes)?;
            }
            Source::Png(path) => {
                let file = BufReader::new(open(path)?.0);
                let pixels = image::read(file).map_err(|why| png_error(path, &why))?;
                if pixels.len() != bytes.len() {
                    return Err(png_error(path, "it changed while it was read").into());
                }
                bytes.copy_from_slice(&pixels);
            }
        }
        Ok(bytes)
    }
}

/// Whether it is a number with the suffix that asks for bits of f32 or i32.
fn is_suffixed(text: &str) -> bool {
    elements::parse_literal(text, Scalar::U32).is_ok()
}

fn literal(name: &str, text: &str, ty: Type) -> Result<Vec<u64>, Diagnostic> {
    elements::parse_literal(text, ty.scalar).map_err(|why| {
        Diagnostic::new(
            codes::C018,
            format!("the numbers for buffer `{name}` of {ty} are not understood: {why}"),
        )
        .fix("Write numbers of that type, such as 0.5 or [1,2,3].")
    })
}

/// Scalars as whole elements.
fn whole(name: &str, what: &str, scalars: u64, ty: Type) -> Result<u64, Diagnostic> {
    let lanes = ty.lanes as u64;
    if !scalars.is_multiple_of(lanes) {
        let message = format!("{what} has {scalars} numbers, but buffer `{name}` holds {ty}, {lanes} each");
        return Err(Diagnostic::new(codes::C014, message).fix(format!("Give a multiple of {lanes} numbers.")));
    }
    Ok(scalars / lanes)
}

/// Opens a regular file; anything else has no size to plan with.
fn open(path: &Path) -> Result<(File, u64), Diagnostic> {
    let fix = |d: Diagnostic| d.fix("Name a file that exists and may be read.");
    let file = File::open(path).map_err(|e| fix(file_error("read", path, &e)))?;
    let metadata = file.metadata().map_err(|e| fix(file_error("read", path, &e)))?;
    if !metadata.is_file() {
        return Err(fix(Diagnostic::new(codes::C002, format!("`{}` is not a regular file", path.display()))));
    }
    Ok((file, metadata.len()))
}

fn npy_header(path: &Path, file: &mut File) -> Result<npy::Header, Diagnostic> {
    npy::read_header(file).map_err(|why| {
        Diagnostic::new(codes::C016, format!("`{}` cannot be read as .npy: {why}", path.display()))
            .fix("Save it with `numpy.save`.")
    })
}

fn png_error(path: &Path, why: &str) -> Diagnostic {
    Diagnostic::new(codes::C017, format!("`{}` cannot be read as PNG: {why}", path.display()))
        .fix("Save it again as PNG.")
}

fn fill(path: &Path, file: &mut File, bytes: &mut [u8]) -> Result<(), Diagnostic> {
    file.read_exact(bytes).map_err(|e| file_error("read", path, &e))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms() {
        let ok = [
            ("a.npy", Source::Npy("a.npy".into())),
            ("dir/A.PNG", Source::Png("dir/A.PNG".into())),
            ("bytes:Cargo.lock", Source::Bytes("Cargo.lock".into())),
            ("zeros:3", Source::Zeros(3)),
            ("random:7:100", Source::Random { seed: 7, count: 100 }),
            ("[1, 2]", Source::Literal("[1, 2]".into())),
            ("-0.5e3", Source::Literal("-0.5e3".into())),
            ("1.5f", Source::Literal("1.5f".into())),
        ];
        for (text, expect) in ok {
            assert_eq!(Source::parse(text), Ok(expect), "{text}");
        }
        for text in
            ["", "zeros:", "zeros:-1", "iota:0", "random:3", "random:x:3", "Cargo.toml", "nothing", "a.npy2"]
        {
            assert_eq!(Source::parse(text).unwrap_err().code, "C013", "{text}");
        }
    }

    #[test]
    fn contents() {
        let read = |text: &str, ty: Type| {
            let source = Source::parse(text).unwrap();
            let n = source.measure("b", ty).unwrap();
            source.read("b", ty, n, Placement::default()).map(|bytes| bytes.to_vec()).unwrap()
        };
        assert_eq!(read("iota:2", Type::new(Scalar::U8, 2)), [0, 1, 2, 3]);
        assert_eq!(read("[256,-1]", Scalar::I16.into()), [0, 1, 255, 255]);
        assert_eq!(read("zeros:2", Scalar::U16.into()), [0; 4]);
        let odd = Source::parse("[1,2,3]").unwrap().measure("b", Type::new(Scalar::U8, 2));
        assert_eq!(odd.unwrap_err().code, "C014");
    }

    #[test]
    fn files() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str, bytes: &[u8]| {
            let path = dir.path().join(name);
            std::fs::write(&path, bytes).unwrap();
            path
        };
        let mut array = npy::header_of(Scalar::U16.into(), 3);
        array.extend([1, 0, 2, 0, 3, 0]);
        let whole = Source::Npy(path("a.npy", &array));
        assert_eq!(whole.measure("b", Scalar::U16.into()), Ok(3));
        assert_eq!(
            *whole.read("b", Scalar::U16.into(), 3, Placement::default()).unwrap(),
            [1, 0, 2, 0, 3, 0]
        );
        let error = whole.measure("b", Scalar::F32.into()).unwrap_err();
        assert!(
            error.code == "C015" && error.message.contains("<u2") && error.message.contains("f32"),
            "{error}"
        );
        let short = Source::Npy(path("short.npy", &array[..array.len() - 1]));
        assert_eq!(short.measure("b", Scalar::U16.into()).unwrap_err().code, "C016");
        let odd = path("odd.bin", &[1, 2, 3]);
        assert_eq!(Source::Bin(odd.clone()).measure("b", Scalar::U16.into()).unwrap_err().code, "C014");
        let padded = Source::Bytes(odd);
        assert_eq!(padded.measure("b", Scalar::U16.into()), Ok(2));
        assert_eq!(*padded.read("b", Scalar::U16.into(), 2, Placement::default()).unwrap(), [1, 2, 3, 0]);
        let folder = Source::Bytes(dir.path().into());
        assert_eq!(folder.measure("b", Scalar::U8.into()).unwrap_err().code, "C002");
    }
}
