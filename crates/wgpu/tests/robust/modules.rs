//! The programs of `tests/programs` as modules that wgpu translates, the way of Metal and DX12, on Vulkan.

use crate::backend;
use vyre_conformance::devices::devices;
use vyre_conformance::suite;
use vyre_driver::Device;
use vyre_wgpu::Shaders;

/// Programs whose floats come out otherwise where nothing forbids a driver to contract and to rearrange, as Mesa does.
const REARRANGED: [&str; 5] = [
    // `log(1 + x)` for small x: its correction `(1 + x) - 1 - x` is taken to be 0.
    "dialect_math.vyre",
    // Shows that `a * b + c` is rounded twice, and here it is rounded once.
    "float_no_contraction.wgsl",
    // Made of sums that say how much a rounding lost, which are taken to be 0.
    "math_fma.wgsl",
    // The angle is reduced by a constant in several parts, whose products and sums are merged.
    "math_trigonometry.wgsl",
    "math_trigonometry_large.wgsl",
];

#[test]
fn modules_give_the_same_but_for_rearranged_floats() {
    for name in devices("wgpu") {
        let device = Device::new(Box::new(backend(&name, Shaders::Modules)));
        // What others rearrange is not known. SwiftShader clears workgroup memory once for each subgroup if a module asks
        // for it, so that nothing but the SPIR-V that is made here, which clears it itself, is right there.
        if !device.profile().name.contains("llvmpipe") {
            println!("skipped: {name}, {}", device.profile().name);
            continue;
        }
        let report = suite::run(&device, &suite::programs());
        let wrong: Vec<_> =
            report.failed.iter().filter(|(program, _)| !REARRANGED.contains(&program.as_str())).collect();
        assert!(wrong.is_empty(), "{name}: {wrong:#?}");
        assert!(report.passed.len() >= 90, "{name} runs only {}", report.passed.len());
    }
}
