//! What is said of programs that are more than a device takes, on a device with the limits of Mesa's lavapipe.

mod null;

use null::parse;
use vyre_driver::*;
use vyre_ir::Program;
use vyre_null::{FaultPlan, NullBackend, NullOptions};

fn device() -> Device {
    let limits = Limits {
        workgroup_size: [1024; 3],
        invocations_per_workgroup: 1024,
        workgroups_per_dimension: 65535,
        storage_binding_bytes: 128 << 20,
        workgroup_memory_bytes: 32 << 10,
        buffers_per_stage: 32,
        uniform_binding_bytes: 64 << 10,
        uniform_buffers_per_stage: 15,
    };
    let options = NullOptions { limits, ..NullOptions::default() };
    Device::new(Box::new(NullBackend::new(options, FaultPlan::default())))
}

fn plain() -> DispatchConfig {
    DispatchConfig::default()
}

fn program(workgroup: &str, buffers: &str) -> Program {
    parse(&format!("program p workgroup({workgroup}) {{\n{buffers}\n}}"))
}

/// So many storage buffers, then so many uniform ones.
fn buffers(storage: u32, uniform: u32) -> Program {
    let buffer = |i: u32| {
        let memory = if i < storage { "storage read_write" } else { "uniform read" };
        format!("  buffer b{i}: u32[4] {memory} @group(0) @binding({i})\n")
    };
    program("1, 1, 1", &(0..storage + uniform).map(buffer).collect::<String>())
}

fn refusal(program: &Program) -> String {
    device().compile(program, &plain()).err().unwrap().to_string()
}

#[test]
fn workgroups() {
    assert_eq!(
        refusal(&program("1025, 1, 1", "")),
        "error[D020]: backend `null` cannot run this program: a workgroup of 1025 x 1 x 1 has 1025 invocations; the \
         device takes 1024, along x, y, z at most [1024, 1024, 1024] Fix: Use a smaller workgroup."
    );
    assert!(refusal(&program("32, 33, 1", "")).contains("1056 invocations"));
    assert!(device().compile(&program("1024, 1, 1", ""), &plain()).is_ok());
    assert!(refusal(&program("1, 1, 1", "buffer t: u32[8193] workgroup read_write")).contains(
        "error[D021]: backend `null` cannot run this program: the program uses 32772 bytes of workgroup memory; the device \
         has 32768"
    ));
}

#[test]
fn buffers_are_counted_by_their_kind() {
    assert_eq!(
        refusal(&buffers(40, 0)),
        "error[D026]: backend `null` cannot run this program: the program has 40 storage buffers; the device takes 32 \
         Fix: Put several buffers into one."
    );
    assert!(refusal(&buffers(1, 16)).contains("the program has 16 uniform buffers; the device takes 15"));
    assert!(device().compile(&buffers(32, 15), &plain()).is_ok());
    let persistent = "buffer kept: u32[4] persistent read_write @group(1) @binding(0)\n";
    let with = |storage| {
        let text =
            buffers(storage, 0).to_string().replacen("  buffer", &format!("  {persistent}  buffer"), 1);
        parse(&text)
    };
    assert!(refusal(&with(32)).contains("has 33 storage buffers"));
    assert!(device().compile(&with(31), &plain()).is_ok());
}

#[test]
fn bytes_of_a_buffer() {
    let one = |memory: &str| {
        let buffer = format!("buffer data: u32[] {memory} @group(0) @binding(0)");
        device().compile(&program("1, 1, 1", &buffer), &plain()).unwrap()
    };
    let config = DispatchConfig { grid: Grid::Workgroups([1, 1, 1]), ..plain() };
    // All zero, and refused before anything touches it: it takes no memory.
    let bytes = vec![0; (128 << 20) + 4];
    let error = one("storage read").dispatch(&[&bytes], &config).err().unwrap();
    assert_eq!(
        error.to_string(),
        "error[D025]: backend `null` cannot run this program: storage buffer `data` has 134217732 bytes; the device takes \
         134217728 in one Fix: Use a smaller buffer, or several."
    );
    let uniform = program("1, 1, 1", "buffer data: u32[16385] uniform read @group(0) @binding(0)");
    let uniform = device().compile(&uniform, &plain()).unwrap();
    let error = uniform.dispatch(&[&bytes[..65540]], &config).err().unwrap();
    assert!(
        error.to_string().contains("uniform buffer `data` has 65540 bytes; the device takes 65536 in one")
    );
}
