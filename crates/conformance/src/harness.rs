//! What tests of backends have in common: programs from source, devices' memory and words, and a process of their own.
//! Everything that goes wrong here is a panic.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use vyre_driver::{BackendError, Compiled, Device, DispatchConfig, Grid, Resident, ResidentOptions};
use vyre_ir::{Diagnostic, Program};

/// The program of a WGSL source.
pub fn wgsl(source: &str) -> Program {
    let all = |errors: Vec<Diagnostic>| errors.iter().map(|e| e.to_string()).collect::<Vec<_>>();
    vyre_wgsl::import_wgsl("test.wgsl", source, &Default::default())
        .unwrap_or_else(|e| panic!("{:#?}", all(e)))
}

/// `data[i] = data[i] * factor + summand` for all elements, in workgroups of that size.
pub fn affine(workgroup: u32, factor: u32, summand: u32) -> Program {
    wgsl(&format!(
        "@group(0) @binding(0) var<storage, read_write> data: array<u32>;
        @compute @workgroup_size({workgroup}) fn affine(@builtin(global_invocation_id) id: vec3<u32>) {{
            if id.x < arrayLength(&data) {{ data[id.x] = data[id.x] * {factor}u + {summand}u; }}
        }}"
    ))
}

/// Every element becomes the sum of all, in one launch, whose grid waits in between.
pub fn sums() -> Program {
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

/// A program, compiled as nothing else is asked for.
pub fn compile(device: &Device, program: &Program) -> Compiled {
    device.compile(program, &DispatchConfig::default()).unwrap_or_else(|e| panic!("{e}"))
}

/// A dispatch of so many workgroups.
pub fn workgroups(x: u32, y: u32, z: u32) -> DispatchConfig {
    DispatchConfig { grid: Grid::Workgroups([x, y, z]), ..DispatchConfig::default() }
}

/// Memory of a device.
pub fn resident(device: &Device, name: &str, bytes: u64) -> Resident {
    device.allocate(ResidentOptions { name: name.into(), bytes, ..Default::default() }).unwrap()
}

/// Words as bytes.
pub fn bytes(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

/// Bytes as words.
pub fn words(bytes: &[u8]) -> Vec<u32> {
    bytes.as_chunks().0.iter().copied().map(u32::from_le_bytes).collect()
}

/// The error of something that has to fail, with its code; its text is what a user reads.
#[track_caller]
pub fn refused<T>(result: Result<T, BackendError>, code: &str) -> String {
    let Err(error) = result else { panic!("it is not refused; expected {code}") };
    let text = error.to_string();
    assert_eq!(error.code().name(), code, "{text}");
    assert!(error.diagnostics().iter().all(|d| d.fix.is_some()), "no advice: {text}");
    text
}

/// Runs an ignored test of this program in a process of its own, which has to end well and within a minute.
pub fn in_a_process(test: &str, environment: &[(&str, &str)]) {
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
