//! Many threads at one device, and everything dropped in any order.

use crate::{affine, bytes, compile, device, metric, on, on_device, resident, sums, words};
use std::sync::Barrier;
use vyre_driver::{Device, DispatchConfig, Resource};
use vyre_libcuda::Configuration;

const THREADS: u32 = 6;

#[test]
fn threads_dispatch_at_once() {
    on_device(|device, _| {
        let config = DispatchConfig::default();
        let (add, sums, shared) =
            (compile(device, &affine(5, 3)), compile(device, &sums()), resident(device, "shared", 400));
        let count = compile(device, &affine(1, 1));
        let together = Barrier::new(THREADS as usize);
        std::thread::scope(|scope| {
            for thread in 0..THREADS {
                let (add, sums, count, shared, config, together) =
                    (&add, &sums, &count, &shared, &config, &together);
                scope.spawn(move || {
                    together.wait();
                    for round in 0..8 {
                        let data: Vec<u32> = (0..50 + 10 * thread + round).map(|i| i * 7 + thread).collect();
                        let out = add.dispatch(&[&bytes(&data)], config).unwrap();
                        let model: Vec<u32> = data.iter().map(|x| x * 5 + 3).collect();
                        assert_eq!(words(&out.buffers[0]), model, "thread {thread}, round {round}");
                        // Each has a word of its own by which its blocks wait.
                        let out = sums.dispatch(&[&bytes(&data), &[0; 4]], config).unwrap();
                        assert_eq!(words(&out.buffers[1]), [data.iter().sum::<u32>()]);
                        count.dispatch_resources(&[Resource::Resident(shared)], config).unwrap();
                        // Compiled while others run.
                        let own = compile(device, &affine(3, thread * 100 + round));
                        let out = own.dispatch(&[&bytes(&[1])], config).unwrap();
                        assert_eq!(words(&out.buffers[0]), [3 + thread * 100 + round]);
                    }
                });
            }
        });
        assert_eq!(words(&shared.download().unwrap()), vec![THREADS * 8; 100]);
        assert!(metric(device, "cuda streams") <= u64::from(THREADS));
    });
}

/// Memory that nobody has used yet, read by several for the first time at once.
#[test]
fn first_use_at_once() {
    on_device(|device, _| {
        for _ in 0..20 {
            let memory = resident(device, "new", 4096);
            let together = Barrier::new(4);
            std::thread::scope(|scope| {
                for _ in 0..4 {
                    scope.spawn(|| {
                        together.wait();
                        assert_eq!(words(&memory.download().unwrap()), [0; 1024]);
                    });
                }
            });
        }
    });
}

#[test]
fn asynchronous_dispatches_beside_others() {
    on_device(|device, _| {
        let (add, config) = (compile(device, &affine(2, 1)), DispatchConfig::default());
        let pending: Vec<_> =
            (0..40u32).map(|n| add.dispatch_async(vec![bytes(&[n, n + 1])], &config)).collect();
        let here = add.dispatch(&[&bytes(&[70])], &config).unwrap();
        assert_eq!(words(&here.buffers[0]), [141]);
        for (n, pending) in (0..).zip(pending) {
            assert_eq!(words(&pending.wait().unwrap().buffers[0]), [2 * n + 1, 2 * n + 3]);
        }
        (0..10).for_each(|n| drop(add.dispatch_async(vec![bytes(&[n])], &config)));
        device.flush();
        // The worker's end is not waited for by whoever drops the device.
        device.shutdown();
    });
}

#[test]
fn dropped_in_any_order_and_by_other_threads() {
    for order in 0..6 {
        on(Configuration::default(), |_| {
            let device = device("cuda");
            let (add, memory) = (compile(&device, &affine(1, 1)), resident(&device, "memory", 100));
            add.dispatch_resources(&[Resource::Resident(&memory)], &DispatchConfig::default()).unwrap();
            let mut parts: Vec<Box<dyn Send>> = vec![Box::new(device), Box::new(add), Box::new(memory)];
            let first = parts.remove(order % 3);
            let second = parts.remove(order / 3);
            std::thread::spawn(move || drop(first)).join().unwrap();
            drop(second);
            std::thread::spawn(move || drop(parts)).join().unwrap();
        });
    }
}

/// Several devices in one process; memory of one is not for another.
#[test]
fn several_devices_at_once() {
    on(Configuration { devices: 2, ..Default::default() }, |_| {
        let all: Vec<Device> = ["cuda", "cuda:1", "cuda"].map(device).into();
        std::thread::scope(|scope| {
            for (number, device) in (0..).zip(&all) {
                scope.spawn(move || {
                    let add = compile(device, &affine(7, number));
                    for n in 0..10 {
                        let out = add.dispatch(&[&bytes(&[n, 2 * n])], &DispatchConfig::default()).unwrap();
                        assert_eq!(words(&out.buffers[0]), [n * 7 + number, n * 14 + number]);
                    }
                });
            }
        });
        let memory = resident(&all[0], "memory", 4);
        let add = compile(&all[1], &affine(1, 1));
        let result = add.dispatch_resources(&[Resource::Resident(&memory)], &DispatchConfig::default());
        crate::refused(result.map(drop), "D031");
    });
}
