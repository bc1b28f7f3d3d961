//! `vyre opt`: a program as the optimizer leaves it.

use crate::args::OptArgs;
use crate::failure::Failure;
use crate::load::load;
use vyre_ir::Diagnostic;

/// Optimizes a program; gives what to print on standard output.
pub fn opt(args: &OptArgs, _as_json: bool) -> Result<String, Failure> {
    load(&args.program)?;
    Err(Diagnostic::new("C004", "`vyre opt` is not available in this version").into())
}
