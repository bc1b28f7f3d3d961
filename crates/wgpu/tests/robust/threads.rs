//! Many threads at one device, many devices in one process, and everything dropped in any order.

use crate::{affine, bytes, compile, on_each, resident, words};
use std::sync::Barrier;
use vyre_conformance::devices::devices;
use vyre_cpu as _;
use vyre_driver::{Device, DispatchConfig, Resource};

const THREADS: u32 = 8;

#[test]
fn eight_threads_dispatch_one_program() {
    on_each(|device| {
        let (add, config) = (compile(device, &affine(5, 3)), DispatchConfig::default());
        let together = Barrier::new(THREADS as usize);
        std::thread::scope(|scope| {
            for thread in 0..THREADS {
                let (add, config, together) = (&add, &config, &together);
                scope.spawn(move || {
                    together.wait();
                    for round in 0..30 {
                        let data: Vec<u32> = (0..100 + 50 * thread + round).map(|i| i * 7 + thread).collect();
                        let out = add.dispatch(&[&bytes(&data)], config).unwrap();
                        let model: Vec<u32> = data.iter().map(|x| x * 5 + 3).collect();
                        assert_eq!(words(&out.buffers[0]), model, "thread {thread}, round {round}");
                    }
                });
            }
        });
    });
}

/// Different programs on memory of their own, and one on memory of all.
#[test]
fn eight_threads_dispatch_different_programs_on_resident_memory() {
    on_each(|device| {
        let config = DispatchConfig::default();
        let (shared, count) = (resident(device, "shared", 400), compile(device, &affine(1, 1)));
        std::thread::scope(|scope| {
            for thread in 0..THREADS {
                let (shared, count, config) = (&shared, &count, &config);
                scope.spawn(move || {
                    let own = resident(device, "own", 40 + 4 * thread as u64);
                    // Compiled on every thread, while others run.
                    let program = compile(device, &affine(3, thread % 4));
                    let mut model = vec![0u32; 10 + thread as usize];
                    for round in 0..25 {
                        program.dispatch_resources(&[Resource::Resident(&own)], config).unwrap();
                        count.dispatch_resources(&[Resource::Resident(shared)], config).unwrap();
                        model.iter_mut().for_each(|x| *x = x.wrapping_mul(3).wrapping_add(thread % 4));
                        if round % 5 == 0 {
                            assert_eq!(words(&own.download().unwrap()), model, "thread {thread}");
                        }
                    }
                    assert_eq!(words(&own.download().unwrap()), model, "thread {thread}");
                });
            }
        });
        assert_eq!(words(&shared.download().unwrap()), vec![THREADS * 25; 100]);
    });
}

#[test]
fn asynchronous_dispatches_beside_others() {
    on_each(|device| {
        let (add, config) = (compile(device, &affine(2, 1)), DispatchConfig::default());
        let pending: Vec<_> =
            (0..40u32).map(|n| add.dispatch_async(vec![bytes(&[n, n + 1])], &config)).collect();
        let here = add.dispatch(&[&bytes(&[70])], &config).unwrap();
        assert_eq!(words(&here.buffers[0]), [141]);
        for (n, pending) in (0..).zip(pending) {
            assert_eq!(words(&pending.wait().unwrap().buffers[0]), [2 * n + 1, 2 * n + 3]);
        }
        // Nobody waits for these.
        (0..10).for_each(|n| drop(add.dispatch_async(vec![bytes(&[n])], &config)));
        device.flush();
    });
}

#[test]
fn dropped_in_any_order_and_by_other_threads() {
    for name in devices("wgpu") {
        for order in 0..6 {
            let device = Device::open(&name).unwrap();
            let (add, memory) = (compile(&device, &affine(1, 1)), resident(&device, "memory", 100));
            add.dispatch_resources(&[Resource::Resident(&memory)], &DispatchConfig::default()).unwrap();
            let pending = add.dispatch_async(vec![vec![0; 400]], &DispatchConfig::default());
            let mut parts: Vec<Box<dyn Send>> = vec![Box::new(device), Box::new(add), Box::new(memory)];
            let first = parts.remove(order % 3);
            let (second, third) = if order < 3 { (0, 0) } else { (1, 0) };
            let second = parts.remove(second);
            let third = parts.remove(third);
            std::thread::spawn(move || drop(first)).join().unwrap();
            drop(second);
            std::thread::spawn(move || drop(third)).join().unwrap();
            assert_eq!(words(&pending.wait().unwrap().buffers[0]), [1; 100]);
        }
    }
}

/// Devices of several backends, and several of one adapter, in one process at once.
#[test]
fn several_devices_at_once() {
    let names: Vec<String> = devices("wgpu").into_iter().flat_map(|name| [name.clone(), name]).collect();
    let all: Vec<Device> =
        names.iter().map(String::as_str).chain(["cpu"]).map(|name| Device::open(name).unwrap()).collect();
    std::thread::scope(|scope| {
        for (number, device) in (0..).zip(&all) {
            scope.spawn(move || {
                let add = compile(device, &affine(7, number));
                for n in 0..20 {
                    let out = add.dispatch(&[&bytes(&[n, 2 * n])], &DispatchConfig::default()).unwrap();
                    assert_eq!(words(&out.buffers[0]), [n * 7 + number, n * 14 + number]);
                }
            });
        }
    });
    // Memory of one device is not for another.
    if let [first, .., last] = &all[..] {
        let memory = resident(first, "memory", 4);
        let add = compile(last, &affine(1, 1));
        let result = add.dispatch_resources(&[Resource::Resident(&memory)], &DispatchConfig::default());
        crate::refused(result.map(drop), "D031");
    }
}
