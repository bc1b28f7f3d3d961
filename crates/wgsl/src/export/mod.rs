//! vyre programs out to naga modules, and from there to WGSL, SPIR-V, MSL and HLSL.

mod atomics;
mod code;
mod lower;
mod memory;
mod ops;
mod scan;
mod subgroup;
mod types;
mod write;

pub use ops::native;
pub use scan::MAX_DEPTH;
pub use write::validate;

use vyre_ir::{Diagnostic, Program};

/// The program as a naga module with one compute entry point.
pub fn module(p: &Program) -> Result<naga::Module, Diagnostic> {
    lower::lower(p)
}

/// The program as WGSL.
pub fn wgsl(p: &Program) -> Result<String, Diagnostic> {
    let module = module(p)?;
    write::wgsl(p, &module, &validate(&module)?)
}

/// The program as SPIR-V 1.3, in little-endian bytes.
pub fn spirv(p: &Program) -> Result<Vec<u8>, Diagnostic> {
    let module = module(p)?;
    write::spirv(p, &module, &validate(&module)?)
}

/// The program as Metal Shading Language.
pub fn msl(p: &Program) -> Result<String, Diagnostic> {
    let module = module(p)?;
    write::msl(p, &module, &validate(&module)?)
}

/// The program as HLSL.
pub fn hlsl(p: &Program) -> Result<String, Diagnostic> {
    let module = module(p)?;
    write::hlsl(p, &module, &validate(&module)?)
}
