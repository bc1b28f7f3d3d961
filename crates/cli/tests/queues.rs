//! The examples that handle the items of a work queue, on every device: what they find is what one thread finds by other
//! means, and nothing is lost.

use vyre::wgsl::{ImportOptions, import_wgsl};
use vyre::{BackendError, Device, DispatchConfig, Resource, WorkQueue, WorkQueueOptions};
use vyre_bench::Size;
use vyre_bench::queues::{NAMES, OnQueue, Workload, workloads};
use vyre_conformance::apart::apart;
use vyre_conformance::devices::devices;

/// All devices; the processor and the oracle also with queues that programs drain by themselves.
fn all() -> Vec<Device> {
    let names = ["cpu-ref", "cpu"].map(String::from).into_iter().chain(devices("wgpu"));
    let apart = ["cpu-ref", "cpu"].map(|name| Device::new(apart(vyre::acquire(name).unwrap())));
    names.map(|name| Device::open(&name).unwrap()).chain(apart).collect()
}

fn program(workload: &Workload) -> vyre::ir::Program {
    import_wgsl("p.wgsl", workload.wgsl, &ImportOptions::default()).unwrap()
}

#[test]
fn every_workload_on_every_device() {
    for device in all() {
        for workload in workloads(Size::Small, &NAMES) {
            let who = format!("{}: {}, {}", device.id(), workload.name, workload.about);
            let mut queue = OnQueue::new(&device, &workload).unwrap();
            // What is kept from run to run must not matter.
            for _ in 0..3 {
                vyre_bench::Loaded::run(&mut queue).unwrap_or_else(|error| panic!("{who}: {error:?}"));
                workload.check(&queue.result().unwrap()).unwrap_or_else(|what| panic!("{who}: {what}"));
                let run = queue.last.as_ref().unwrap();
                assert!(run.processed >= workload.expected.len().min(2) as u64, "{who}");
                assert!(run.high_water <= workload.capacity, "{who}");
                assert_eq!(run.host_syncs, 1, "{who}");
            }
        }
    }
}

/// Each of the device's own ways to take items: few at once, many, one.
#[test]
fn windows_and_bounds_change_no_result() {
    let workload = workloads(Size::Small, &["quadrature"]).remove(0);
    let program = program(&workload);
    for device in all() {
        for (window, pushes_per_item) in
            [(Some(1), None), (Some(7), None), (None, Some(2)), (Some(64), Some(2))]
        {
            let profile = WorkQueue::profile(&program, 1000, u64::MAX).unwrap();
            let options = WorkQueueOptions { window, pushes_per_item, spill: false };
            let queue =
                WorkQueue::new(&device, &program, profile, options, &DispatchConfig::default()).unwrap();
            let items: Vec<u8> = workload.items.iter().flat_map(|word| word.to_le_bytes()).collect();
            let run = queue.run(&items, &[Resource::Bytes(&[0; 8])], &DispatchConfig::default()).unwrap();
            let found: Vec<u32> = run.outputs.get(0).unwrap();
            workload.check(&found).unwrap_or_else(|what| panic!("{}: {window:?}: {what}", device.id()));
            // A binary tree: as many inner nodes as leaves, less one.
            assert_eq!(run.processed, 2 * found[1] as u64 - 1);
        }
    }
}

/// Resident buffers can be read after an error, and hold what was done until then.
#[test]
fn a_queue_that_is_full_keeps_what_was_done() {
    let workload = workloads(Size::Small, &["quadrature"]).remove(0);
    let program = program(&workload);
    for device in all() {
        let profile = WorkQueue::profile(&program, 8, u64::MAX).unwrap();
        let queue = WorkQueue::new(
            &device,
            &program,
            profile,
            WorkQueueOptions::default(),
            &DispatchConfig::default(),
        );
        let queue = queue.unwrap();
        let options =
            vyre::ResidentOptions { name: "area".into(), bytes: 8, ..vyre::ResidentOptions::default() };
        let area = device.allocate(options).unwrap();
        let items: Vec<u8> = workload.items.iter().flat_map(|word| word.to_le_bytes()).collect();
        let error =
            queue.run(&items, &[Resource::Resident(&area)], &DispatchConfig::default()).err().unwrap();
        let BackendError::QueueFull { capacity: 8, high_water, processed, left, lost } = error else {
            panic!("{}: {error}", device.id())
        };
        assert!(high_water > 8 && left + lost > 0, "{}: {error}", device.id());
        let words: Vec<u32> =
            area.download().unwrap().chunks(4).map(|c| u32::from_le_bytes(c.try_into().unwrap())).collect();
        // Each item that was handled either ended or pushed two.
        let (ended, pushed) = (words[1] as u64, 2 * (processed - words[1] as u64));
        assert_eq!(ended + pushed / 2 + left + lost, 1 + pushed, "{}", device.id());
    }
}
