//! WGSL and SPIR-V into vyre programs.
//!
//! naga parses and validates; what it validates in a compute stage is lowered into one [`Program`]: functions are
//! inlined, aggregates are split, jumps become region results.

use vyre_ir::{Diagnostic, Program};

/// What to import and with which override values.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ImportOptions {
    /// The entry point; may be left out when there is one only.
    pub entry: Option<String>,
    /// Values of `override` declarations, by name or by `@id`.
    pub overrides: Vec<(String, f64)>,
}

/// Imports WGSL; `name` is what diagnostics call the file.
///
/// # Errors
/// Everything that is wrong with the source, or that cannot be imported.
pub fn import_wgsl(name: &str, source: &str, options: &ImportOptions) -> Result<Program, Vec<Diagnostic>> {
    let _ = (name, source, options);
    Err(vec![Diagnostic::new("I000", "WGSL import is not there yet")])
}

/// Imports SPIR-V; `name` is what diagnostics call the file.
///
/// # Errors
/// Everything that is wrong with the module, or that cannot be imported.
pub fn import_spirv(name: &str, bytes: &[u8], options: &ImportOptions) -> Result<Program, Vec<Diagnostic>> {
    let _ = (name, bytes, options);
    Err(vec![Diagnostic::new("I000", "SPIR-V import is not there yet")])
}
