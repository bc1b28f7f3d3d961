//! What is alive does not grow, however much is done.

use crate::{affine, bytes, compile, on_each, resident, words};
use vyre_driver::{CacheConfig, Device, DispatchConfig, Resource};

/// What the device has, by name; not what it has done.
fn alive(device: &Device) -> Vec<(&'static str, u64)> {
    let all = device.metrics().into_iter();
    all.filter(|(name, _)| name.starts_with("wgpu ") || name.starts_with("resident")).collect()
}

#[test]
fn ten_thousand_dispatches_leave_nothing() {
    on_each(|device| {
        let (add, config) = (compile(device, &affine(1, 1)), DispatchConfig::default());
        let memory = resident(device, "sum", 64);
        let data = bytes(&(0..100).collect::<Vec<u32>>());
        let round = |times: u32| {
            for n in 0..times {
                add.dispatch_resources(&[Resource::Resident(&memory)], &config).unwrap();
                // Of several sizes.
                let data = &data[..4 * (1 + n as usize % 90)];
                let out = add.dispatch(&[data], &config).unwrap();
                assert_eq!(out.buffers[0][0], 1);
            }
        };
        round(200);
        let before = alive(device);
        round(5000);
        assert_eq!(alive(device), before);
        assert_eq!(words(&memory.download().unwrap()), [5200; 16]);
    });
}

#[test]
fn compiled_programs_leave_nothing() {
    on_each(|device| {
        // Else it is the cache that keeps them.
        device.set_cache(CacheConfig { memory_bytes: 0, disk: None });
        let round = |times: std::ops::Range<u32>| {
            for n in times {
                let add = compile(device, &affine(3, n));
                let out = add.dispatch(&[&bytes(&[n])], &DispatchConfig::default()).unwrap();
                assert_eq!(words(&out.buffers[0]), [4 * n]);
            }
        };
        round(0..5);
        let before = alive(device);
        round(5..205);
        assert_eq!(alive(device), before);
    });
}

/// Buffers that are freed are used again, or given up when there are too many.
#[test]
fn freed_memory_is_bounded() {
    on_each(|device| {
        let bytes_alive = || alive(device).iter().find(|(name, _)| *name == "wgpu buffer bytes").unwrap().1;
        for n in 1..100u64 {
            let memory = resident(device, "once", n * 120_000);
            memory.upload(&vec![n as u8; n as usize * 120_000]).unwrap();
            drop(memory);
            // Kept for reuse at most: buffers, and those for copies each way; and what is about to be given up.
            assert!(bytes_alive() < 4 * (256 << 20), "{} bytes are alive after {n} buffers", bytes_alive());
        }
        let buffers = alive(device).iter().find(|(name, _)| *name == "wgpu buffers").unwrap().1;
        assert!(buffers < 128, "{buffers} buffers are alive");
    });
}
