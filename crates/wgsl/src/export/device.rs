//! A program for a device: the module and how its backend is to bind it.
//!
//! All bound buffers are in group 0, numbered by (group, binding) of the program. The memory of each has at least
//! 16 bytes and a multiple of them, however long the buffer is. A buffer whose count is declared has exactly that size.
//! What is known at dispatch only comes in words of immediate data: lengths, the number of workgroups, and the first
//! workgroup, which is added to the position that the device counts. So an empty buffer gives zeros and drops what is
//! stored, a size need not be a multiple of 4, and a grid too large for the device is run in parts.

pub use super::floats::FloatControls;

use super::Proven;
use super::features;
use super::floats::{controlled, uncontracted};
use super::interface::{Interface, in_order, read_only};
use super::lower::{Lowered, Target, identifier, lower};
use super::write;
use naga::back::spv::ZeroInitializeWorkgroupMemoryMode;
use vyre_ir::{Buffer, Diagnostic, Memory, Program};

/// A program as a device runs it, and how it is to be bound.
#[derive(Clone, Debug)]
pub struct DeviceModule {
    /// The module, with one compute entry point.
    pub module: naga::Module,
    /// The name of the entry point.
    pub entry: String,
    /// What to bind in group 0: the index is the binding.
    pub bindings: Vec<Bound>,
    /// The 32-bit words of immediate data that the program reads, in order.
    pub immediates: Vec<Immediate>,
    /// Whether 16 bytes of storage memory, zero, are to be bound behind the buffers: the first word is 1 after a run in
    /// which the device ended a loop that was to go on.
    pub watched: bool,
    /// As [`Features::clears_workgroup_memory`].
    pub clears_workgroup_memory: bool,
}

/// A buffer that is to be bound.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct Bound {
    /// The program's buffer.
    pub buffer: Buffer,
    /// Whether it is bound as a uniform buffer; else as storage.
    pub uniform: bool,
    /// Whether the program only reads it.
    pub read_only: bool,
}

/// A word of immediate data.
#[derive(Copy, Clone, PartialEq, Eq, Hash, Debug)]
pub enum Immediate {
    /// The position of the first workgroup of this part of the grid, along an axis.
    FirstWorkgroup(u8),
    /// The number of workgroups of the whole grid along an axis.
    Workgroups(u8),
    /// The length of a buffer that is sized at run time.
    Units {
        /// The buffer.
        buffer: Buffer,
        /// The size of what is counted: the word is the buffer's true size in bytes divided by this, without a rest.
        unit_bytes: u32,
    },
}

/// What a device has beyond the basics.
#[derive(Copy, Clone, Default, PartialEq, Eq, Hash, Debug)]
pub struct Features {
    /// 16-bit floats, also in memory.
    pub f16: bool,
    /// 64-bit floats.
    pub f64: bool,
    /// 16-bit integers, also in memory.
    pub i16: bool,
    /// 64-bit integers.
    pub i64: bool,
    /// All atomic operations on 64-bit integers.
    pub i64_atomics: bool,
    /// Atomic minimum and maximum of 64-bit integers in storage memory, whose results nobody reads.
    pub i64_atomic_min_max: bool,
    /// Atomic sums of f32 in storage memory. They may take subnormal numbers for zeros; without them a sum is a loop
    /// around a compare-and-exchange, and exact.
    pub f32_atomics: bool,
    /// The `fma` of f32 rounds once. Vulkan allows two roundings; without this it is made of other operations.
    pub fused_f32: bool,
    /// The `fma` of f64 rounds once.
    pub fused_f64: bool,
    /// A u32 becomes the nearest f32. SwiftShader's does not always.
    pub rounds_u32: bool,
    /// What a loop loads last is still there after it, in an invocation that leaves it while others go on. It is not in
    /// Mesa's llvmpipe (22.3) and SwiftShader, which load zeros for those that left; a loop that is left at its top only
    /// is right.
    pub loop_results: bool,
    /// A loop turns as often as the program says. Mesa's llvmpipe ends an invocation's loops after 65,535 turns in all;
    /// without this a word tells whether it did ([`DeviceModule::watched`]), which needs `loop_results` to be false.
    pub long_loops: bool,
    /// Subgroup operations.
    pub subgroups: bool,
    /// Barriers of subgroups.
    pub subgroup_barrier: bool,
    /// Workgroup memory is cleared by the device where SPIR-V says so. Without this one invocation stores zeros to all
    /// of it, which is slow, and slow to compile: 256 words take llvmpipe ten times as long as the rest of a reduction.
    pub clears_workgroup_memory: bool,
}

/// The verified program as a module for a device with these features.
///
/// # Errors
/// Those of [`module`](super::module), and `E010` for a feature that the device lacks.
pub fn module(p: &Program, has: &Features, proven: &Proven<'_>) -> Result<DeviceModule, Diagnostic> {
    let interface = Interface::Device;
    let Lowered { module, immediates, watched } = lower(p, &Target { interface, has, proven })?;
    features::check_types(p, &module, has)?;
    let bound = |buffer| {
        let decl = &p.buffers[buffer];
        let uniform = interface.memory(decl) == Memory::Uniform;
        Bound { buffer, uniform, read_only: read_only(decl) }
    };
    let bindings = in_order(p).into_iter().map(bound).collect();
    let clears_workgroup_memory = has.clears_workgroup_memory;
    Ok(DeviceModule {
        module,
        entry: identifier(&p.name),
        bindings,
        immediates,
        watched,
        clears_workgroup_memory,
    })
}

/// A module as SPIR-V 1.3, with the extension `SPV_KHR_float_controls` if a control is asked for.
///
/// # Errors
/// `E005` for what SPIR-V lacks.
pub fn spirv(p: &Program, m: &DeviceModule, controls: &FloatControls) -> Result<Vec<u32>, Diagnostic> {
    let clearing = match m.clears_workgroup_memory {
        true => ZeroInitializeWorkgroupMemoryMode::Native,
        false => ZeroInitializeWorkgroupMemoryMode::Polyfill,
    };
    Ok(controlled(uncontracted(write::spirv(p, &m.module, clearing)?), controls))
}
