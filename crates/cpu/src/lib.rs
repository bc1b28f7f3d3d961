//! Backend `cpu`: programs compiled to machine code with Cranelift, one workgroup a thread.
//!
//! The way of a program: [`mod@plan`] cuts it at barriers into pieces and says where values live between them (with
//! [`vyre_opt::fission`], [`vyre_opt::analysis::zeroing`], [`scalars`] and [`frame`]); [`form`] says what a workgroup
//! does, several invocations that are consecutive in the program's [`order`], a gang, in step; [`clif`] makes one function
//! of that and [`jit`] machine code; [`stored`] is that as bytes, for the disk cache; [`kernel`] runs it over the workgroups of a grid on the threads of [`pool`], or, if they
//! wait for each other, all at once ([`meeting`]), and over the items of a work queue ([`deques`]).
//! Where no code can be made, or no memory be executable, [`strips`] interpret the form; [`engine`] decides, and the
//! environment variable `VYRE_CPU`: `code`, or `strips` to make no code at all.
//! Floating-point arithmetic is exactly that of the op table's rows: nothing is contracted or reassociated.
//!
//! Results do not depend on how many invocations a gang has. The environment variable `VYRE_GANG` (1, 4, 8, 16) sets it
//! where the program does not ([`form::choice`]).
//!
//! Vectors of a program become scalars here, so legal means only that mathematical
//! functions are expanded; what the table of operations lacks calls the row's reference semantics.

mod brief;
mod clif;
pub mod codes;
mod context;
mod deques;
mod device;
mod engine;
mod form;
mod frame;
mod jit;
mod kernel;
mod meeting;
mod order;
mod plan;
mod pool;
mod report;
mod scalars;
mod shim;
mod stored;
mod strips;
mod subgroup;

pub use device::open;
pub use engine::{Engine, Fault};
pub use kernel::Kernel;

use form::choice::choose;
use jit::{Code, Text};
use vyre_driver::BackendError;
use vyre_ir::dialect::{OpDef, Reference};
use vyre_ir::verify::MAX_DEPTH;
use vyre_ir::{Diagnostic, InstData, Op, Program, Region, Scalar, dialect};
use vyre_opt::Target;

/// The backend's id.
pub const ID: &str = "cpu";

/// Invocations of a subgroup: a gang, in programs that have to do with them.
const SUBGROUP: u32 = 8;

/// Instructions from which on a program is compiled for one invocation after another: gangs take several times the code.
const GANG_SIZE: usize = 2_000;

/// What a gang can be.
const GANGS: [u32; 4] = [1, 4, 8, 16];

/// Instructions that a program may have after loops were unrolled: below that from which on there are no gangs.
const UNROLL: u32 = 1_000;

/// Instructions of a program that is compiled.
const MAX_SIZE: usize = 1_000_000;

/// Nesting from which on a compilation gets a stack of its own.
const DEEP: usize = 50;

/// Stack for a level of nesting; several functions call each other at each.
const STACK_PER_LEVEL: usize = 64 << 10;

/// What a program must look like for this backend.
pub fn target() -> Target {
    Target {
        name: ID,
        scalar_lanes: true,
        native,
        lowering: Some(dialect::Target::NativeModule),
        unroll: UNROLL,
        branches: false,
    }
}

/// Whether an operation is computed here as it is, and not slowly; the others are expanded if they can be.
pub fn native(op: Op, _: Scalar) -> bool {
    op.info().expand.is_none() && (op != Op::Fma || jit::has_fma())
}

/// Compiles a verified program.
///
/// # Errors
/// [`BackendError::Unsupported`] for programs beyond the limits of nesting (`D402`) and size (`D403`),
/// [`BackendError::OutOfMemory`] when a workgroup's variables are too large, [`BackendError::Unavailable`] for settings in
/// the environment that mean nothing. When Cranelift fails the kernel is interpreted and says so; in debug builds that is
/// [`BackendError::CompileFailed`], for tests to see.
pub fn compile(p: &Program) -> Result<Kernel, BackendError> {
    with_stack(p, || Engine::asked()?.kernel(p, None, false))
}

/// Compiles a verified program to run up to `gang` invocations in step: 1, 4, 8 or 16 (see the module).
///
/// # Errors
/// As [`compile`].
///
/// # Panics
/// For another number of invocations.
pub fn compile_in_gangs(p: &Program, gang: u32) -> Result<Kernel, BackendError> {
    assert!(GANGS.contains(&gang), "a gang has 1, 4, 8 or 16 invocations, not {gang}");
    with_stack(p, || Engine::asked()?.kernel(p, Some(gang), false))
}

/// Compiles a verified program so that its first access out of bounds ends the run, one invocation after another. For
/// the report to be that of the program as it was written, it must only have been made legal, not optimized.
///
/// # Errors
/// As [`compile`].
pub fn compile_checked(p: &Program) -> Result<Kernel, BackendError> {
    with_stack(p, || Engine::asked()?.kernel(p, None, true))
}

/// Compiles a verified program, or a checked one as [`compile_checked`] wants it, for an engine.
///
/// # Errors
/// As [`compile`].
pub fn compile_for(engine: Engine, p: &Program, checked: bool) -> Result<Kernel, BackendError> {
    with_stack(p, || engine.kernel(p, None, checked))
}

/// Invocations of a gang, if the variable `VYRE_GANG` says it.
fn asked_gang() -> Result<Option<u32>, BackendError> {
    parse_gang(std::env::var("VYRE_GANG").ok().as_deref())
}

fn parse_gang(setting: Option<&str>) -> Result<Option<u32>, BackendError> {
    let Some(text) = setting else { return Ok(None) };
    let gang = text.trim().parse().ok().filter(|n| GANGS.contains(n));
    gang.map(Some).ok_or_else(|| BackendError::Unavailable {
        reason: format!("VYRE_GANG is `{text}`, which is not how many invocations can run in step"),
        fix: "Set VYRE_GANG to 1, 4, 8 or 16, or unset it.".into(),
    })
}

/// All that decides, beside the program, what code [`compile`] makes: this crate's sources, Cranelift, the processor
/// and its features, what runs programs, and the size of gangs.
///
/// # Errors
/// [`BackendError::Unavailable`] when Cranelift does not know the processor.
pub fn code_version() -> Result<String, BackendError> {
    version(Engine::asked()?)
}

fn version(engine: Engine) -> Result<String, BackendError> {
    let settings = jit::settings()
        .map_err(|reason| BackendError::Unavailable { reason, fix: "Use another backend.".into() })?;
    let build = concat!(env!("CARGO_PKG_VERSION"), " ", env!("VYRE_SOURCES"));
    let (engine, gang) = (engine.name(), asked_gang()?.map_or("auto".into(), |gang| gang.to_string()));
    Ok(format!("vyre-cpu {build} {engine} gang {gang} {settings}"))
}

/// The program in Cranelift's intermediate language.
///
/// # Errors
/// As [`compile`].
pub fn clif(p: &Program) -> Result<String, BackendError> {
    text(p, false, Text::Clif)
}

/// The machine code of [`compile`], or of [`compile_checked`], as text.
///
/// # Errors
/// As [`compile`].
pub fn assembly(p: &Program, checked: bool) -> Result<String, BackendError> {
    text(p, checked, Text::Assembly)
}

fn text(p: &Program, checked: bool, text: Text) -> Result<String, BackendError> {
    let failed = |log| BackendError::CompileFailed { backend: ID, log };
    with_stack(p, || {
        let form = choose(p, asked_gang()?, checked)?.form;
        Code::compile(p, &form, Some(text)).map(|(_, words)| words).map_err(failed)
    })
}

/// What a workgroup does in gangs, as text.
///
/// # Errors
/// As [`compile`].
pub fn gangs(p: &Program) -> Result<String, BackendError> {
    with_stack(p, || Ok(choose(p, asked_gang()?, false)?.form.to_string()))
}

/// Makes something of a program within the limits, on a stack that is large enough.
fn with_stack<T: Send>(
    p: &Program,
    make: impl FnOnce() -> Result<T, BackendError> + Send,
) -> Result<T, BackendError> {
    let failed = |log| BackendError::CompileFailed { backend: ID, log };
    if let Some(what) = dialect::unsupported(p, "native code", &|def| native_function(def).is_some()) {
        return Err(BackendError::Unsupported { backend: ID, what: Box::new(what) });
    }
    if let Some(inst) = p.find(Op::uses_queue) {
        // The driver has made loads and stores of these.
        let what = format!("`{}` in a program for `{ID}`", p.insts[inst].op.name());
        return Err(BackendError::Internal { what });
    }
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

/// The function of an intrinsic that native code calls.
fn native_function(def: &OpDef) -> Option<Reference> {
    def.function(dialect::Target::NativeModule).or_else(|| def.function(dialect::Target::ReferenceBackend))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings() {
        assert_eq!(parse_gang(None).unwrap(), None);
        assert_eq!(parse_gang(Some(" 16 ")).unwrap(), Some(16));
        for bad in ["", "0", "2", "32", "-4", "eight"] {
            assert!(parse_gang(Some(bad)).is_err(), "{bad}");
        }
    }
}
