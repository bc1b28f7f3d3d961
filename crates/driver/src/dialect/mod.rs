//! Dialects in files: TOML that declares operations, read and installed while the process runs.
//!
//! ```
//! let file = r#"
//!     [dialect]
//!     name = "demo"
//!     version = "1.0.0"
//!     repository = "https://example.org/demo"  # may be left out
//!
//!     [[op]]
//!     name = "blend"
//!     doc = "`a` where `t` is 0, `b` where it is 1."
//!     operands = ["a: f32", "b: f32", "t: f32"]
//!     results = ["f32"]
//!     body = '''
//!         %0: f32 = sub %b, %a
//!         %1: f32 = fma %0, %t, %a
//!         yield %1
//!     '''
//!
//!     [[op]]
//!     name = "either"
//!     attributes = ["mask: u32 = 255"]  # numbers that a call gives when the program is written
//!     operands = ["a: u32", "b: u32"]
//!     results = ["u32"]
//!     laws = ["commutative"]            # checked on samples
//!     body = '''
//!         %0: u32 = or %a, %b
//!         %1: u32 = and %0, %mask
//!         yield %1
//!     '''
//! "#;
//! let loaded = vyre_driver::load_dialect_text("demo.toml", file).unwrap();
//! assert_eq!(loaded.ops, ["demo.blend", "demo.either"]);
//! ```
//!
//! A body is in vyre's text, or in another [language](vyre_ir::dialect::BodyLanguage) that is linked into the process:
//! with `vyre-wgsl`, `language = "wgsl"` and a function of the operation's name and parameters. An operation can have
//! `ulp` and `deprecated = { since, instead }`; a law can also be `{ identity = 0 }` or `{ annihilator = 0 }`;
//! `[[migration]]` has `from`, `to`, `since`, `operands`, `rename`, `remove`, `add`, as
//! [`OpMigration`](vyre_ir::dialect::OpMigration) has.
//!
//! Invariants: a file is installed as a whole or nothing changes; every problem names its line and column in the file,
//! those within bodies too; no file is believed before it is bounded.

mod fields;
mod file;
mod install;
mod place;
mod watch;

use crate::codes;
use place::Problems;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;
use vyre_ir::dialect::DialectRegistry;
use vyre_ir::{Diagnostic, Source, Version};

pub use watch::{DialectReload, DialectWatch};

/// Bytes of the largest file that is read.
pub const MAX_DIALECT_FILE: u64 = 1 << 20;

/// A dialect that was installed from a file.
#[derive(Clone, Debug)]
pub struct LoadedDialect {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: Version,
    /// Where it comes from, if the file says so.
    pub repository: Option<String>,
    /// The ids of its operations, in the order of the file.
    pub ops: Vec<String>,
    /// The snapshot that it is part of.
    pub registry: Arc<DialectRegistry>,
}

/// Installs the dialect of a file in the place of what the same path held before. Programs that are compiled from now
/// on see it.
///
/// # Errors
/// Everything that is wrong with the file, in its order; then nothing is changed.
pub fn load_dialect(path: &Path) -> Result<LoadedDialect, Vec<Diagnostic>> {
    load_dialect_text(&path.display().to_string(), &read(path).map_err(|error| vec![error])?)
}

/// Installs the dialect of a text as [`load_dialect`] does; `name` stands for the path.
///
/// # Errors
/// Everything that is wrong with the text, in its order; then nothing is changed.
pub fn load_dialect_text(name: &str, text: &str) -> Result<LoadedDialect, Vec<Diagnostic>> {
    if text.len() as u64 > MAX_DIALECT_FILE {
        return Err(vec![too_large(name)]);
    }
    let source = Arc::new(Source { name: name.into(), text: text.into() });
    let mut problems = Problems { source, found: Vec::new() };
    match file::read(name, &mut problems) {
        Some(draft) => install::install(draft, problems),
        None => Err(install::in_order(problems)),
    }
}

/// A file's text.
fn read(path: &Path) -> Result<String, Diagnostic> {
    let name = path.display();
    let failed = |why: &dyn std::fmt::Display| {
        Diagnostic::new(codes::O020, format!("cannot read `{name}`: {why}"))
            .fix("Name a TOML file that exists and may be read.")
    };
    let file = File::open(path).map_err(|error| failed(&error))?;
    let mut bytes = Vec::new();
    file.take(MAX_DIALECT_FILE + 1).read_to_end(&mut bytes).map_err(|error| failed(&error))?;
    if bytes.len() as u64 > MAX_DIALECT_FILE {
        return Err(too_large(&name.to_string()));
    }
    String::from_utf8(bytes)
        .map_err(|error| failed(&format!("byte {} is not UTF-8 text", error.utf8_error().valid_up_to())))
}

fn too_large(name: &str) -> Diagnostic {
    let message = format!("`{name}` is larger than {} KiB", MAX_DIALECT_FILE >> 10);
    Diagnostic::new(codes::O020, message).fix("Make several dialects of it.")
}
