//! Where a buffer's contents go: `--out NAME=SINK`.
//!
//! Every sink is checked before anything runs. Files are written next to their place under another name and renamed
//! when all of them are complete, so nothing half-written is ever seen.

use crate::codes;
use crate::failure::{Failure, failed, file_error};
use crate::{elements, image, npy};
use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;
use vyre_ir::{Diagnostic, Type};

/// What a user may write.
pub const FORMS: &str = "FILE.npy, FILE.bin, FILE.png, FILE.png:WIDTH, - or -:hex";

/// A place for contents.
#[derive(Clone, PartialEq, Debug)]
pub enum Sink {
    /// A NumPy file.
    Npy(PathBuf),
    /// Raw bytes.
    Bin(PathBuf),
    /// A picture, of that width if one was given.
    Png(PathBuf, Option<u32>),
    /// Standard output as text, one element a line; as the hexadecimal digits of its bits if `hex`.
    Stdout { hex: bool },
}

impl Sink {
    /// Reads the form.
    pub fn parse(text: &str) -> Result<Sink, Diagnostic> {
        let bad = |why: &str| {
            Diagnostic::new(codes::C020, format!("`{text}` is not a place for an output: {why}"))
                .fix(format!("Write {FORMS}."))
        };
        if let "-" | "-:hex" = text {
            return Ok(Sink::Stdout { hex: text != "-" });
        }
        if let Some((path, width)) = text.rsplit_once(':')
            && has_extension(path, "png")
        {
            let width = width
                .parse()
                .ok()
                .filter(|w| *w > 0)
                .ok_or_else(|| bad("the width is not a number above 0"))?;
            return Ok(Sink::Png(path.into(), Some(width)));
        }
        match text {
            _ if has_extension(text, "npy") => Ok(Sink::Npy(text.into())),
            _ if has_extension(text, "bin") => Ok(Sink::Bin(text.into())),
            _ if has_extension(text, "png") => Ok(Sink::Png(text.into(), None)),
            _ => Err(bad("its extension does not say what to write")),
        }
    }

    /// The file, if it is one.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Sink::Npy(path) | Sink::Bin(path) | Sink::Png(path, _) => Some(path),
            Sink::Stdout { .. } => None,
        }
    }

    /// Fixes the width of a picture and checks that `elements` of the type fill it: `guess` is the width when the
    /// user gave none.
    pub fn fit(&mut self, name: &str, ty: Type, elements: u64, guess: Option<u32>) -> Result<(), Diagnostic> {
        let Sink::Png(path, width) = self else { return Ok(()) };
        if !image::can_hold(ty) {
            let message = format!("buffer `{name}` holds {ty}, of which no picture can be made");
            return Err(Diagnostic::new(codes::C021, message)
                .fix("Write .npy or .bin; a picture is made of u32 (RGBA8), f32 or f32x4 (0 to 1)."));
        }
        let Some(known) = width.or(guess) else {
            let message = format!("the width of `{}` is not known: {elements} pixels", path.display());
            return Err(Diagnostic::new(codes::C022, message)
                .fix(format!("Write `--out {name}={}:WIDTH`.", path.display())));
        };
        if !elements.is_multiple_of(known as u64) || u32::try_from(elements / known as u64).is_err() {
            let message = format!("buffer `{name}` of {elements} pixels has no whole rows of {known}");
            return Err(
                Diagnostic::new(codes::C022, message).fix("Give a width that divides the number of pixels.")
            );
        }
        *width = Some(known);
        Ok(())
    }

    /// Whether the file can be written, without changing anything that stays.
    pub fn probe(&self) -> Result<(), Diagnostic> {
        let Some(path) = self.path() else { return Ok(()) };
        probe(path).map_err(|e| file_error("write", path, &e).fix("Name a place that may be written."))
    }
}

/// Whether a file can be written, without changing anything that stays.
pub fn probe(path: &Path) -> std::io::Result<()> {
    if path.is_dir() {
        return Err(std::io::ErrorKind::IsADirectory.into());
    }
    if path.exists() {
        OpenOptions::new().write(true).open(path)?;
    }
    // Without the name of the temporary file, which says nothing to a user.
    temporary(path).map(drop).map_err(|e| e.kind().into())
}

fn has_extension(path: &str, extension: &str) -> bool {
    Path::new(path).extension().is_some_and(|e| e.eq_ignore_ascii_case(extension))
}

/// A file beside the place, with the permissions of an ordinary new file.
fn temporary(path: &Path) -> std::io::Result<NamedTempFile> {
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut builder = tempfile::Builder::new();
    builder.prefix(".vyre-");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // The umask takes its part away.
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    builder.tempfile_in(folder)
}

/// Writes a file whole or not at all.
pub fn replace(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let place = path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
    let mut file = temporary(&place)?;
    file.write_all(bytes)?;
    file.persist(&place).map_err(|e| e.error)?;
    Ok(())
}

/// An output on its way to its place.
pub struct Output<'a> {
    /// The type of its elements.
    pub ty: Type,
    /// Its contents.
    pub bytes: &'a [u8],
    /// Where they go.
    pub sink: &'a Sink,
}

/// Writes all outputs; the files appear only once all of them are written. Gives notices.
pub fn write_all(outputs: &[Output<'_>]) -> Result<Vec<String>, Failure> {
    let (mut ready, mut notices) = (Vec::new(), Vec::new());
    for output in outputs {
        let Some(path) = output.sink.path() else { continue };
        // The target of a link is replaced, not the link.
        let place = path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
        let error = |e: &std::io::Error| failed(file_error("write", path, e));
        let mut file = temporary(&place).map_err(|e| error(&e))?;
        notices.extend(write_file(output, file.as_file_mut()).map_err(|e| error(&e))?);
        ready.push((file, place));
    }
    for output in outputs.iter().filter(|output| output.sink.path().is_none()) {
        let stdout = std::io::stdout().lock();
        match write_text(output, &mut BufWriter::new(stdout)) {
            // A reader that has seen enough, such as `head`, is no failure.
            Err(e) if e.kind() == std::io::ErrorKind::BrokenPipe => {}
            Err(e) => return Err(failed(file_error("write", Path::new("-"), &e))),
            Ok(()) => {}
        }
    }
    for (file, place) in ready {
        file.persist(&place).map_err(|e| failed(file_error("write", &place, &e.error)))?;
    }
    Ok(notices)
}

fn write_file(output: &Output<'_>, file: &mut File) -> std::io::Result<Option<String>> {
    let mut notice = None;
    let mut out = BufWriter::new(file);
    match output.sink {
        Sink::Npy(_) => {
            out.write_all(&npy::header_of(output.ty, output.bytes.len() as u64 / output.ty.bytes() as u64))?;
            out.write_all(output.bytes)?;
        }
        Sink::Png(path, width) => {
            let width = width.expect("`fit` was called");
            let height = (output.bytes.len() as u64 / output.ty.bytes() as u64 / width as u64) as u32;
            let cut = image::write(&mut out, output.bytes, output.ty, width, height)
                .map_err(std::io::Error::other)?;
            if cut > 0 {
                notice = Some(format!("{cut} values outside 0 to 1 were cut in `{}`", path.display()));
            }
        }
        Sink::Bin(_) | Sink::Stdout { .. } => out.write_all(output.bytes)?,
    }
    out.flush()?;
    Ok(notice)
}

fn write_text(output: &Output<'_>, out: &mut impl Write) -> std::io::Result<()> {
    let (ty, lanes) = (output.ty.scalar, output.ty.lanes as usize);
    let mut scalar = 0;
    while let Some(bits) = elements::scalar_at(output.bytes, ty, scalar) {
        match output.sink {
            Sink::Stdout { hex: true } => write!(out, "{bits:0width$x}", width = 2 * ty.bytes() as usize)?,
            _ => out.write_all(elements::show(ty, bits).as_bytes())?,
        }
        scalar += 1;
        out.write_all(if scalar % lanes == 0 { b"\n" } else { b" " })?;
    }
    out.flush()
}

#[cfg(test)]
mod tests {
    use super::*;
    use vyre_ir::Scalar;

    #[test]
    fn forms() {
        let ok = [
            ("-", Sink::Stdout { hex: false }),
            ("-:hex", Sink::Stdout { hex: true }),
            ("a.npy", Sink::Npy("a.npy".into())),
            ("a.bin", Sink::Bin("a.bin".into())),
            ("a.png", Sink::Png("a.png".into(), None)),
            ("x/a.png:640", Sink::Png("x/a.png".into(), Some(640))),
        ];
        for (text, expect) in ok {
            assert_eq!(Sink::parse(text), Ok(expect), "{text}");
        }
        for text in ["", "a", "a.txt", "a.png:", "a.png:0", "a.png:wide", "a.bin:3"] {
            assert_eq!(Sink::parse(text).unwrap_err().code, "C020", "{text}");
        }
    }

    #[test]
    fn pictures_need_a_width_that_fits() {
        let fit = |text: &str, ty: Type, elements, guess| {
            let mut sink = Sink::parse(text).unwrap();
            sink.fit("b", ty, elements, guess).map(|()| sink).map_err(|d| d.code)
        };
        let u32 = Type::from(Scalar::U32);
        assert_eq!(fit("a.png", u32, 12, Some(4)), Ok(Sink::Png("a.png".into(), Some(4))));
        assert_eq!(fit("a.png:3", u32, 12, Some(4)), Ok(Sink::Png("a.png".into(), Some(3))));
        assert_eq!(fit("a.png", u32, 12, None), Err(codes::C022));
        assert_eq!(fit("a.png:5", u32, 12, None), Err(codes::C022));
        assert_eq!(fit("a.png:4", Scalar::U16.into(), 12, None), Err(codes::C021));
        assert_eq!(fit("a.npy", Scalar::U16.into(), 12, None), Ok(Sink::Npy("a.npy".into())));
    }

    #[test]
    fn files_appear_whole_or_not_at_all() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        std::fs::write(at("old.bin"), b"old").unwrap();
        let (new, old) = (Sink::Bin(at("old.bin")), Sink::Npy(at("missing/a.npy")));
        assert_eq!(new.probe(), Ok(()));
        assert_eq!(old.probe().unwrap_err().code, "C002");
        assert_eq!(Sink::Bin(dir.path().into()).probe().unwrap_err().code, "C002");
        let output = |sink| Output { ty: Scalar::U8.into(), bytes: &[1, 2], sink };
        assert!(write_all(&[output(&new), output(&old)]).is_err());
        assert_eq!(std::fs::read(at("old.bin")).unwrap(), b"old");
        assert!(write_all(&[output(&new)]).unwrap().is_empty());
        assert_eq!(std::fs::read(at("old.bin")).unwrap(), [1, 2]);
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1, "nothing else is left behind");
    }

    #[test]
    fn text_is_an_element_a_line() {
        let text = |hex| {
            let sink = Sink::Stdout { hex };
            let mut out = Vec::new();
            let output = Output { ty: Type::new(Scalar::I8, 2), bytes: &[1, 255, 3, 4], sink: &sink };
            write_text(&output, &mut out).unwrap();
            String::from_utf8(out).unwrap()
        };
        assert_eq!(text(false), "1 -1\n3 4\n");
        assert_eq!(text(true), "01 ff\n03 04\n");
    }
}
