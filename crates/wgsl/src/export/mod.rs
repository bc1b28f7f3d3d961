//! vyre programs out to naga modules, and from there to WGSL, SPIR-V, MSL and HLSL.
//!
//! [`module`] translates for [`wgsl`], [`spirv`], [`msl`] and [`hlsl`]; [`device::module`] for a backend, which knows
//! what its device has and binds what it runs itself. The way of a program: `scan` refuses what cannot be said and
//! collects what is needed; `features` refuses what a device lacks; `memory` declares the buffers and makes accesses;
//! `lower` turns regions into statements; `ops`, `narrow`, `exact`, `atomics` and `subgroup` spell operations;
//! `code` holds the function under construction; `write` validates and writes, `floats` adds to SPIR-V what naga cannot
//! say of floats. `interface` is the one place that tells text from modules for devices.
//!
//! # What the module promises
//! Results are those of the rows in `vyre_ir::op`, without any check by the writers or the device: indices are compared
//! with lengths, shift amounts and divisors made legal, conversions saturated, in the module itself. So it may be
//! compiled as trusted. It relies on this (a module for a device on less: see [`device`]):
//! - A bound buffer holds at least one element, and its size is a multiple of the element's: WebGPU refuses others.
//!   Sizes are multiples of 4 bytes too, which WebGPU wants anyway: elements of 1 and 2 bytes are parts of words.
//!   So for a buffer of those that is sized at run time whoever binds it must know that `length` sees the bound size.
//! - Uniform buffers are arrays of rows of 16 bytes: what is bound must be padded to that.
//! - Where a load is outside of its buffer, another element of it is read, and dropped.
//! - A program that tells invocations of a subgroup apart gets a workgroup of one axis with as many invocations:
//!   subgroups are consecutive invocations only there.
//! - A `uniform_load`, and barriers, are in uniform control flow, which the verifier has proved; naga does not check.
//!
//! # What the devices may do differently
//! - Floats: `/`, `sqrt` and `fma` within the bounds of WGSL (2.5 ULP for `/`, `fma` possibly rounded twice); subnormal
//!   numbers possibly flushed; the order of subgroup sums open.
//! - A driver may contract `a * b + c`, and simplify what would be equal for real numbers. SPIR-V from here forbids it;
//!   naga has no way to say so in a module, so what is handed to wgpu as a module is open to it.
//! - Native sums of f32 in storage memory, for a device that has them, may take subnormal numbers for zeros.
//! - In text only: `min` and `max` of floats, also over a subgroup: of two zeros either may win; with one NaN, either
//!   operand. The sign of a zero that rounding to an integer gives is open as well. Modules for devices say all of this
//!   with comparisons and bits (`exact`).
//!
//! # What naga could add, and why it does not
//!
//! | policy | setting | why |
//! |---|---|---|
//! | bounds checks (`BoundsCheckPolicies`, HLSL `restrict_indexing`) | off | ours are in the module, skipped where the index is known |
//! | zero workgroup memory | on, by assignment | the rows promise zeros; the Vulkan extension may be missing |
//! | integer division checks (`emit_int_div_checks`) | on | they are the rows' rule; divisors that are powers of two become shifts before |
//! | bounded loops (`force_loop_bounding`) | off | it adds a counter to each loop; an endless program is stopped by its timeout |
//! | control-flow uniformity in the validator | as naga has it | it judges derivatives only |
//! | SPIR-V | 1.3, with names | subgroup operations; names for debuggers and captures |
//! | MSL | 3.1, slots in the order of the buffers, then the buffer of sizes | nothing to configure for who runs the text |
//! | HLSL | 6.6, `register(b/t/u BINDING, space GROUP)` | 16-bit and 64-bit types and atomics |
//!
//! WGSL from here lacks `enable subgroups;`, which browsers want and naga's own front end refuses.

mod atomics;
mod code;
pub mod device;
mod exact;
mod features;
mod floats;
mod fma;
mod fma_bf16;
mod interface;
mod loops;
mod lower;
mod memory;
mod narrow;
mod ops;
mod scan;
mod subgroup;
mod types;
mod write;

pub use ops::native;
pub use scan::MAX_DEPTH;
pub use write::validate;

use naga::back::spv::ZeroInitializeWorkgroupMemoryMode;
use vyre_ir::{Diagnostic, Inst, Program};

/// Says which loads, stores and atomics are known to be in bounds: no check is made for them. What knows is the
/// optimizer's analysis of ranges; `&|_| false` has all of them checked whose indices are not plainly inside.
pub type Proven<'a> = dyn Fn(Inst) -> bool + 'a;

/// The verified program as a naga module with one compute entry point.
///
/// # Errors
/// `E002` a buffer that cannot be declared, `E003` an operation to be expanded first, `E004` control flow nested too
/// deep, `E008` a grid sync or a work queue, `E007` a workgroup too large, `O010` an intrinsic of a dialect.
pub fn module(p: &Program, proven: &Proven<'_>) -> Result<naga::Module, Diagnostic> {
    let target =
        lower::Target { interface: interface::Interface::Text, has: &device::Features::TEXT, proven };
    lower::lower(p, &target).map(|lowered| lowered.module)
}

/// The program as WGSL.
///
/// # Errors
/// As [`module`], and `E005` for what the language lacks.
pub fn wgsl(p: &Program, proven: &Proven<'_>) -> Result<String, Diagnostic> {
    write::wgsl(p, &module(p, proven)?)
}

/// The program as SPIR-V 1.3, in little-endian bytes.
///
/// # Errors
/// As [`module`], and `E005` for what the language lacks.
pub fn spirv(p: &Program, proven: &Proven<'_>) -> Result<Vec<u8>, Diagnostic> {
    let words = floats::uncontracted(write::spirv(
        p,
        &module(p, proven)?,
        ZeroInitializeWorkgroupMemoryMode::Polyfill,
    )?);
    Ok(words.into_iter().flat_map(u32::to_le_bytes).collect())
}

/// The program as Metal Shading Language.
///
/// # Errors
/// As [`module`], and `E005` for what the language lacks.
pub fn msl(p: &Program, proven: &Proven<'_>) -> Result<String, Diagnostic> {
    write::msl(p, &module(p, proven)?)
}

/// The program as HLSL.
///
/// # Errors
/// As [`module`], and `E005` for what the language lacks.
pub fn hlsl(p: &Program, proven: &Proven<'_>) -> Result<String, Diagnostic> {
    write::hlsl(p, &module(p, proven)?)
}
