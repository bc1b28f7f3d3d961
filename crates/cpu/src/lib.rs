//! Backend `cpu`: programs compiled to machine code with Cranelift, one workgroup a thread.
//!
//! The way of a program: [`fission`] cuts it at barriers into pieces and says where values live between them (with
//! [`scalars`] and [`frame`]); [`lower`] makes one function of that, with [`workgroup`] for its outer level, [`ops`] for
//! operations and [`memory`] for accesses; [`jit`] makes machine code; [`kernel`] runs it over the workgroups of a grid
//! on the threads of [`pool`].
//! Floating-point arithmetic is exactly that of the op table's rows: nothing is contracted or reassociated.
//!
//! One invocation runs at a time. Vectors of a program become scalars here, so legal means only that mathematical
//! functions are expanded; what the table of operations lacks calls the row's reference semantics.

pub mod codes;
mod context;
mod counted;
mod device;
mod fission;
mod frame;
mod jit;
mod kernel;
mod lower;
mod memory;
mod ops;
mod pool;
mod range;
mod scalars;
mod shim;
mod subgroup;
mod workgroup;

pub use kernel::Kernel;

use jit::{Code, Text};
use vyre_driver::BackendError;
use vyre_ir::verify::MAX_DEPTH;
use vyre_ir::{Diagnostic, InstData, Op, Program, Region, Scalar};
use vyre_opt::Target;

/// The backend's id.
pub const ID: &str = "cpu";

/// Instructions of a program that is compiled.
const MAX_SIZE: usize = 1_000_000;

/// Nesting from which on a compilation gets a stack of its own.
const DEEP: usize = 50;

/// Stack for a level of nesting; several functions call each other at each.
const STACK_PER_LEVEL: usize = 16 << 10;

/// What a program must look like for this backend.
pub fn target() -> Target {
    Target { name: ID, scalar_lanes: true, native }
}

/// Whether an operation is computed here as it is; the others are expanded.
pub fn native(op: Op, _: Scalar) -> bool {
    op.info().expand.is_none()
}

/// Compiles a verified program.
///
/// # Errors
/// [`BackendError::Unsupported`] for subgroup operations in divergent control flow (`D401`) and for programs beyond the
/// limits of nesting (`D402`) and size (`D403`), [`BackendError::OutOfMemory`] when a workgroup's variables are too
/// large, [`BackendError::CompileFailed`] when Cranelift fails.
pub fn compile(p: &Program) -> Result<Kernel, BackendError> {
    build(p, None).map(|(kernel, _)| kernel)
}

/// The program in Cranelift's intermediate language, before Cranelift optimizes it.
///
/// # Errors
/// As [`compile`].
pub fn clif(p: &Program) -> Result<String, BackendError> {
    build(p, Some(Text::Clif)).map(|(_, text)| text)
}

/// The program's machine code as text.
///
/// # Errors
/// As [`compile`].
pub fn assembly(p: &Program) -> Result<String, BackendError> {
    build(p, Some(Text::Assembly)).map(|(_, text)| text)
}

fn build(p: &Program, text: Option<Text>) -> Result<(Kernel, String), BackendError> {
    let failed = |log| BackendError::CompileFailed { backend: ID, log };
    let make = || {
        let plan = fission::plan(p)?;
        let (code, words) = Code::new(p, &plan, text).map_err(failed)?;
        Ok((Kernel::new(p, &plan, code), words))
    };
    let depth = check_limits(p)?;
    if depth < DEEP {
        return make();
    }
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size((depth + DEEP) * STACK_PER_LEVEL);
        let thread = thread.spawn_scoped(scope, make).map_err(|e| failed(e.to_string()))?;
        thread.join().unwrap_or_else(|_| Err(BackendError::Internal { what: "the compiler panicked".into() }))
    })
}

/// How deep the regions of a program are, within the limits.
fn check_limits(p: &Program) -> Result<usize, BackendError> {
    let (mut deepest, mut size) = (0, 0);
    let mut open: Vec<(Region, usize)> = vec![(p.body, 0)];
    while let Some((region, depth)) = open.pop() {
        deepest = deepest.max(depth);
        for &inst in &p.regions[region].insts {
            let data = &p.insts[inst];
            size += 1;
            if depth == MAX_DEPTH && !data.regions.is_empty() {
                let message = format!("control flow is nested more than {MAX_DEPTH} deep");
                return Err(unsupported(p, data, codes::D402, message));
            }
            open.extend(data.regions.iter().map(|&inner| (inner, depth + 1)));
        }
    }
    if size > MAX_SIZE {
        let message = format!("the program has {size} instructions; the limit is {MAX_SIZE}");
        let what = Diagnostic::new(codes::D403, message).fix("Split the program, or call fewer functions.");
        return Err(BackendError::Unsupported { backend: ID, what: Box::new(what) });
    }
    Ok(deepest)
}

/// Refuses a program for one of its instructions.
fn unsupported(p: &Program, data: &InstData, code: vyre_ir::Code, message: String) -> BackendError {
    BackendError::Unsupported { backend: ID, what: Box::new(diagnostic(p, data, code, message)) }
}

/// A message about an instruction.
fn diagnostic(p: &Program, data: &InstData, code: vyre_ir::Code, message: String) -> Diagnostic {
    Diagnostic::new(code, message).at(data.loc, "").in_source(p.source.as_ref())
}
