//! Blocks of several workgroups: how many the driver is given, and that the results are the same. The stand-in's device
//! has 4 multiprocessors for 32 blocks and 2048 threads each, so that 128 workgroups run at once.

use crate::{affine, bytes, compile, device, on, on_device, sums, wgsl, words, workgroups};
use vyre_driver::{
    CacheConfig, CacheSource, Compiled, DiskCacheConfig, DispatchConfig, Grid, GridSync, Resource,
};
use vyre_ir::Program;
use vyre_libcuda::{Configuration, Control};

/// `data[i] = data[i] * 3 + 1` for all elements, in workgroups of that size along x.
fn sized(size: u32) -> Program {
    let mut program = affine(3, 1);
    program.workgroup_size = [size, 1, 1];
    program
}

/// Blocks that are launched for a dispatch of [`sized`] on so many elements, whose results are compared.
fn blocks(control: &Control, compiled: &Compiled, elements: u32, config: &DispatchConfig) -> u64 {
    control.plan(Default::default());
    let data: Vec<u32> = (0..elements).map(|n| n * 7).collect();
    let out = compiled.dispatch(&[&bytes(&data)], config).unwrap();
    let once = |n: &u32| n.wrapping_mul(3).wrapping_add(1);
    let expected: Vec<u32> = data.iter().map(|n| (0..config.iterations).fold(*n, |n, _| once(&n))).collect();
    assert_eq!(words(&out.buffers[0]), expected);
    control.report().blocks
}

#[test]
fn as_few_workgroups_as_fill_the_device() {
    on_device(|device, control| {
        for (size, workgroups, expected) in [
            (32, 256, 128),
            (8, 256, 32),
            (1, 4096, 64),
            // 3 warps in 21 blocks are 2016 threads, 2 in 32 only 1536; 6 in 10 are 1920.
            (48, 200, 100),
            // Full as it is.
            (64, 256, 256),
            (128, 256, 256),
            (512, 40, 40),
            // All of them run at once.
            (32, 128, 128),
            (32, 1, 1),
            // What divides them.
            (32, 255, 255),
            (8, 260, 65),
            (8, 258, 129),
        ] {
            let compiled = compile(device, &sized(size));
            let threads =
                DispatchConfig { grid: Grid::Threads([size * workgroups, 1, 1]), ..Default::default() };
            let found = blocks(control, &compiled, size * workgroups, &threads);
            assert_eq!(found, expected, "{workgroups} workgroups of {size}");
            // Some invocations are not needed.
            let found = blocks(control, &compiled, size * workgroups - size / 2, &DispatchConfig::default());
            assert_eq!(found, expected, "{workgroups} workgroups of {size}, inferred");
        }
    });
}

#[test]
fn on_other_devices() {
    for (capability, size, expected) in [((8, 6), 64, 128), ((8, 6), 96, 256), ((7, 5), 32, 128)] {
        let configuration = Configuration { compute_capability: capability, ..Default::default() };
        on(configuration, |control| {
            let compiled = compile(&device("cuda"), &sized(size));
            let found = blocks(control, &compiled, 256 * size, &Default::default());
            assert_eq!(found, expected, "{capability:?}, workgroups of {size}");
        });
    }
}

#[test]
fn a_size_that_the_caller_chose_is_kept() {
    on_device(|device, control| {
        for size in [8, 32] {
            let config = DispatchConfig { workgroup_size: Some([size, 1, 1]), ..Default::default() };
            // Compiled before and after for any size: neither is taken for the other.
            for _ in 0..2 {
                let kept = device.compile(&sized(32), &config).unwrap();
                assert_eq!(blocks(control, &kept, 512 * size, &config), 512);
                assert_eq!(blocks(control, &compile(device, &sized(32)), 256 * 32, &Default::default()), 128);
            }
        }
    });
}

#[test]
fn along_x_only() {
    on_device(|device, control| {
        let source = "@group(0) @binding(0) var<storage, read_write> out: array<u32>;
            @compute @workgroup_size(4, 4) fn planes(@builtin(global_invocation_id) id: vec3<u32>) {
                out[(id.z * 40u + id.y) * 64u + id.x] = id.x + 100u * id.y + 10000u * id.z;
            }";
        let planes = compile(device, &wgsl(source));
        control.plan(Default::default());
        let out = planes.dispatch(&[&vec![0; 4 * 64 * 40 * 2]], &workgroups(16, 10, 2)).unwrap();
        let expected: Vec<u32> = (0..2)
            .flat_map(|z| (0..40).flat_map(move |y| (0..64).map(move |x| x + 100 * y + 10000 * z)))
            .collect();
        assert_eq!(words(&out.buffers[0]), expected);
        assert_eq!(control.report().blocks, 4 * 10 * 2);
    });
}

/// More workgroups along y than a launch takes.
#[test]
fn in_several_launches() {
    on_device(|device, control| {
        let source = "@group(0) @binding(0) var<storage, read_write> out: array<u32>;
            @compute @workgroup_size(1) fn rows(@builtin(global_invocation_id) id: vec3<u32>) {
                out[id.y * 2u + id.x] = id.y * 2u + id.x + 5u;
            }";
        let rows = compile(device, &wgsl(source));
        control.plan(Default::default());
        let out = rows.dispatch(&[&vec![0; 4 * 2 * 70_000]], &workgroups(2, 70_000, 1)).unwrap();
        assert_eq!(words(&out.buffers[0]), (5..140_005).collect::<Vec<u32>>());
        let report = control.report();
        assert_eq!((report.calls("cuLaunchKernel"), report.blocks), (2, 70_000));
    });
}

/// Graphs of a kernel with equally many blocks, which are not the same blocks.
#[test]
fn in_graphs() {
    on_device(|device, control| {
        let compiled = compile(device, &sized(8));
        let memory = crate::resident(device, "memory", 4 * 8 * 512);
        let mut expected = vec![0u32; 8 * 512];
        for count in [64, 64, 512, 512, 512, 64] {
            control.plan(Default::default());
            let config = DispatchConfig { iterations: 6, ..workgroups(count, 1, 1) };
            compiled.dispatch_resources(&[Resource::Resident(&memory)], &config).unwrap();
            for n in &mut expected[..8 * count as usize] {
                *n = (0..6).fold(*n, |n, _| n.wrapping_mul(3).wrapping_add(1));
            }
            assert_eq!(words(&memory.download().unwrap()), expected, "{count} workgroups");
            assert_eq!(control.report().blocks, 6 * 64);
        }
        assert_eq!(crate::metric(device, "cuda graphs"), 2);
    });
}

#[test]
fn from_the_cache() {
    on_device(|device, control| {
        let folder = tempfile::tempdir().unwrap();
        let disk = DiskCacheConfig { directory: folder.path().into(), bytes: 1 << 24 };
        device.set_cache(CacheConfig { memory_bytes: 0, disk: Some(disk) });
        for source in [CacheSource::Compiled, CacheSource::Disk] {
            let compiled = compile(device, &sized(8));
            assert_eq!(compiled.source(), source);
            assert_eq!(blocks(control, &compiled, 8 * 512, &Default::default()), 64);
        }
    });
}

#[test]
fn as_stages() {
    on_device(|device, _| {
        let config = DispatchConfig { grid_sync: GridSync::Stages, ..Default::default() };
        let sums = device.compile(&sums(), &config).unwrap();
        for count in [32 * 256, 32 * 255, 100] {
            let out = sums.dispatch(&[&bytes(&vec![3; count]), &[0; 4]], &config).unwrap();
            assert_eq!(words(&out.buffers[0]), vec![3 * count as u32; count]);
        }
    });
}

/// A declaration, what an invocation stores, and what that is by its number.
type Case = (&'static str, &'static str, fn(u32) -> u32);

/// Programs in which invocations can tell in which workgroup or subgroup they are.
#[test]
fn what_sees_its_workgroup_is_left_alone() {
    let programs: [Case; 8] = [
        ("", "local.x", |i| i % 8),
        ("", "index + 7u", |i| i % 8 + 7),
        ("", "group.x * 2u", |i| i / 8 * 2),
        ("", "count.x", |_| 512),
        ("", "id.x + lanes", |i| i + 32),
        ("", "subgroupAdd(1u)", |_| 8),
        ("var<workgroup> all: atomic<u32>;", "add(id.x)", |i| (i / 8 * 8..).take(8).sum()),
        ("", "barrier(id.x)", |i| i),
    ];
    on_device(|device, control| {
        for (declared, value, expected) in programs {
            let functions = match value {
                "add(id.x)" => {
                    "fn add(x: u32) -> u32 { atomicAdd(&all, x); workgroupBarrier(); return atomicLoad(&all); }"
                }
                "barrier(id.x)" => "fn barrier(x: u32) -> u32 { storageBarrier(); return x; }",
                _ => "",
            };
            let program = wgsl(&format!(
                "enable subgroups;
                @group(0) @binding(0) var<storage, read_write> out: array<u32>;
                {declared}
                {functions}
                @compute @workgroup_size(8) fn sees(
                    @builtin(global_invocation_id) id: vec3<u32>,
                    @builtin(local_invocation_id) local: vec3<u32>,
                    @builtin(local_invocation_index) index: u32,
                    @builtin(workgroup_id) group: vec3<u32>,
                    @builtin(num_workgroups) count: vec3<u32>,
                    @builtin(subgroup_size) lanes: u32,
                ) {{ out[id.x] = {value}; }}"
            ));
            control.plan(Default::default());
            let out =
                compile(device, &program).dispatch(&[&vec![0; 4 * 8 * 512]], &Default::default()).unwrap();
            assert_eq!(words(&out.buffers[0]), (0..8 * 512).map(expected).collect::<Vec<u32>>(), "{value}");
            assert_eq!(control.report().blocks, 512, "{value}");
        }
    });
}
