//! Programs that wait for their grid, as one cooperative launch and as stages; loops that the device decides on; work
//! queues in both ways; grids that are larger than the device takes.

use crate::{bytes, compile, device, on, on_device, refused, sums, wgsl, words, workgroups};
use vyre_driver::{Device, DispatchConfig, GridSync, Resource, WorkQueue, WorkQueueOptions};
use vyre_ir::Program;
use vyre_libcuda::Configuration;

fn in_stages(config: DispatchConfig) -> DispatchConfig {
    DispatchConfig { grid_sync: GridSync::Stages, ..config }
}

#[test]
fn a_grid_that_fits_waits_and_a_larger_one_is_stages() {
    on_device(|device, control| {
        let program = compile(device, &sums());
        for (count, launches) in [(1u32, (1, 0)), (4000, (1, 0)), (40_000, (0, 2))] {
            control.plan(Default::default());
            let data: Vec<u32> = (0..count).collect();
            let out = program.dispatch(&[&bytes(&data), &[0; 4]], &DispatchConfig::default()).unwrap();
            let sum = data.iter().fold(0u32, |sum, n| sum.wrapping_add(*n));
            assert_eq!(
                (words(&out.buffers[0]), words(&out.buffers[1])),
                (vec![sum; count as usize], vec![sum])
            );
            let report = control.report();
            let seen = (report.calls("cuLaunchCooperativeKernel"), report.calls("cuLaunchKernel"));
            assert_eq!(seen, launches, "{count}");
        }
        let config = DispatchConfig { grid_sync: GridSync::Native, ..Default::default() };
        let native = device.compile(&sums(), &config).unwrap();
        refused(native.dispatch(&[&[0; 160_000], &[0; 4]], &config), "D011");
    });
}

/// `counts[0]` turns of a loop of two stages, each of which depends on what others did in the one before.
fn turns() -> Program {
    wgsl(
        "fn vyreGridSync() {}
        fn vyreGridUniform(v: u32) -> u32 { return v; }
        @group(0) @binding(0) var<storage, read_write> data: array<u32>;
        @group(0) @binding(1) var<storage, read_write> counts: array<u32>;
        @compute @workgroup_size(16) fn turns(@builtin(global_invocation_id) id: vec3<u32>) {
            let n = arrayLength(&data);
            var turn = 0u;
            loop {
                let next = data[(id.x + 1u) % n] + id.x;
                vyreGridSync();
                if id.x < n { data[id.x] = next; }
                if id.x == 0u { counts[1] = counts[1] + 1u; }
                turn++;
                if vyreGridUniform(counts[0] - turn) == 0u { break; }
            }
        }",
    )
}

fn model_of_turns(n: usize, turns: u32) -> Vec<u32> {
    let mut data = vec![1u32; n];
    for _ in 0..turns {
        data = (0..n).map(|i| data[(i + 1) % n].wrapping_add(i as u32)).collect();
    }
    data
}

#[test]
fn the_device_decides_how_often_a_loop_turns() {
    on_device(|device, control| {
        let whole = compile(device, &turns());
        let config = in_stages(workgroups(2, 1, 1));
        let stages = device.compile(&turns(), &config).unwrap();
        for times in [1, 2, 9, 100, 300] {
            let inputs = [bytes(&[1; 32]), bytes(&[times, 0])];
            let expected = model_of_turns(32, times);
            let out = whole.dispatch_owned(&inputs, &workgroups(2, 1, 1)).unwrap();
            assert_eq!((words(&out.buffers[0]), words(&out.buffers[1])[1]), (expected.clone(), times));
            // The second time it is known how many rounds there are.
            for again in [false, true] {
                control.plan(Default::default());
                let out = stages.dispatch_owned(&inputs, &config).unwrap();
                assert_eq!((words(&out.buffers[0]), words(&out.buffers[1])[1]), (expected.clone(), times));
                let copies = control.report().calls("cuMemcpyDtoHAsync_v2");
                // Two outputs and the state for each wait.
                assert!(copies % 3 == 0 && copies <= if again { 3 } else { 15 }, "{times}: {copies}");
            }
        }
    });
}

/// An item of more than one pushes its halves; counts the items, and adds up their numbers.
fn halves() -> Program {
    let text = "program halves workgroup(8, 1, 1) {
  buffer totals: u32[2] storage read_write @group(0) @binding(0)
  %0: u32 = queue_item
  %1: u32 = const 0
  %2: u32 = const 1
  %3: u32 = const 2
  %4: u32 = atomic_add totals[%1], %2
  %5: u32 = atomic_add totals[%2], %0
  %6: bool = lt %2, %0
  if %6 {
    %7: u32 = div %0, %3
    %8: u32 = sub %0, %7
    queue_push %7
    queue_push %8
  } else {
  }
}";
    vyre_ir::text::parse("halves.vyre", text).unwrap_or_else(|e| panic!("{e:#?}"))
}

fn model_of_halves(n: u32) -> [u32; 2] {
    let mut all = [1, n];
    if n > 1 {
        for half in [n / 2, n - n / 2] {
            let of = model_of_halves(half);
            all = [all[0] + of[0], all[1] + of[1]];
        }
    }
    all
}

fn drain(device: &Device, items: &[u32]) -> u32 {
    let program = halves();
    let profile = WorkQueue::profile(&program, 600, 1 << 20).unwrap();
    let config = DispatchConfig::default();
    let queue = WorkQueue::new(device, &program, profile, WorkQueueOptions::default(), &config).unwrap();
    let run = queue.run(&bytes(items), &[Resource::Bytes(&[0; 8])], &config).unwrap();
    let expected = items.iter().fold([0, 0], |all, n| {
        let of = model_of_halves(*n);
        [all[0] + of[0], all[1] + of[1]]
    });
    assert_eq!(run.outputs.get::<u32>(0).unwrap(), expected);
    assert_eq!(run.processed, u64::from(expected[0]));
    run.host_syncs
}

#[test]
fn work_queues_drain_in_one_launch_and_in_stages() {
    for cooperative_launch in [true, false] {
        on(Configuration { cooperative_launch, ..Default::default() }, |control| {
            let device = device("cuda");
            for items in [&[][..], &[1], &[100], &[7, 0, 1, 90, 33]] {
                control.plan(Default::default());
                let waits = drain(&device, items);
                let launches = control.report().calls("cuLaunchCooperativeKernel");
                assert_eq!(launches, u64::from(cooperative_launch), "{items:?}");
                assert!(!cooperative_launch || waits == 1, "{items:?}: {waits}");
            }
        });
    }
}

/// Along y and z the device takes 65,535 workgroups at once.
#[test]
fn grids_of_several_launches() {
    let marks = wgsl(
        "@group(0) @binding(0) var<storage, read_write> seen: array<atomic<u32>, 4>;
        @compute @workgroup_size(1)
        fn marks(@builtin(workgroup_id) at: vec3<u32>, @builtin(num_workgroups) all: vec3<u32>) {
            if at.y + 1u == all.y && at.z + 1u == all.z { atomicAdd(&seen[0], at.y); atomicAdd(&seen[1], at.z); }
            if at.y == 65535u || at.z == 65535u { atomicAdd(&seen[2], 1u); }
            if at.y % 1000u == 0u && at.z % 1000u == 0u { atomicAdd(&seen[3], 1u); }
        }",
    );
    on_device(|device, control| {
        let program = compile(device, &marks);
        for ([x, y, z], launches) in [([1, 65_535, 1], 1), ([1, 65_537, 1], 2), ([2, 1, 65_536], 2)] {
            control.plan(Default::default());
            let out = program.dispatch(&[&[0; 16]], &workgroups(x, y, z)).unwrap();
            let beyond = if y.max(z) > 65_535 { x } else { 0 };
            let thousands = x * y.div_ceil(1000) * z.div_ceil(1000);
            assert_eq!(words(&out.buffers[0]), [x * (y - 1), x * (z - 1), beyond, thousands]);
            assert_eq!(control.report().calls("cuLaunchKernel"), launches);
        }
    });
}
