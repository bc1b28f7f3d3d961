//! Devices that are lost: before, between and during calls; what is told, what is restored, and that all ends.

use crate::{
    affine, breakable, bytes, compile, in_a_process, long, on_each, refused, resident, text, words,
    workgroups,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use vyre_conformance::devices::devices;
use vyre_driver::{BackendError, DispatchConfig, ResidentOptions, Resource, VyreBackend};

#[test]
fn every_call_after_a_loss_says_so_and_recovery_restores() {
    for name in devices("wgpu") {
        let (device, destroy) = breakable(&name);
        let config = DispatchConfig::default();
        let add = compile(&device, &affine(1, 5));
        let kept = device
            .allocate(ResidentOptions {
                name: "kept".into(),
                bytes: 7,
                journaled: true,
                ..Default::default()
            })
            .unwrap();
        let counts = device
            .allocate(ResidentOptions {
                name: "counts".into(),
                bytes: 8,
                journaled: true,
                ..Default::default()
            })
            .unwrap();
        let gone = resident(&device, "gone", 8);
        kept.upload(&[1, 2, 3, 4, 5, 6, 7]).unwrap();
        add.dispatch_resources(&[Resource::Resident(&counts)], &config).unwrap();
        destroy();
        let text = refused(add.dispatch(&[&[0; 8]], &config), "D012");
        assert!(text.contains("it was destroyed") && text.contains("try_recover"), "{text}");
        refused(add.dispatch_resources(&[Resource::Resident(&counts)], &config), "D012");
        refused(kept.download(), "D012");
        refused(gone.upload(&[0; 8]), "D012");
        refused(device.compile(&affine(2, 2), &config), "D012");
        refused(device.allocate(ResidentOptions { bytes: 4, ..Default::default() }), "D012");
        refused(add.dispatch_async(vec![vec![0; 8]], &config).wait(), "D012");
        assert_eq!(device.device_lost().as_deref(), Some("it was destroyed"));

        let recovery = device.try_recover().unwrap();
        let mut restored = recovery.restored.clone();
        restored.sort();
        assert_eq!(
            (restored, recovery.lost, recovery.compiled),
            (vec!["counts".to_string(), "kept".into()], vec!["gone".to_string()], 1)
        );
        assert_eq!(&kept.download().unwrap()[..], [1, 2, 3, 4, 5, 6, 7]);
        assert_eq!(words(&counts.download().unwrap()), [5, 5]);
        let text = refused(gone.download(), "D013");
        assert!(text.contains("`gone`"), "{text}");
        gone.upload(&bytes(&[1, 2])).unwrap();
        add.dispatch_resources(&[Resource::Resident(&gone)], &config).unwrap();
        assert_eq!(words(&gone.download().unwrap()), [6, 7]);
        let out = add.dispatch(&[&bytes(&[10])], &config).unwrap();
        assert_eq!(words(&out.buffers[0]), [15]);
        // What lost the old device has nothing to do with the new one.
        destroy();
        assert_eq!(words(&counts.download().unwrap()), [5, 5]);
    }
}

/// Lost at every call in turn, without a call before that could notice.
#[test]
fn the_first_call_after_a_loss_says_so() {
    for name in devices("wgpu") {
        type Call<'c> = (&'c str, &'c dyn Fn(&vyre_driver::Device) -> Result<(), BackendError>);
        let calls: [Call<'_>; 3] = [
            ("compile", &|device| device.compile(&affine(2, 2), &DispatchConfig::default()).map(drop)),
            ("allocate", &|device| {
                device.allocate(ResidentOptions { bytes: 4, ..Default::default() }).map(drop)
            }),
            ("nothing", &|_| Err(BackendError::DeviceLost { backend: "wgpu", reason: String::new() })),
        ];
        for (what, call) in calls {
            println!("{what}");
            let (device, destroy) = breakable(&name);
            destroy();
            refused(call(&device), "D012");
        }
        // A launch without copies, on memory that was used before.
        let (device, destroy) = breakable(&name);
        let add = compile(&device, &affine(1, 1));
        let memory = resident(&device, "memory", 64);
        let run = || add.dispatch_resources(&[Resource::Resident(&memory)], &DispatchConfig::default());
        run().unwrap();
        destroy();
        refused(run(), "D012");
    }
}

/// Lost by another thread at some time while runs follow each other: a call either does all that it says, or says that
/// the device is lost.
#[test]
fn lost_while_runs_follow_each_other() {
    for name in devices("wgpu") {
        for round in 0..8 {
            let (device, destroy) = breakable(&name);
            let add = compile(&device, &affine(1, 1));
            let options =
                ResidentOptions { name: "sum".into(), bytes: 4096, journaled: true, ..Default::default() };
            let sum = device.allocate(options).unwrap();
            let begun = Arc::new(AtomicBool::new(false));
            let told = begun.clone();
            let breaker = std::thread::spawn(move || {
                while !told.load(Ordering::Acquire) {
                    std::hint::spin_loop();
                }
                (0..round * 4000).for_each(|_| std::hint::spin_loop());
                destroy();
            });
            let mut done = 0;
            let error = loop {
                match add.dispatch_resources(&[Resource::Resident(&sum)], &DispatchConfig::default()) {
                    Ok(_) => done += 1,
                    Err(error) => break error,
                }
                begun.store(true, Ordering::Release);
            };
            breaker.join().unwrap();
            assert_eq!(error.code().name(), "D012", "{error}");
            device.try_recover().unwrap();
            assert_eq!(words(&sum.download().unwrap()), vec![done; 1024], "round {round}");
        }
    }
}

/// The same adapter is opened every time.
#[test]
fn recovered_again_and_again() {
    for name in devices("wgpu") {
        let backend = crate::backend(&name, Default::default());
        let mut backend: Box<dyn VyreBackend> = Box::new(backend);
        let (about, profile) = (backend.code_version(), backend.profile().clone());
        for _ in 0..3 {
            backend = backend.reopen().unwrap();
            assert_eq!((backend.code_version(), backend.profile()), (about.clone(), &profile));
        }
    }
}

#[test]
fn all_is_dropped_after_a_loss_in_any_order() {
    for name in devices("wgpu") {
        for order in 0..6 {
            let (device, destroy) = breakable(&name);
            let add = compile(&device, &affine(1, 1));
            let memory = resident(&device, "memory", 100);
            add.dispatch_resources(&[Resource::Resident(&memory)], &DispatchConfig::default()).unwrap();
            destroy();
            let (mut device, mut add, mut memory) = (Some(device), Some(add), Some(memory));
            for step in [order % 3, (order + 1 + order / 3) % 3, (order + 2 - order / 3) % 3] {
                match step {
                    0 => drop(device.take()),
                    1 => drop(add.take()),
                    _ => drop(memory.take()),
                }
            }
        }
    }
}

#[test]
fn lost_during_a_long_run() {
    in_a_process("loss::during_a_long_run", &[]);
}

#[test]
#[ignore = "runs in a process of its own, which ends while the device is at work"]
fn during_a_long_run() {
    for name in devices("wgpu") {
        let (device, destroy) = breakable(&name);
        let program = compile(&device, &long());
        let options =
            ResidentOptions { name: "data".into(), bytes: 4000, journaled: true, ..Default::default() };
        let data = device.allocate(options).unwrap();
        data.upload(&bytes(&(0..1000).collect::<Vec<u32>>())).unwrap();
        let run = program.dispatch_async(vec![vec![1; 4000]], &workgroups(100_000, 1, 1));
        // It is under way when another submission has to stand behind it, at the latest.
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| {
                program.dispatch_resources(&[Resource::Resident(&data)], &workgroups(100_000, 1, 1)).map(drop)
            });
            destroy();
            refused(waiting.join().unwrap(), "D012");
        });
        refused(run.wait(), "D012");
        device.try_recover().unwrap();
        assert_eq!(words(&data.download().unwrap()), (0..1000).collect::<Vec<u32>>());
        drop((device, program, data));
    }
}

#[test]
fn a_refusal_is_no_loss() {
    on_each(|device| {
        let wide = text("program wide workgroup(1, 1, 65535) {\n}");
        refused(device.compile(&wide, &DispatchConfig::default()), "D020");
        assert_eq!(device.device_lost(), None);
        assert_eq!(device.try_recover().unwrap(), Default::default());
    });
}
