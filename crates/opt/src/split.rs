//! Cuts a program at its grid syncs into stages.

use crate::stages::Staged;
use vyre_ir::{Diagnostic, Program};

/// The stages of a verified program.
///
/// # Errors
/// When the program cannot be cut.
pub fn split(_p: &Program) -> Result<Staged, Diagnostic> {
    todo!()
}
