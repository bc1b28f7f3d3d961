//! The backend on the stand-in for libcuda: what it does with the driver, under bad input, loss and load. What is expected
//! is computed here, in loops.
//!
//! After each test nothing is left in the driver, and nothing was done that a program must not do.

mod caching;
mod conformance;
mod fitted;
mod graphs;
mod leaks;
mod library;
mod loss;
mod memory;
mod merging;
mod stages;
mod threads;
mod timeouts;

use std::sync::Once;
use vyre_conformance::harness::{
    self, bytes, compile, in_a_process, refused, resident, sums, wgsl, words, workgroups,
};
use vyre_cuda as _;
use vyre_driver::{Device, Resident, ResidentOptions};
use vyre_ir::Program;
use vyre_libcuda::{Configuration, Control};

/// The variable that names the library.
const VARIABLE: &str = "VYRE_LIBCUDA";

/// Runs a test on a new stand-in, then looks at what is left in it.
fn on(configuration: Configuration, test: impl FnOnce(&Control)) {
    static NAMED: Once = Once::new();
    let Some(path) = vyre_libcuda::path() else {
        assert!(std::env::var_os("VYRE_CI").is_none(), "CI needs the stand-in for libcuda");
        eprintln!("skipped: the stand-in for libcuda was not built");
        return;
    };
    let control = Control::new(configuration).unwrap();
    // SAFETY: tests of this program take turns, and none but these reads the environment meanwhile.
    NAMED.call_once(|| unsafe { std::env::set_var(VARIABLE, path) });
    test(&control);
    let report = control.report();
    assert_eq!(report.live, [], "left in the driver");
    assert_eq!(report.problems, [""; 0]);
}

/// Runs a test on a device of a new stand-in on which nothing fails.
fn on_device(test: impl FnOnce(&Device, &Control)) {
    on(Configuration::default(), |control| {
        test(&device("cuda"), control);
        assert_eq!(control.report().faults, [""; 0]);
    });
}

fn device(name: &str) -> Device {
    Device::open(name).unwrap_or_else(|e| panic!("{name}: {e}"))
}

/// [`harness::affine`] in workgroups of 32.
fn affine(factor: u32, summand: u32) -> Program {
    harness::affine(32, factor, summand)
}

fn journaled(device: &Device, name: &str, bytes: u64) -> Resident {
    device
        .allocate(ResidentOptions { name: name.into(), bytes, journaled: true, ..Default::default() })
        .unwrap()
}

/// A counter of the device by name.
fn metric(device: &Device, name: &str) -> u64 {
    let all = device.metrics();
    all.iter().find(|(known, _)| *known == name).unwrap_or_else(|| panic!("no counter `{name}`")).1
}
