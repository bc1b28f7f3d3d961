//! Kernels without checks, for buffers that are large enough for each other.

use crate::{bytes, compile, on_device, resident, wgsl, words};
use vyre_driver::{Device, DispatchConfig, Grid, Resident, Resource};
use vyre_ir::Program;

/// `to[i] += more[i]` for all elements of `more`; those that `to` lacks are nowhere.
fn add() -> Program {
    wgsl(
        "@group(0) @binding(0) var<storage, read> more: array<u32>;
        @group(0) @binding(1) var<storage, read_write> to: array<u32>;
        @compute @workgroup_size(32) fn add(@builtin(global_invocation_id) id: vec3<u32>) {
            if id.x < arrayLength(&more) { to[id.x] += more[id.x]; }
        }",
    )
}

/// Memory of so many words: 1, 2, 3 and so on.
fn counting(device: &Device, name: &str, count: u32) -> Resident {
    let memory = resident(device, name, 4 * u64::from(count));
    memory.upload(&bytes(&(1..=count).collect::<Vec<u32>>())).unwrap();
    memory
}

fn config() -> DispatchConfig {
    DispatchConfig { grid: Grid::Threads([100, 1, 1]), ..DispatchConfig::default() }
}

#[test]
fn sizes_decide_which_kernel_runs() {
    on_device(|device, control| {
        let program = compile(device, &add());
        for (from, to, kernel) in
            [(100, 100, "add$fitted"), (90, 99, "add$fitted"), (100, 99, "add"), (64, 1, "add")]
        {
            let [source, target] = [("more", from), ("to", to)].map(|(name, n)| counting(device, name, n));
            control.plan(Default::default());
            let resources = [Resource::Resident(&source), Resource::Resident(&target)];
            program.dispatch_resources(&resources, &config()).unwrap();
            let expected: Vec<u32> = (1..=to).map(|n| if n <= from { 2 * n } else { n }).collect();
            assert_eq!(words(&target.download().unwrap()), expected, "{from} to {to}");
            assert_eq!(control.report().kernels, [(kernel.to_owned(), 1)], "{from} to {to}");
        }
    });
}

/// A graph is for the kernels that it was made of.
#[test]
fn graphs_are_of_kernels_that_fit() {
    on_device(|device, control| {
        let program = compile(device, &add());
        let source = counting(device, "more", 40);
        for (to, kernel) in [(40, "add$fitted"), (20, "add"), (50, "add$fitted"), (10, "add")] {
            let target = counting(device, "to", to);
            for round in 1..=3u32 {
                control.plan(Default::default());
                let mut batch = device.batch();
                for _ in 0..6 {
                    let resources = [Resource::Resident(&source), Resource::Resident(&target)];
                    batch.dispatch(&program, &resources, &config()).unwrap();
                }
                let found = batch.run(&[target.whole()]).unwrap().regions;
                let expected: Vec<u32> =
                    (1..=to).map(|n| if n <= 40 { n * (6 * round + 1) } else { n }).collect();
                assert_eq!(words(&found[0]), expected, "{to}, round {round}");
                let kernels = control.report().kernels;
                assert!(kernels.iter().all(|(name, _)| name == kernel), "{to}, round {round}: {kernels:?}");
            }
        }
    });
}

/// Without a condition it is the grid that decides.
#[test]
fn grids_decide_which_kernel_runs() {
    on_device(|device, control| {
        let program = compile(
            device,
            &wgsl(
                "@group(0) @binding(0) var<storage, read_write> to: array<u32>;
                @compute @workgroup_size(32) fn count(@builtin(global_invocation_id) id: vec3<u32>) {
                    to[id.x + 1u] += id.x;
                }",
            ),
        );
        for (to, workgroups, kernel) in
            [(65, 2, "count$fitted"), (64, 2, "count"), (65, 3, "count"), (200, 3, "count$fitted")]
        {
            let target = counting(device, "to", to);
            control.plan(Default::default());
            let config =
                DispatchConfig { grid: Grid::Workgroups([workgroups, 1, 1]), ..DispatchConfig::default() };
            program.dispatch_resources(&[Resource::Resident(&target)], &config).unwrap();
            let expected: Vec<u32> = (0..to)
                .map(|n| if (1..=32 * workgroups).contains(&n) { n + 1 + n - 1 } else { n + 1 })
                .collect();
            assert_eq!(words(&target.download().unwrap()), expected, "{to} for {workgroups}");
            assert_eq!(control.report().kernels, [(kernel.to_owned(), 1)], "{to} for {workgroups}");
        }
    });
}
