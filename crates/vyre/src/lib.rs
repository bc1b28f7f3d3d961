//! Write a compute program once, in WGSL; run it at native speed on whatever is there, with the same answer
//! everywhere.
//!
//! ```
//! use vyre::{AcquirePolicy, Device, DispatchConfig, typed};
//!
//! const SOURCE: &str = "
//!     @group(0) @binding(0) var<storage, read> x: array<f32>;
//!     @group(0) @binding(1) var<storage, read_write> y: array<f32>;
//!     @compute @workgroup_size(64)
//!     fn saxpy(@builtin(global_invocation_id) id: vec3<u32>) {
//!         if id.x < arrayLength(&y) { y[id.x] = 2.0 * x[id.x] + y[id.x]; }
//!     }";
//!
//! fn main() -> Result<(), vyre::BackendError> {
//!     let program = vyre::import_wgsl("saxpy.wgsl", SOURCE)?;
//!     let device = Device::by_policy(&AcquirePolicy::any())?;
//!     let config = DispatchConfig::default();
//!     let kernel = device.compile(&program, &config)?;
//!     let (x, y) = (vec![1.0f32; 1000], vec![0.5f32; 1000]);
//!     // One input for each buffer that is read, in the order of group and binding; the grid follows from their size.
//!     let outputs = kernel.dispatch_typed(&[typed(&x), typed(&y)], &config)?;
//!     let y: Vec<f32> = outputs.get(0)?;
//!     assert_eq!(y, vec![2.5; 1000]);
//!     Ok(())
//! }
//! ```
//!
//! Data can stay on the device. A batch of steps is one unit of work, with one synchronization at its end:
//!
//! ```
//! use vyre::{AcquirePolicy, Device, DispatchConfig, ResidentOptions, Resource, Upload, bytes_of};
//!
//! const SOURCE: &str = "
//!     @group(0) @binding(0) var<storage, read_write> counts: array<u32>;
//!     @compute @workgroup_size(64)
//!     fn double(@builtin(global_invocation_id) id: vec3<u32>) {
//!         if id.x < arrayLength(&counts) { counts[id.x] *= 2u; }
//!     }";
//!
//! fn main() -> Result<(), vyre::BackendError> {
//!     let device = Device::by_policy(&AcquirePolicy::any())?;
//!     let config = DispatchConfig::default();
//!     let double = device.compile(&vyre::import_wgsl("double.wgsl", SOURCE)?, &config)?;
//!     // Journaled: the contents survive the loss of the device, and `Device::try_recover` puts them back.
//!     let options = ResidentOptions { name: "counts".into(), bytes: 400, journaled: true, ..Default::default() };
//!     let counts = device.allocate(options)?;
//!     let ones = [1u32; 100];
//!     let mut batch = device.batch();
//!     batch.upload(Upload { to: &counts, offset: 0, bytes: bytes_of(&ones) })?;
//!     batch.repeat(10, |batch| batch.dispatch(&double, &[Resource::Resident(&counts)], &config))?;
//!     let outputs = batch.run(&[counts.whole()])?;
//!     assert!(*outputs.regions[0] == *bytes_of(&[1024u32; 100]));
//!     Ok(())
//! }
//! ```
//!
//! Backends are linked by cargo feature: `cpu` (the processor, by a just-in-time compiler), `cuda` (NVIDIA devices, by their driver alone), `wgpu` (every Vulkan, Metal
//! and DX12 device) and `reference` (the interpreter that defines what is right, id `cpu-ref`). The feature `ops` links the operations of the dialects `math`,
//! `hash` and `bits`, which programs call.

#[cfg(feature = "cpu")]
use vyre_cpu as _;
#[cfg(feature = "cuda")]
use vyre_cuda as _;
#[cfg(feature = "ops")]
use vyre_ops as _;
#[cfg(feature = "reference")]
use vyre_reference as _;
#[cfg(feature = "wgpu")]
use vyre_wgpu as _;

pub use vyre_driver::*;
pub use vyre_ir as ir;
pub use vyre_opt as opt;
pub use vyre_wgsl as wgsl;

/// Imports a WGSL program that has one compute entry point. `name` stands for the source in messages.
///
/// # Errors
/// [`BackendError::InvalidProgram`] with everything that is wrong, each with its place in the source.
pub fn import_wgsl(name: &str, source: &str) -> Result<ir::Program, BackendError> {
    vyre_wgsl::import_wgsl(name, source, &vyre_wgsl::ImportOptions::default())
        .map_err(|errors| BackendError::InvalidProgram { errors })
}

/// The bytes of a slice of numbers, as inputs are given.
pub fn bytes_of<T: bytemuck::NoUninit>(numbers: &[T]) -> &[u8] {
    bytemuck::cast_slice(numbers)
}
