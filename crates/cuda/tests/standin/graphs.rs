//! Sequences and repetitions of launches: as graphs where they come again, with the same results.

use crate::{affine, bytes, compile, metric, on_device, resident, sums, words, workgroups};
use vyre_driver::{DispatchConfig, Resource, Upload};

/// `n` becomes `n * factor + summand`, so many times.
fn model(n: u32, factor: u32, summand: u32, times: u32) -> u32 {
    (0..times).fold(n, |n, _| n.wrapping_mul(factor).wrapping_add(summand))
}

#[test]
fn repetitions_are_graphs() {
    on_device(|device, control| {
        let add = compile(device, &affine(3, 1));
        let memory = resident(device, "memory", 8);
        memory.upload(&bytes(&[1, 5])).unwrap();
        control.plan(Default::default());
        let config = DispatchConfig { iterations: 1000, ..workgroups(1, 1, 1) };
        add.dispatch_resources(&[Resource::Resident(&memory)], &config).unwrap();
        assert_eq!(words(&memory.download().unwrap()), [1, 5].map(|n| model(n, 3, 1, 1000)));
        // Three graphs of 256, and 232 for the first time.
        let report = control.report();
        assert_eq!((report.calls("cuGraphLaunch"), report.calls("cuLaunchKernel")), (3, 232));
        assert_eq!(report.calls("cuGraphInstantiateWithFlags"), 1);
        // Again, all of it is graphs, made before or now; with other memory they are patched.
        let other = resident(device, "other", 8);
        for round in 1..4 {
            control.plan(Default::default());
            add.dispatch_resources(&[Resource::Resident(&other)], &config).unwrap();
            assert_eq!(words(&other.download().unwrap()), [model(0, 3, 1, 1000 * round); 2]);
            let report = control.report();
            assert_eq!((report.calls("cuGraphLaunch"), report.calls("cuLaunchKernel")), (4, 0));
            assert_eq!(report.calls("cuGraphInstantiateWithFlags"), u64::from(round == 1));
            let patched = report.calls("cuGraphExecKernelNodeSetParams_v2");
            assert_eq!(patched, if round == 1 { 256 } else { 0 });
        }
        assert_eq!(metric(device, "cuda graphs"), 2);
    });
}

#[test]
fn sequences_become_graphs_when_they_come_again() {
    on_device(|device, control| {
        let programs =
            [(3, 1), (1, 7), (5, 2), (1, 1), (2, 9)].map(|(a, b)| (a, b, compile(device, &affine(a, b))));
        let memory = resident(device, "memory", 400);
        let mut expected = 0;
        for round in 0..4 {
            control.plan(Default::default());
            let mut batch = device.batch();
            for (factor, summand, program) in &programs {
                batch.dispatch(program, &[Resource::Resident(&memory)], &DispatchConfig::default()).unwrap();
                expected = model(expected, *factor, *summand, 1);
            }
            let got = batch.run(&[memory.whole()]).unwrap().regions;
            assert_eq!(words(&got[0]), [expected; 100], "round {round}");
            let report = control.report();
            assert_eq!(report.calls("cuGraphLaunch"), u64::from(round > 0), "round {round}");
            assert_eq!(report.calls("cuLaunchKernel"), if round > 0 { 0 } else { 5 }, "round {round}");
        }
        // A kernel that is dropped takes the graphs with it that have it.
        drop(programs);
        device.set_cache(Default::default());
        assert_eq!((metric(device, "cuda graphs"), metric(device, "cuda modules")), (0, 0));
    });
}

/// Few launches, launches between copies, and kernels that wait are launched as they are.
#[test]
fn what_is_no_graph() {
    on_device(|device, control| {
        let (add, sums) = (compile(device, &affine(1, 1)), compile(device, &sums()));
        let (data, sum) = (resident(device, "data", 256), resident(device, "sum", 4));
        let one = bytes(&[1; 64]);
        let config = DispatchConfig::default();
        for _ in 0..3 {
            let mut batch = device.batch();
            batch
                .repeat(6, |batch| {
                    batch.upload(Upload { to: &data, offset: 0, bytes: &one })?;
                    batch.upload(Upload { to: &sum, offset: 0, bytes: &[0; 4] })?;
                    batch.dispatch(&add, &[Resource::Resident(&data)], &config)?;
                    batch.dispatch(&sums, &[Resource::Resident(&data), Resource::Resident(&sum)], &config)?;
                    batch.dispatch(&add, &[Resource::Resident(&data)], &config)
                })
                .unwrap();
            let got = batch.run(&[data.whole(), sum.whole()]).unwrap().regions;
            assert_eq!((words(&got[0]), words(&got[1])), (vec![129; 64], vec![128]));
        }
        let report = control.report();
        assert_eq!(report.calls("cuGraphLaunch"), 0);
        assert_eq!(report.calls("cuLaunchCooperativeKernel"), 18);
    });
}

/// Nested repetitions, repetitions of nothing, and the numbers of launches around what a graph and a wait take.
#[test]
fn any_number_of_repetitions() {
    on_device(|device, _| {
        let add = compile(device, &affine(1, 1));
        let memory = resident(device, "memory", 4);
        let mut expected = 0;
        for times in [0, 1, 2, 3, 4, 5, 255, 256, 257, 511, 512, 4095, 4097] {
            let mut batch = device.batch();
            batch
                .repeat(times, |batch| {
                    batch.dispatch(&add, &[Resource::Resident(&memory)], &DispatchConfig::default())
                })
                .unwrap();
            let got = batch.run(&[memory.whole()]).unwrap().regions;
            expected += times;
            assert_eq!(words(&got[0]), [expected], "{times}");
        }
        let mut batch = device.batch();
        batch
            .repeat(7, |batch| {
                batch.dispatch(&add, &[Resource::Resident(&memory)], &DispatchConfig::default())?;
                batch.repeat(5, |batch| {
                    batch.dispatch(&add, &[Resource::Resident(&memory)], &DispatchConfig::default())
                })
            })
            .unwrap();
        batch.repeat(u32::MAX, |batch| batch.repeat(u32::MAX, |_| Ok(()))).unwrap();
        let got = batch.run(&[memory.whole()]).unwrap().regions;
        assert_eq!(words(&got[0]), [expected + 42]);
    });
}

/// Device time is there when it was asked for, of all launches or of none.
#[test]
fn times_of_the_device() {
    on_device(|device, _| {
        let add = compile(device, &affine(1, 1));
        for (timed, iterations) in [(true, 1), (true, 3), (true, 700), (false, 1), (false, 10)] {
            let config = DispatchConfig { timed, iterations, ..workgroups(1, 1, 1) };
            let out = add.dispatch(&[&bytes(&[1])], &config).unwrap();
            assert_eq!(words(&out.buffers[0]), [1 + iterations]);
            assert_eq!(out.timing.device_ns.is_some(), timed, "{iterations}");
            assert!(out.timing.enqueue_ns.is_some() && out.timing.wait_ns.is_some());
        }
    });
}
