//! Memory: every size, every range, large copies, what was never written, and what there is no room for.

use crate::{affine, bytes, compile, device, metric, on, on_device, refused, resident, words, workgroups};
use vyre_driver::{DispatchConfig, Region, ResidentOptions, Resource, Upload};
use vyre_libcuda::{Configuration, FaultPlan};

fn pattern(seed: usize, length: usize) -> Vec<u8> {
    (0..length).map(|i| (((i + seed) * 2_654_435_761) >> 7) as u8).collect()
}

/// Larger than all pinned memory of a stream together.
const LARGE: usize = (14 << 20) + 12_345;

#[test]
fn large_copies_in_both_directions() {
    on_device(|device, _| {
        let data = pattern(1, LARGE);
        let memory = resident(device, "large", LARGE as u64);
        memory.upload(&data).unwrap();
        assert!(memory.download().unwrap()[..] == data, "what was uploaded comes back");
        // Several ranges, the first of which come down long before the last.
        let at = [0, 1, 5_000_001, LARGE as u64 - 3_000_000];
        let regions: Vec<Region<'_>> =
            at.iter().map(|at| Region { from: &memory, range: *at..*at + 3_000_000 }).collect();
        for (got, at) in device.download(&regions).unwrap().iter().zip(at) {
            assert!(got[..] == data[at as usize..][..3_000_000], "from {at}");
        }
        assert!(metric(device, "cuda pinned bytes") <= 12 << 20);
    });
}

#[test]
fn small_copies_at_any_place() {
    on_device(|device, _| {
        let memory = resident(device, "small", 103);
        let mut model = vec![0; 103];
        for (seed, (at, length)) in
            [(0, 1), (1, 2), (3, 7), (15, 17), (100, 3), (50, 0), (0, 103)].into_iter().enumerate()
        {
            let part = pattern(seed, length);
            device.upload(&[Upload { to: &memory, offset: at as u64, bytes: &part }]).unwrap();
            model[at..at + length].copy_from_slice(&part);
            assert_eq!(&memory.download().unwrap()[..], model, "{length} bytes at {at}");
        }
    });
}

/// New memory of the stand-in is garbage, and the pool gives the same again.
#[test]
fn memory_is_zero_at_first() {
    for memory_pools in [true, false] {
        on(Configuration { memory_pools, ..Default::default() }, |_| {
            let device = device("cuda");
            let add = compile(&device, &affine(1, 7));
            for round in 0..6 {
                let size = 1000 + 4 * round;
                let memory = resident(&device, "new", size);
                let mut model = vec![0; size as usize];
                if round % 2 == 0 {
                    device.upload(&[Upload { to: &memory, offset: 500, bytes: &[9; 300] }]).unwrap();
                    model[500..800].fill(9);
                }
                assert_eq!(&memory.download().unwrap()[..], model, "round {round}");
                memory.upload(&vec![0xff; size as usize]).unwrap();
                // A program first.
                let used = resident(&device, "used", size);
                add.dispatch_resources(&[Resource::Resident(&used)], &DispatchConfig::default()).unwrap();
                assert_eq!(words(&used.download().unwrap()), vec![7; size as usize / 4]);
            }
        });
    }
}

#[test]
fn more_than_there_is() {
    on(Configuration { memory_bytes: 32 << 20, ..Default::default() }, |_| {
        let device = device("cuda");
        let allocate =
            |bytes| device.allocate(ResidentOptions { name: "huge".into(), bytes, ..Default::default() });
        let held = resident(&device, "held", 20 << 20);
        held.upload(&[1; 20 << 20]).unwrap();
        for bytes in [16 << 20, 64 << 20, 1 << 40, u64::MAX - 20, u64::MAX] {
            let text = refused(allocate(bytes), "D006");
            assert!(text.contains(&bytes.to_string()) && text.contains("`huge`"), "{text}");
            assert!(text.contains("are available"), "{text}");
        }
        // What is kept for reuse makes room.
        drop(held);
        let memory = allocate(28 << 20).unwrap();
        assert_eq!(memory.download().unwrap().iter().map(|byte| u64::from(*byte)).sum::<u64>(), 0);
    });
}

/// Whichever allocation fails: it is an error that says so, and nothing is wrong with the device afterwards.
#[test]
fn no_memory_at_any_time() {
    let mut failures = 0;
    for at in 0..12 {
        on(Configuration { memory_pools: at % 2 == 0, ..Default::default() }, |control| {
            let device = device("cuda");
            let add = compile(&device, &affine(2, 1));
            let run = || {
                add.dispatch(&[&bytes(&[1, 2, 3])], &workgroups(1, 1, 1)).map(|out| words(&out.buffers[0]))
            };
            control.plan(FaultPlan { out_of_memory: Some(at / 2), ..Default::default() });
            match run() {
                Ok(out) => assert_eq!(out, [3, 5, 7]),
                Err(error) => {
                    failures += 1;
                    assert_eq!(error.code().name(), "D006", "{error}");
                }
            }
            control.plan(FaultPlan::default());
            assert_eq!(run().unwrap(), [3, 5, 7]);
        });
    }
    // Memory of the device is asked for a second time when there is none.
    assert!(failures >= 2, "only {failures} failed");
}
