//! Memory of every size, and copies to and from every place of it.

use crate::{affine, bytes, compile, on_each, refused, resident, text, wgsl, words, workgroups};
use vyre_driver::{DispatchConfig, Region, Resident, Resource, Upload};

fn pattern(seed: usize, length: usize) -> Vec<u8> {
    (0..length).map(|i| (1 + (seed * 31 + i * 7) % 255) as u8).collect()
}

#[test]
fn the_smallest_sizes() {
    on_each(|device| {
        for size in [0, 1, 2, 3, 4, 5, 7, 8, 15, 16, 17, 33] {
            let memory = resident(device, "small", size as u64);
            assert_eq!(&memory.download().unwrap()[..], vec![0; size], "{size} bytes are zero at first");
            let content = pattern(size, size);
            memory.upload(&content).unwrap();
            assert_eq!(&memory.download().unwrap()[..], content, "{size} bytes");
        }
    });
}

/// The places where words begin and end, at the start, in the middle, and at the end.
fn ranges(size: usize) -> Vec<(usize, usize)> {
    let places = |from: usize| (from..from + 6).flat_map(move |at| (0..10).map(move |length| (at, length)));
    let all = places(0).chain(places(size / 2)).chain(places(size - 9));
    all.filter(|(at, length)| at + length <= size).collect()
}

fn region(from: &Resident, at: usize, length: usize) -> Region<'_> {
    Region { from, range: at as u64..(at + length) as u64 }
}

#[test]
fn ranges_one_by_one() {
    on_each(|device| {
        let size = 37;
        let memory = resident(device, "ranges", size as u64);
        let mut model = vec![0; size];
        for (seed, (at, length)) in ranges(size).into_iter().enumerate() {
            let part = pattern(seed, length);
            device.upload(&[Upload { to: &memory, offset: at as u64, bytes: &part }]).unwrap();
            model[at..at + length].copy_from_slice(&part);
            let around = at.saturating_sub(1)..(at + length + 1).min(size);
            let got =
                device.download(&[region(&memory, around.start, around.len()), memory.whole()]).unwrap();
            assert_eq!(&got[0][..], &model[around.clone()], "{length} bytes at {at}");
            assert_eq!(&got[1][..], &model, "{length} bytes at {at}");
        }
    });
}

#[test]
fn ranges_all_at_once() {
    on_each(|device| {
        let size = 45;
        let memory = resident(device, "ranges", size as u64);
        let mut model = vec![0; size];
        let ranges = ranges(size);
        let parts: Vec<Vec<u8>> =
            ranges.iter().enumerate().map(|(seed, (_, length))| pattern(seed, *length)).collect();
        let mut batch = device.batch();
        for ((at, length), part) in ranges.iter().zip(&parts) {
            batch.upload(Upload { to: &memory, offset: *at as u64, bytes: part }).unwrap();
            model[*at..at + length].copy_from_slice(part);
        }
        let regions: Vec<Region<'_>> =
            ranges.iter().map(|(at, length)| region(&memory, *at, *length)).collect();
        let got = batch.run(&regions).unwrap().regions;
        for ((at, length), got) in ranges.iter().zip(got) {
            assert_eq!(&got[..], &model[*at..at + length], "{length} bytes at {at}");
        }
    });
}

/// Uploads that begin or end within words, between runs that change the same words, again and again.
#[test]
fn ranges_within_words_between_runs() {
    on_each(|device| {
        let add = compile(device, &affine(1, 0x0101_0101));
        let memory = resident(device, "words", 12);
        let (one, two) = ([0xaa; 3], [0x55; 5]);
        let mut batch = device.batch();
        batch
            .repeat(5, |batch| {
                batch.upload(Upload { to: &memory, offset: 1, bytes: &one })?;
                batch.dispatch(&add, &[Resource::Resident(&memory)], &DispatchConfig::default())?;
                batch.upload(Upload { to: &memory, offset: 6, bytes: &two })
            })
            .unwrap();
        let got = batch.run(&[memory.whole()]).unwrap().regions;
        let mut model = vec![0u8; 12];
        for _ in 0..5 {
            model[1..4].copy_from_slice(&one);
            let sums: Vec<u32> = words(&model).iter().map(|word| word.wrapping_add(0x0101_0101)).collect();
            model = bytes(&sums);
            model[6..11].copy_from_slice(&two);
        }
        assert_eq!(&got[0][..], model);
    });
}

#[test]
fn recycled_memory_is_zero() {
    on_each(|device| {
        // All of them are of one size to the pool.
        for (round, size) in (980..1000).enumerate() {
            let memory = resident(device, "recycled", size as u64);
            let mut model = vec![0; size];
            match round % 4 {
                // A part first: the rest of it is zero all the same.
                0 => {
                    device.upload(&[Upload { to: &memory, offset: 5, bytes: &[9; 4] }]).unwrap();
                    model[5..9].fill(9);
                }
                1 => {
                    device.upload(&[Upload { to: &memory, offset: 500, bytes: &[9; 300] }]).unwrap();
                    model[500..800].fill(9);
                }
                // A program first.
                2 => {
                    let add = compile(device, &affine(3, 1));
                    let size = size / 4 * 4;
                    let even = resident(device, "even", size as u64);
                    add.dispatch_resources(&[Resource::Resident(&even)], &DispatchConfig::default()).unwrap();
                    assert_eq!(words(&even.download().unwrap()), vec![1; size / 4]);
                }
                _ => {}
            }
            assert_eq!(&memory.download().unwrap()[..], model, "round {round}");
            memory.upload(&vec![0xff; size]).unwrap();
        }
    });
}

/// Outputs that a program leaves partly unwritten, in memory that others have used.
#[test]
fn unwritten_outputs_are_zero() {
    let halves = text(
        "program halves workgroup(64, 1, 1) {
  buffer all: u32[] storage write @group(0) @binding(0)
  %0: u32 = global_id x
  %1: u32 = const 1
  %2: u32 = and %0, %1
  %3: u32 = const 0
  %4: bool = eq %2, %3
  if %4 {
    store all[%0], %0
  } else {
  }
}",
    );
    on_each(|device| {
        let (dirty, halves) = (compile(device, &affine(1, 0xdead)), compile(device, &halves));
        for _ in 0..3 {
            dirty.dispatch(&[&[0xee; 1024]], &DispatchConfig::default()).unwrap();
            let out: Vec<u32> = halves.dispatch(&[], &workgroups(4, 1, 1)).unwrap().get(0).unwrap();
            let model: Vec<u32> = (0..256).map(|i| if i % 2 == 0 { i } else { 0 }).collect();
            assert_eq!(out, model);
        }
    });
}

#[test]
fn more_than_the_device_binds_is_refused() {
    let program = wgsl(
        "@group(0) @binding(0) var<storage, read_write> data: array<u32>;
        @compute @workgroup_size(64) fn first() { data[0] = arrayLength(&data); }",
    );
    on_each(|device| {
        let limit = device.profile().limits.storage_binding_bytes;
        let compiled = compile(device, &program);
        if limit <= 256 << 20 {
            // As much as it takes, and a word more.
            let all = vec![1; limit as usize + 4];
            let out = compiled.dispatch(&[&all[4..]], &workgroups(1, 1, 1)).unwrap();
            assert_eq!(words(&out.buffers[0][..8]), [(limit / 4) as u32, 0x0101_0101]);
            let text = refused(compiled.dispatch(&[&all], &workgroups(1, 1, 1)), "D025");
            assert!(text.contains(&limit.to_string()) && text.contains("`data`"), "{text}");
        }
        let sized = text(
            "program sized workgroup(1, 1, 1) {
  buffer big: u32[] storage write @group(0) @binding(0)
  %0: u32 = global_id x
  store big[%0], %0
}",
        );
        let text = refused(compile(device, &sized).dispatch(&[], &workgroups(65_536, 65_536, 4)), "D025");
        assert!(text.contains(&limit.to_string()) && text.contains("`big`"), "{text}");
    });
}

#[test]
fn more_than_the_largest_buffer_is_refused() {
    on_each(|device| {
        for bytes in [1 << 40, u64::MAX - 20, u64::MAX] {
            let options = vyre_driver::ResidentOptions { name: "huge".into(), bytes, ..Default::default() };
            let text = refused(device.allocate(options), "D006");
            assert!(text.contains(&bytes.to_string()) && text.contains("`huge`"), "{text}");
            assert!(text.contains("are available"), "{text}");
        }
        // Nothing is wrong with the device after that.
        assert_eq!(&resident(device, "small", 4).download().unwrap()[..], [0; 4]);
    });
}

/// Sums of uniform buffers, and what is read behind their ends.
#[test]
fn uniform_buffers_of_every_size() {
    on_each(|device| {
        for count in [1u32, 2, 3, 5, 7, 4095, 4096, 4097, 5001, 16_384] {
            let program = text(&format!(
                "program sums workgroup(1, 1, 1) {{
  buffer table: u32[{count}] uniform read @group(0) @binding(0)
  buffer out: u32[3] storage read_write @group(0) @binding(1)
  %0: u32 = const 0
  %1: u32 = const 1
  %2: u32 = const {count}
  %3: u32, %4: u32 = loop (%5: u32 = %0, %6: u32 = %0) {{
    %7: u32 = load table[%5]
    %8: u32 = add %6, %7
    %9: u32 = add %5, %1
    %10: bool = lt %9, %2
    yield %10, %9, %8
  }}
  store out[%0], %4
  %11: u32 = load table[%2]
  store out[%1], %11
  %12: u32 = length table
  %13: u32 = const 2
  store out[%13], %12
}}"
            ));
            let table: Vec<u32> = (0..count).map(|i| i.wrapping_mul(2_654_435_761)).collect();
            let sum = table.iter().fold(0u32, |sum, n| sum.wrapping_add(*n));
            let inputs = [bytes(&table), bytes(&[7, 7, 7])];
            let out = compile(device, &program).dispatch_owned(&inputs, &workgroups(1, 1, 1)).unwrap();
            assert_eq!(out.get::<u32>(0).unwrap(), [sum, 0, count], "{count} words");
        }
    });
}

/// Runtime-sized buffers of 1- and 2-byte elements: neither size nor length is a multiple of a word.
#[test]
fn narrow_elements_of_odd_count() {
    on_each(|device| {
        for (scalar, size) in [("u8", 1), ("u16", 2)] {
            let program = text(&format!(
                "program more workgroup(32, 1, 1) {{
  buffer data: {scalar}[] storage read_write @group(0) @binding(0)
  buffer length: u32[1] storage read_write @group(0) @binding(1)
  %0: u32 = global_id x
  %1: {scalar} = load data[%0]
  %2: {scalar} = const 3
  %3: {scalar} = mul %1, %2
  %4: {scalar} = const 1
  %5: {scalar} = add %3, %4
  store data[%0], %5
  %6: u32 = length data
  %7: u32 = const 0
  store length[%7], %6
}}"
            ));
            let compiled = match device.compile(&program, &DispatchConfig::default()) {
                Ok(compiled) => compiled,
                Err(error) => {
                    let has = error.to_string();
                    assert!(error.code().name() == "E010" && has.contains(scalar), "{has}");
                    println!("{has}");
                    continue;
                }
            };
            for count in [1usize, 2, 3, 5, 7, 9, 31, 33, 63, 65] {
                let data = pattern(count, count * size);
                let grid = workgroups(3, 1, 1);
                let out = compiled.dispatch(&[&data, &[0; 4]], &grid).unwrap();
                let model: Vec<u8> = match size {
                    1 => data.iter().map(|n| n.wrapping_mul(3).wrapping_add(1)).collect(),
                    _ => (data.as_chunks().0.iter())
                        .flat_map(|n| u16::from_le_bytes(*n).wrapping_mul(3).wrapping_add(1).to_le_bytes())
                        .collect(),
                };
                assert_eq!(&out.buffers[0][..], model, "{count} of {scalar}");
                assert_eq!(words(&out.buffers[1]), [count as u32], "{count} of {scalar}");
            }
        }
    });
}
