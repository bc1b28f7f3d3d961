//! How long a lookup in the registry takes, with 16 backends linked.
//!
//! `cargo run --release -p vyre-driver --example lookups`: prints the median and the spread of rounds, in nanoseconds a
//! lookup.

use std::hint::black_box;
use std::time::Instant;
use vyre_driver::*;

macro_rules! link {
    ($($id:literal)*) => { $(
        inventory::submit! { BackendRegistration { id: $id, acquire: || {
            Err(BackendError::Unavailable { reason: "it is not there".into(), fix: "Do not open it.".into() }) } } }
        inventory::submit! { BackendCapability { id: $id, dispatches: true } }
        inventory::submit! { BackendPrecedence { id: $id, rank: 7 } }
    )* };
}
link!("cpu" "cpu-ref" "cuda" "d3d11" "d3d12" "gl" "hip" "level-zero" "metal" "null" "opencl" "reference" "spirv" "vulkan"
    "webgpu" "wgpu");

fn main() {
    const LOOKUPS: u32 = 1_000_000;
    let ids = ["cpu", "cuda", "wgpu", "absent"];
    let measure = |name: &str, lookup: &dyn Fn(&str) -> u64| {
        let mut rounds: Vec<f64> = (0..21)
            .map(|_| {
                let start = Instant::now();
                for i in 0..LOOKUPS {
                    black_box(lookup(black_box(ids[i as usize % ids.len()])));
                }
                start.elapsed().as_nanos() as f64 / LOOKUPS as f64
            })
            .collect();
        rounds.sort_by(f64::total_cmp);
        println!("{name}: {:.1} ns, from {:.1} to {:.1}", rounds[10], rounds[0], rounds[20]);
    };
    measure("backend_dispatches", &|id| backend_dispatches(id) as u64);
    measure("backend_precedence", &|id| backend_precedence(id) as u64);
    measure("registered_backends_by_precedence_slice", &|_| {
        registered_backends_by_precedence_slice().len() as u64
    });
}
