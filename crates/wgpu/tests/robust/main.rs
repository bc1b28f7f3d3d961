//! The backend under bad input, loss and load, on every device there is. What is expected is computed here, in loops.

mod caching;
mod leaks;
mod loss;
mod memory;
mod modules;
mod programs;
mod threads;
mod timeouts;

use vyre_conformance::devices::devices;
use vyre_conformance::harness::{
    self, bytes, compile, in_a_process, refused, resident, wgsl, words, workgroups,
};
use vyre_driver::Device;
use vyre_ir::Program;
use vyre_wgpu::{Shaders, WgpuBackend};

/// The backend of a device that [`devices`] names.
fn backend(name: &str, shaders: Shaders) -> WgpuBackend {
    let number = name.strip_prefix("wgpu:").map_or(0, |number| number.parse().unwrap());
    WgpuBackend::open(number, shaders).unwrap_or_else(|e| panic!("{name}: {e}"))
}

/// A device with what loses it.
fn breakable(name: &str) -> (Device, impl Fn() + Send + Sync + use<>) {
    let backend = backend(name, Shaders::Best);
    let destroy = backend.destroyer();
    (Device::new(Box::new(backend)), destroy)
}

/// Runs a test on every device.
fn on_each(test: impl Fn(&Device)) {
    for name in devices("wgpu") {
        let device = Device::open(&name).unwrap_or_else(|e| panic!("{name}: {e}"));
        println!("on {name}, {}", device.profile().name);
        test(&device);
    }
}

fn text(source: &str) -> Program {
    vyre_ir::text::parse("test.vyre", source).unwrap_or_else(|e| panic!("{e:#?}"))
}

/// [`harness::affine`] in workgroups of 64.
fn affine(factor: u32, summand: u32) -> Program {
    harness::affine(64, factor, summand)
}

/// Computes for long on every device: each of very many workgroups turns a loop 60,000 times. (Mesa's llvmpipe ends
/// loops after 65,535 turns.) The numbers are such that no compiler can know them.
fn long() -> Program {
    wgsl(
        "@group(0) @binding(0) var<storage, read_write> data: array<u32>;
        @compute @workgroup_size(64) fn long(@builtin(global_invocation_id) id: vec3<u32>) {
            var x = id.x;
            for (var i = 0u; i < 60000u; i++) { x = x * 1664525u + data[(x >> 8u) % arrayLength(&data)]; }
            if x == 12345u { data[id.x % arrayLength(&data)] = x; }
        }",
    )
}
