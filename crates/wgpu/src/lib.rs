//! Backend `wgpu`: vyre programs on every Vulkan, Metal and DX12 device, through wgpu.
//!
//! Each adapter that wgpu finds is a device: `wgpu`, `wgpu:1` and so on, real hardware first. The way of a program: the
//! optimizer makes it legal ([`VyreBackend::target`](vyre_driver::VyreBackend::target)), [`vyre_wgsl::export::device`]
//! makes a naga module of it, `executable` makes a pipeline of that, `submission` records what is asked for into one
//! command buffer, hands it over and sleeps until it is done.
//!
//! - `adapters` finds devices, `profile` says what they are, `vulkan` what Vulkan devices promise beyond that;
//! - `opened` is an open device and all that is kept for it; `backend` is the driver's view of it;
//! - `memory` keeps buffers for reuse, `staging` those that the host can see, `layouts` the objects that bind;
//! - `stages` records programs of which the device decides what runs next, `parts` those of very large grids;
//! - `turn` has submissions wait for each other where handing them over would block;
//! - `probe` finds out how the device rounds; `timing` takes time stamps, `errors` turns what wgpu reports into errors.
//!
//! Invariants: no error of wgpu is left to its default handler, which panics. Nothing is mapped while it is in use by a
//! submission. Memory that is used again is cleared before a program can see it.

mod adapters;
mod backend;
pub mod codes;
mod errors;
mod executable;
mod layouts;
mod memory;
mod opened;
mod parts;
mod probe;
mod profile;
mod stages;
mod staging;
mod stored;
mod submission;
mod timing;
mod turn;
mod vulkan;

pub use adapters::adapter_of;
pub use backend::{Shaders, WgpuBackend};

/// The backend's id.
pub const ID: &str = "wgpu";
