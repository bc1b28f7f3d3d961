//! The backend on the stand-in for libcuda: what it does with the driver, under bad input, loss and load. What is expected
//! is computed here, in loops.
//!
//! After each test nothing is left in the driver, and nothing was done that a program must not do.

mod caching;
mod conformance;
mod graphs;
mod leaks;
mod library;
mod loss;
mod memory;
mod merging;
mod stages;
mod threads;
mod timeouts;

use std::process::{Command, Stdio};
use std::sync::Once;
use std::time::{Duration, Instant};
use vyre_cuda as _;
use vyre_driver::{BackendError, Compiled, Device, DispatchConfig, Grid, Resident, ResidentOptions};
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

fn wgsl(source: &str) -> Program {
    let all = |errors: Vec<vyre_ir::Diagnostic>| errors.iter().map(|e| e.to_string()).collect::<Vec<_>>();
    vyre_wgsl::import_wgsl("test.wgsl", source, &Default::default())
        .unwrap_or_else(|e| panic!("{:#?}", all(e)))
}

/// `data[i] = data[i] * factor + summand` for all elements.
fn affine(factor: u32, summand: u32) -> Program {
    wgsl(&format!(
        "@group(0) @binding(0) var<storage, read_write> data: array<u32>;
        @compute @workgroup_size(32) fn affine(@builtin(global_invocation_id) id: vec3<u32>) {{
            if id.x < arrayLength(&data) {{ data[id.x] = data[id.x] * {factor}u + {summand}u; }}
        }}"
    ))
}

/// Every element becomes the sum of all, in one launch.
fn sums() -> Program {
    wgsl(
        "fn vyreGridSync() {}
        @group(0) @binding(0) var<storage, read_write> data: array<u32>;
        @group(0) @binding(1) var<storage, read_write> sum: atomic<u32>;
        @compute @workgroup_size(32) fn sums(@builtin(global_invocation_id) id: vec3<u32>) {
            if id.x < arrayLength(&data) { atomicAdd(&sum, data[id.x]); }
            vyreGridSync();
            if id.x < arrayLength(&data) { data[id.x] = atomicLoad(&sum); }
        }",
    )
}

fn compile(device: &Device, program: &Program) -> Compiled {
    device.compile(program, &DispatchConfig::default()).unwrap_or_else(|e| panic!("{e}"))
}

fn workgroups(x: u32, y: u32, z: u32) -> DispatchConfig {
    DispatchConfig { grid: Grid::Workgroups([x, y, z]), ..DispatchConfig::default() }
}

fn resident(device: &Device, name: &str, bytes: u64) -> Resident {
    device.allocate(ResidentOptions { name: name.into(), bytes, ..Default::default() }).unwrap()
}

fn journaled(device: &Device, name: &str, bytes: u64) -> Resident {
    device
        .allocate(ResidentOptions { name: name.into(), bytes, journaled: true, ..Default::default() })
        .unwrap()
}

fn bytes(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

fn words(bytes: &[u8]) -> Vec<u32> {
    bytes.as_chunks().0.iter().copied().map(u32::from_le_bytes).collect()
}

/// A counter of the device by name.
fn metric(device: &Device, name: &str) -> u64 {
    let all = device.metrics();
    all.iter().find(|(known, _)| *known == name).unwrap_or_else(|| panic!("no counter `{name}`")).1
}

/// The error of something that has to fail, with its code; its text is what a user reads.
#[track_caller]
fn refused<T>(result: Result<T, BackendError>, code: &str) -> String {
    let Err(error) = result else { panic!("it is not refused; expected {code}") };
    let text = error.to_string();
    assert_eq!(error.code().name(), code, "{text}");
    assert!(error.diagnostics().iter().all(|d| d.fix.is_some()), "no advice: {text}");
    text
}

/// Runs an ignored test of this program in a process of its own, which has to end well and within a minute.
fn in_a_process(test: &str, environment: &[(&str, &str)]) {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", test, "--ignored", "--nocapture"]).env_remove(VARIABLE);
    command.envs(environment.iter().copied());
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let start = Instant::now();
    let status = loop {
        match child.try_wait().unwrap() {
            Some(status) => break Some(status),
            None if start.elapsed() > Duration::from_secs(60) => break None,
            None => std::thread::park_timeout(Duration::from_millis(10)),
        }
    };
    if status.is_none() {
        child.kill().unwrap();
    }
    let output = child.wait_with_output().unwrap();
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    match status {
        None => panic!("`{test}` does not end:\n{out}\n{err}"),
        Some(status) => assert!(status.success(), "`{test}`: {status}\n{out}\n{err}"),
    }
    assert!(out.contains("1 passed"), "`{test}` is not there:\n{out}");
}
