//! How a command fails: with diagnostics and an exit status.

use crate::codes;
use vyre::BackendError;
use vyre_ir::Diagnostic;

/// The command's work failed: a wrong result, a device error.
pub const FAILED: u8 = 1;
/// The command line or its input is wrong.
pub const BAD_INPUT: u8 = 2;

/// Why a command did not do its work.
#[derive(Debug)]
pub struct Failure {
    /// [`FAILED`] or [`BAD_INPUT`].
    pub exit: u8,
    /// What to tell.
    pub diagnostics: Vec<Diagnostic>,
}

impl From<Vec<Diagnostic>> for Failure {
    fn from(diagnostics: Vec<Diagnostic>) -> Failure {
        Failure { exit: BAD_INPUT, diagnostics }
    }
}

impl From<Diagnostic> for Failure {
    fn from(diagnostic: Diagnostic) -> Failure {
        vec![diagnostic].into()
    }
}

impl From<BackendError> for Failure {
    fn from(error: BackendError) -> Failure {
        let exit = match error {
            BackendError::NotLinked { .. }
            | BackendError::Unsupported { .. }
            | BackendError::InvalidProgram { .. }
            | BackendError::InvalidInput { .. }
            | BackendError::OutOfMemory { .. } => BAD_INPUT,
            _ => FAILED,
        };
        Failure { exit, diagnostics: error.diagnostics() }
    }
}

/// A failure of the work itself.
pub fn failed(diagnostic: Diagnostic) -> Failure {
    Failure { exit: FAILED, diagnostics: vec![diagnostic] }
}

/// An error about a file, with what the system said.
pub fn file_error(what: &str, path: &std::path::Path, error: &std::io::Error) -> Diagnostic {
    Diagnostic::new(codes::C002, format!("cannot {what} `{}`: {error}", path.display()))
}
