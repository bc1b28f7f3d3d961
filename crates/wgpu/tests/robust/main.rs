//! The backend under bad input, loss and load, on every device there is. What is expected is computed here, in loops.

mod caching;
mod leaks;
mod loss;
mod memory;
mod modules;
mod programs;
mod threads;
mod timeouts;

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use vyre_conformance::devices::devices;
use vyre_driver::{BackendError, Compiled, Device, DispatchConfig, Grid, Resident, ResidentOptions};
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

fn wgsl(source: &str) -> Program {
    let all = |errors: Vec<vyre_ir::Diagnostic>| errors.iter().map(|e| e.to_string()).collect::<Vec<_>>();
    vyre_wgsl::import_wgsl("test.wgsl", source, &Default::default())
        .unwrap_or_else(|e| panic!("{:#?}", all(e)))
}

fn text(source: &str) -> Program {
    vyre_ir::text::parse("test.vyre", source).unwrap_or_else(|e| panic!("{e:#?}"))
}

/// `data[i] = data[i] * factor + summand` for all elements.
fn affine(factor: u32, summand: u32) -> Program {
    wgsl(&format!(
        "@group(0) @binding(0) var<storage, read_write> data: array<u32>;
        @compute @workgroup_size(64) fn affine(@builtin(global_invocation_id) id: vec3<u32>) {{
            if id.x < arrayLength(&data) {{ data[id.x] = data[id.x] * {factor}u + {summand}u; }}
        }}"
    ))
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

fn compile(device: &Device, program: &Program) -> Compiled {
    device.compile(program, &DispatchConfig::default()).unwrap_or_else(|e| panic!("{e}"))
}

fn workgroups(x: u32, y: u32, z: u32) -> DispatchConfig {
    DispatchConfig { grid: Grid::Workgroups([x, y, z]), ..DispatchConfig::default() }
}

fn resident(device: &Device, name: &str, bytes: u64) -> Resident {
    device.allocate(ResidentOptions { name: name.into(), bytes, ..Default::default() }).unwrap()
}

fn bytes(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

fn words(bytes: &[u8]) -> Vec<u32> {
    bytes.as_chunks().0.iter().copied().map(u32::from_le_bytes).collect()
}

/// The error of something that has to fail, with its code; its text is what a user reads.
#[track_caller]
fn refused<T>(result: Result<T, BackendError>, code: &str) -> String {
    let Err(error) = result else { panic!("it is not refused; expected {code}") };
    let text = error.to_string();
    println!("{text}");
    assert_eq!(error.code().name(), code, "{text}");
    assert!(error.diagnostics().iter().all(|d| d.fix.is_some()), "no advice: {text}");
    text
}

/// Runs an ignored test of this file in a process of its own, which has to end well and within a minute.
fn in_a_process(test: &str, environment: &[(&str, &str)]) {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", test, "--ignored", "--nocapture"]).envs(environment.iter().copied());
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
