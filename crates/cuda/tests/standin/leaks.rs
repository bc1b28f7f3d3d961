//! What is alive does not grow, however much is done. (That nothing is left at the end is looked at after every test.)

use crate::{affine, bytes, compile, metric, on, on_device, resident, sums, words, workgroups};
use vyre_driver::{CacheConfig, Device, DispatchConfig, Resource};
use vyre_libcuda::{Configuration, Control};

/// What there is, by name: in the driver, and as the device counts it.
fn alive(device: &Device, control: &Control) -> Vec<(String, u64)> {
    let mut all = control.report().live;
    // Of what was given back last, some is given back only when the driver works again.
    all.retain(|(name, _)| name != "bytes");
    let own = device.metrics().into_iter().map(|(name, count)| (name.to_string(), count));
    all.extend(own.filter(|(name, _)| {
        let things = ["blocks", "block bytes", "pinned bytes", "streams", "modules", "graphs"];
        name.strip_prefix("cuda ").is_some_and(|name| things.contains(&name)) || name.starts_with("resident")
    }));
    all
}

#[test]
fn a_thousand_dispatches_leave_nothing() {
    on_device(|device, control| {
        let (add, sums) = (compile(device, &affine(1, 1)), compile(device, &sums()));
        let memory = resident(device, "sum", 64);
        let round = |times: usize| {
            for n in 0..times {
                add.dispatch_resources(&[Resource::Resident(&memory)], &DispatchConfig::default()).unwrap();
                // Of several sizes.
                let data = bytes(&vec![2; 1 + n % 90]);
                let out = add.dispatch(&[&data], &DispatchConfig::default()).unwrap();
                assert_eq!(words(&out.buffers[0]), vec![3; 1 + n % 90]);
                if n % 50 == 0 {
                    let out = sums.dispatch(&[&data, &[0; 4]], &DispatchConfig::default()).unwrap();
                    assert_eq!(words(&out.buffers[1]), [2 * (1 + n as u32 % 90)]);
                    let config = DispatchConfig { iterations: 300, timed: true, ..workgroups(1, 1, 1) };
                    add.dispatch(&[&data[..4]], &config).unwrap();
                }
            }
        };
        round(200);
        let before = alive(device, control);
        round(1000);
        assert_eq!(alive(device, control), before);
    });
}

#[test]
fn compiled_programs_leave_nothing() {
    on_device(|device, control| {
        // Else it is the cache that keeps them.
        device.set_cache(CacheConfig { memory_bytes: 0, disk: None });
        let round = |times: std::ops::Range<u32>| {
            for n in times {
                let add = compile(device, &affine(3, n));
                let config = DispatchConfig { iterations: 5, ..Default::default() };
                for _ in 0..3 {
                    let out = add.dispatch(&[&bytes(&[n])], &config).unwrap();
                    assert_eq!(words(&out.buffers[0]), [(0..5).fold(n, |m, _| m * 3 + n)]);
                }
            }
        };
        round(0..5);
        let before = alive(device, control);
        round(5..105);
        assert_eq!(alive(device, control), before);
        assert_eq!(metric(device, "cuda modules"), 0);
    });
}

/// Of very many programs some are unloaded, and loaded again when they run.
#[test]
fn loaded_programs_are_bounded() {
    on(Configuration { uninitialized: false, ..Default::default() }, |_| {
        let device = crate::device("cuda");
        let programs: Vec<_> = (0..530).map(|n| compile(&device, &affine(1, n))).collect();
        assert_eq!(metric(&device, "cuda compilations"), 530);
        for (n, program) in (0..).zip(&programs) {
            let out = program.dispatch(&[&bytes(&[5])], &DispatchConfig::default()).unwrap();
            assert_eq!(words(&out.buffers[0]), [5 + n]);
            assert!(metric(&device, "cuda modules") <= 512);
        }
        assert_eq!(metric(&device, "cuda compilations"), 530);
        assert!(metric(&device, "cuda loads") >= 18);
    });
}
