//! Sizes that a caller gives are compared with what there is before anything is allocated.

use vyre::{BackendError, Device, DispatchConfig, Grid, Region, ResidentOptions};

const SOURCE: &str = "
    @group(0) @binding(0) var<storage, read_write> y: array<f32>;
    @compute @workgroup_size(64)
    fn fill(@builtin(global_invocation_id) id: vec3<u32>) { y[id.x] = 1.0; }";

fn too_much(error: BackendError, least: u64) {
    match error {
        BackendError::OutOfMemory { requested, available, .. } => {
            assert!(
                requested >= least && available.is_none_or(|n| n < requested),
                "{requested} {available:?}"
            );
        }
        error => panic!("{error}"),
    }
}

#[test]
fn of_resident_buffers() {
    for id in ["cpu", "cpu-ref"] {
        let device = Device::open(id).unwrap();
        for (bytes, journaled) in [(u64::MAX, false), (1 << 60, true)] {
            let options = ResidentOptions { name: "huge".into(), bytes, journaled, ..Default::default() };
            too_much(device.allocate(options).err().unwrap(), bytes);
        }
        let options = ResidentOptions { name: "small".into(), bytes: 16, ..Default::default() };
        let small = device.allocate(options).unwrap();
        for range in [0..u64::MAX, 17..17, u64::MAX..u64::MAX] {
            let error = device.download(&[Region { from: &small, range }]).err().unwrap();
            assert_eq!(error.code(), "D030");
        }
    }
}

#[test]
fn of_outputs_that_the_grid_sizes() {
    let mut program = vyre::import_wgsl("fill.wgsl", SOURCE).unwrap();
    let buffer = program.buffer_named("y").unwrap();
    program.buffers[buffer].access = vyre::ir::Access::Write;
    for id in ["cpu", "cpu-ref"] {
        let device = Device::open(id).unwrap();
        let config = DispatchConfig { grid: Grid::Threads([1 << 31, 1 << 20, 1]), ..Default::default() };
        let compiled = device.compile(&program, &config).unwrap();
        match compiled.dispatch(&[], &config).err().unwrap() {
            // What is larger than the device takes at all is said so.
            BackendError::Unsupported { what, .. } => assert_eq!(what.code, "D025"),
            error => too_much(error, 1 << 53),
        }
    }
}
