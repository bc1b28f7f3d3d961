//! The built command on Vulkan devices: where there are none, where a run does not end, and what it says to no purpose.

use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};
use vyre_wgpu as _;

const ADD: &str = "
@group(0) @binding(0) var<storage, read_write> data: array<u32>;
@compute @workgroup_size(64) fn add(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x < arrayLength(&data) { data[id.x] += 1u; }
}";

/// Turns a loop 60,000 times in each of very many workgroups. (Mesa's llvmpipe ends loops after 65,535 turns.)
const LONG: &str = "
@group(0) @binding(0) var<storage, read_write> data: array<u32>;
@compute @workgroup_size(64) fn long(@builtin(global_invocation_id) id: vec3<u32>) {
    var x = id.x;
    for (var i = 0u; i < 60000u; i++) { x = x * 1664525u + data[(x >> 8u) % arrayLength(&data)]; }
    if x == 12345u { data[id.x % arrayLength(&data)] = x; }
}";

/// Runs the command with the environment's variables and these, in a folder with the programs; ends it after a minute.
fn vyre(environment: &[(&str, &str)], args: &[&str]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("add.wgsl"), ADD).unwrap();
    std::fs::write(folder.path().join("long.wgsl"), LONG).unwrap();
    // A Vulkan loader that is none.
    std::fs::create_dir(folder.path().join("broken")).unwrap();
    std::fs::write(folder.path().join("broken/libvulkan.so.1"), "no library").unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_vyre"));
    command.env("VYRE_CACHE_DIR", folder.path().join("cache")).envs(environment.iter().copied()).args(args);
    command.current_dir(folder.path()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let start = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if start.elapsed() > Duration::from_secs(60) {
            child.kill().unwrap();
            panic!("`vyre {}` does not end", args.join(" "));
        }
        std::thread::park_timeout(Duration::from_millis(5));
    }
    child.wait_with_output().unwrap()
}

fn error(output: &Output) -> String {
    // Lines are broken to fit a terminal.
    String::from_utf8_lossy(&output.stderr).split_whitespace().collect::<Vec<_>>().join(" ")
}

fn is_there() -> bool {
    !vyre_conformance::devices::devices("wgpu").is_empty()
}

/// Ways not to have a Vulkan device, each with what the error names.
const WITHOUT: [(&[(&str, &str)], &str); 4] = [
    (&[("VK_ICD_FILENAMES", "/nowhere.json")], "VK_ICD_FILENAMES is `/nowhere.json`"),
    (&[("VK_DRIVER_FILES", "/nowhere.json")], "VK_DRIVER_FILES is `/nowhere.json`"),
    (&[("VK_LOADER_DRIVERS_DISABLE", "*")], "VK_LOADER_DRIVERS_DISABLE is `*`"),
    (&[("LD_LIBRARY_PATH", "broken")], "the Vulkan loader (libvulkan) cannot be loaded"),
];

#[cfg(target_os = "linux")]
#[test]
fn without_a_device() {
    for (environment, named) in WITHOUT {
        let run =
            |backend| vyre(environment, &["run", "add.wgsl", "--set", "data=[1,2]", "--backend", backend]);
        let output = run("wgpu");
        let text = error(&output);
        println!("{}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(output.status.code(), Some(1), "{text}");
        assert!(text.starts_with("error[D002]") && text.contains(named) && text.contains("Fix:"), "{text}");
        let output = run("auto");
        let out = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success() && out.contains("add on cpu") && out.contains("2 3"), "{out}");
        assert_eq!(error(&output), "");
        let output = vyre(environment, &["devices", "--no-measure"]);
        let out = String::from_utf8_lossy(&output.stdout).split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(output.status.success() && out.contains(named), "{out}");
        assert_eq!(error(&output), "");
    }
}

/// The device stays at work; the command ends.
#[test]
fn a_run_that_does_not_end() {
    if !is_there() {
        return;
    }
    let grid = ["--grid", "4000000,1,1", "--timeout", "0.5", "--backend", "wgpu"];
    let output = vyre(&[], &[&["run", "long.wgsl", "--set", "data=iota:1000"], &grid[..]].concat());
    let text = error(&output);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.starts_with("error[D008]: the dispatch did not end within 0.5 s"), "{text}");
    assert!(text.contains("may still be at work") && text.contains("Fix:"), "{text}");
}

/// Neither drivers nor layers of Vulkan say anything, with a desktop or without one.
#[test]
fn nothing_is_said_to_no_purpose() {
    if !is_there() {
        return;
    }
    let args = ["run", "add.wgsl", "--set", "data=[1,2]", "--backend", "wgpu"];
    let mut outputs = vec![vyre(&[], &args)];
    // Known to the test only as set or not: a folder that is there.
    outputs.push(vyre(&[("XDG_RUNTIME_DIR", "/tmp")], &args));
    for output in outputs {
        assert_eq!(String::from_utf8_lossy(&output.stderr), "");
        assert!(output.status.success());
        assert!(String::from_utf8_lossy(&output.stdout).contains("2 3"));
    }
}
