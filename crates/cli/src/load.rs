//! Reads a program of any kind and verifies it.

use crate::args::ProgramArgs;
use crate::codes;
use crate::failure::{Failure, file_error};
use crate::report::report;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use tracing::{debug_span, info_span};
use vyre::spans::TARGET;
use vyre_ir::dialect::{self, DialectRegistry};
use vyre_ir::{Diagnostic, Program, text, verify::verify, wire};
use vyre_wgsl::{ImportOptions, import_spirv, import_wgsl};

/// The largest program file that is read.
const LARGEST: u64 = 256 << 20;

/// The forms of a program, told apart by content first, then by the file's extension.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Kind {
    /// WGSL.
    Wgsl,
    /// SPIR-V.
    Spirv,
    /// vyre's text form.
    Text,
    /// vyre's binary form.
    Wire,
}

impl Kind {
    /// The kind of a file with this content.
    pub fn of(path: &Path, bytes: &[u8]) -> Kind {
        let extension = path.extension().and_then(|e| e.to_str());
        match bytes {
            [b'V', b'Y', b'R', b'E', ..] => Kind::Wire,
            [0x03, 0x02, 0x23, 0x07, ..] | [0x07, 0x23, 0x02, 0x03, ..] => Kind::Spirv,
            _ if extension == Some("vyre") => Kind::Text,
            _ if extension == Some("vyrw") => Kind::Wire,
            _ if extension == Some("spv") => Kind::Spirv,
            _ if extension == Some("wgsl") => Kind::Wgsl,
            _ if starts_with_program(bytes) => Kind::Text,
            _ => Kind::Wgsl,
        }
    }
}

/// Whether the first word outside comments is the text form's first word, which WGSL does not have.
fn starts_with_program(bytes: &[u8]) -> bool {
    let mut lines = bytes.split(|b| *b == b'\n').map(<[u8]>::trim_ascii);
    let first = lines.find(|line| !line.is_empty() && !line.starts_with(b"//"));
    first.is_some_and(|line| line.starts_with(b"program "))
}

/// Installs the dialects of files, in their order.
pub fn load_dialects(files: &[PathBuf]) -> Result<(), Failure> {
    files.iter().try_for_each(|file| vyre::load_dialect(file).map(drop)).map_err(Failure::from)
}

/// Loads the dialects that the program needs, then reads, imports and verifies it.
pub fn load(args: &ProgramArgs) -> Result<Program, Failure> {
    load_dialects(&args.dialects)?;
    program(args)
}

/// Reads, imports and verifies a program whose dialects are there.
pub fn program(args: &ProgramArgs) -> Result<Program, Failure> {
    let bytes = read(&args.file)?;
    let name = if args.file.as_os_str() == "-" { "<stdin>".into() } else { args.file.display().to_string() };
    let kind = Kind::of(&args.file, &bytes);
    let options = ImportOptions {
        entry: args.entry.clone(),
        overrides: args.overrides.iter().map(|o| (o.0.clone(), o.1)).collect(),
    };
    // The importers of the other forms open it themselves.
    let import = |kind| info_span!(target: TARGET, "import", kind, bytes = bytes.len());
    let program = match kind {
        Kind::Wgsl => import_wgsl(&name, utf8(&name, &bytes)?, &options)?,
        Kind::Spirv => import_spirv(&name, &bytes, &options)?,
        Kind::Text => {
            let source = utf8(&name, &bytes)?;
            import("text").in_scope(|| text::parse(&name, source))?
        }
        Kind::Wire => import("wire").in_scope(|| wire::decode(&bytes)).map_err(|d| {
            let message = format!("`{name}` cannot be read: {}", d.message);
            Diagnostic { message, ..d }
        })?,
    };
    if matches!(kind, Kind::Text | Kind::Wire) {
        if let Some(entry) = options.entry.filter(|entry| *entry != program.name) {
            let message = format!("`{name}` holds the program `{}`, not `{entry}`", program.name);
            return Err(Diagnostic::new(codes::C005, message).fix("Leave `--entry` out.").into());
        }
        if !options.overrides.is_empty() {
            let message = format!("`{name}` is in vyre's own form, which has no overrides");
            return Err(Diagnostic::new(codes::C005, message).fix("Leave `--override` out.").into());
        }
    }
    let link = debug_span!(target: TARGET, "link");
    let program = link.in_scope(|| dialect::link(&program, &DialectRegistry::global()))?;
    let span = debug_span!(target: TARGET, "verify", instructions = program.size());
    span.in_scope(|| verify(&program))?;
    report(&dialect::notices(&program));
    Ok(program)
}

fn read(path: &Path) -> Result<Vec<u8>, Diagnostic> {
    let error = |e| file_error("read", path, &e).fix("Name a file that exists and may be read.");
    let mut bytes = Vec::new();
    if path.as_os_str() == "-" {
        std::io::stdin().lock().take(LARGEST + 1).read_to_end(&mut bytes).map_err(error)?;
    } else {
        let file = File::open(path).map_err(error)?;
        file.take(LARGEST + 1).read_to_end(&mut bytes).map_err(error)?;
    }
    if bytes.len() as u64 > LARGEST {
        let message = format!("`{}` is larger than {} MiB", path.display(), LARGEST >> 20);
        return Err(Diagnostic::new(codes::C003, message).fix("Check that this is a program."));
    }
    Ok(bytes)
}

fn utf8<'a>(name: &str, bytes: &'a [u8]) -> Result<&'a str, Diagnostic> {
    std::str::from_utf8(bytes).map_err(|e| {
        let message = format!("`{name}` is not a program: byte {} is not UTF-8 text", e.valid_up_to());
        Diagnostic::new(codes::C003, message)
            .fix("Give WGSL, SPIR-V, or a vyre program in text or wire form.")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds() {
        for (path, bytes, kind) in [
            ("a.wgsl", &b"@compute"[..], Kind::Wgsl),
            ("-", b"@compute", Kind::Wgsl),
            ("-", b"// dumped\n\n  program main workgroup(1, 1, 1) {}", Kind::Text),
            ("a.vyre", b"", Kind::Text),
            ("a.wgsl", b"VYRE\x01", Kind::Wire),
            ("a", &[3, 2, 0x23, 7, 0], Kind::Spirv),
            ("a.spv", b"", Kind::Spirv),
            ("", b"", Kind::Wgsl),
        ] {
            assert_eq!(Kind::of(Path::new(path), bytes), kind, "{path}");
        }
    }
}
