//! WGSL and SPIR-V into vyre programs.
//!
//! naga parses, validates and gives overrides their values ([`front`]); what it validates in a compute stage is
//! lowered into one [`Program`]: functions are inlined, aggregates are split into scalars and vectors ([`types`]),
//! variables become values and jumps become region results ([`vars`], [`statements`]), pointers become buffer indices
//! ([`access`]), and what has returned is kept from what follows a grid sync ([`spread`]). The body of a dialect's operation is one function without memory ([`function`]).

mod access;
mod atomics;
mod bits;
mod builtins;
mod code;
mod expressions;
mod facts;
mod front;
mod function;
mod guard;
mod lower;
mod math;
mod matrix;
mod memory;
mod named;
mod operators;
mod pack;
mod repair;
mod spirv;
mod spread;
mod statements;
#[cfg(test)]
mod tests;
mod types;
mod value;
mod vars;

use crate::codes;
use std::sync::Arc;
use vyre_ir::{Diagnostic, Program, Source};

/// What to import and with which override values.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ImportOptions {
    /// The entry point; may be left out when there is one only.
    pub entry: Option<String>,
    /// Values of `override` declarations, by name or by `@id`.
    pub overrides: Vec<(String, f64)>,
}

/// Virtual memory for the stack of an import: naga recurses with the nesting of its input.
const STACK: usize = 256 << 20;

/// Imports WGSL; `name` is what diagnostics call the file.
///
/// # Errors
/// Everything that is wrong with the source, or that cannot be imported.
pub fn import_wgsl(name: &str, source: &str, options: &ImportOptions) -> Result<Program, Vec<Diagnostic>> {
    let _span = tracing::info_span!(target: "vyre", "import", kind = "wgsl", bytes = source.len()).entered();
    guard::size(name, source.len())?;
    let text = Arc::new(Source { name: name.into(), text: source.into() });
    located(&text, guard::nesting(source).map_err(|d| vec![d]))?;
    let result = on_large_stack(|| front::wgsl(source, options));
    let mut program = located(&text, result)?;
    program.source = Some(text);
    Ok(program)
}

/// Imports SPIR-V; `name` is what diagnostics call the file.
///
/// # Errors
/// Everything that is wrong with the module, or that cannot be imported.
pub fn import_spirv(name: &str, bytes: &[u8], options: &ImportOptions) -> Result<Program, Vec<Diagnostic>> {
    let _span = tracing::info_span!(target: "vyre", "import", kind = "spirv", bytes = bytes.len()).entered();
    guard::size(name, bytes.len())?;
    let text = Arc::new(Source { name: name.into(), text: String::new() });
    let mut program = on_large_stack(|| front::spirv(name, bytes, options))?;
    program.source = Some(text);
    Ok(program)
}

/// Adds the source to errors.
fn located<T>(source: &Arc<Source>, result: Result<T, Vec<Diagnostic>>) -> Result<T, Vec<Diagnostic>> {
    result.map_err(|errors| errors.into_iter().map(|e| e.in_source(Some(source))).collect())
}

fn on_large_stack<T: Send>(
    import: impl FnOnce() -> Result<T, Vec<Diagnostic>> + Send,
) -> Result<T, Vec<Diagnostic>> {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().name("vyre-import".into()).stack_size(STACK);
        match thread.spawn_scoped(scope, import) {
            Ok(running) => running.join().unwrap_or_else(|panic| {
                let message = format!("the importer failed: {}", front::panic_text(&*panic));
                Err(vec![Diagnostic::new(codes::I011, message).fix("Report this input as a bug of vyre.")])
            }),
            Err(error) => {
                let message = format!("no thread for the import could be started: {error}");
                Err(vec![Diagnostic::new(codes::I011, message)])
            }
        }
    })
}
