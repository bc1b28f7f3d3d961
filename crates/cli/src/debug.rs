//! `VYRE_DEBUG=1..5` and `VYRE_DUMP=DIR`: what happens inside, on standard error and as files.

use crate::codes;
use crate::failure::{Failure, file_error};
use std::path::{Path, PathBuf};
use vyre_ir::Diagnostic;

/// What the environment asks for.
#[derive(Clone, Default, Debug)]
pub struct Debug {
    level: u8,
    folder: Option<PathBuf>,
}

/// The device that was opened.
pub const DEVICE: u8 = 1;
/// Launches with times.
pub const LAUNCHES: u8 = 2;
/// The program after optimization.
pub const PROGRAM: u8 = 3;
/// Each pass that changed something.
pub const PASSES: u8 = 4;
/// The target's code.
pub const CODE: u8 = 5;

impl Debug {
    /// Reads the environment.
    pub fn from_environment() -> Result<Debug, Failure> {
        let level = match std::env::var("VYRE_DEBUG").ok().filter(|text| !text.is_empty()) {
            None => 0,
            Some(text) => text.parse().ok().filter(|level| *level <= 5).ok_or_else(|| {
                Diagnostic::new(codes::C001, format!("VYRE_DEBUG is `{text}`, which is not a level"))
                    .fix("Set it to 0 to 5.")
            })?,
        };
        let folder = std::env::var_os("VYRE_DUMP").filter(|v| !v.is_empty()).map(PathBuf::from);
        if let Some(folder) = &folder {
            std::fs::create_dir_all(folder).map_err(|e| file_error("make the folder", folder, &e))?;
        }
        Ok(Debug { level, folder })
    }

    /// Whether this level is asked for.
    pub fn shows(&self, level: u8) -> bool {
        self.level >= level
    }

    /// Prints a line or a text if its level is asked for.
    pub fn say(&self, level: u8, text: impl FnOnce() -> String) {
        if self.shows(level) {
            eprintln!("vyre: {}", text());
        }
    }

    /// Whether files are asked for.
    pub fn dumps(&self) -> bool {
        self.folder.is_some()
    }

    /// Writes a file if they are asked for.
    pub fn dump(&self, file: &str, text: impl FnOnce() -> String) -> Result<(), Failure> {
        let Some(folder) = &self.folder else { return Ok(()) };
        let path: &Path = &folder.join(file);
        std::fs::write(path, text()).map_err(|e| file_error("write", path, &e).into())
    }
}
