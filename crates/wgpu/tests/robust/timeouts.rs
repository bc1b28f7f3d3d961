//! Runs that take longer than they may.

use crate::{
    affine, breakable, bytes, compile, in_a_process, long, on_each, refused, resident, text, words,
    workgroups,
};
use std::time::{Duration, Instant};
use vyre_conformance::devices::devices;
use vyre_driver::{BackendError, Device, DispatchConfig, ResidentOptions, Resource};

#[test]
fn a_run_that_does_not_end_is_left() {
    in_a_process("timeouts::left", &[]);
}

#[test]
#[ignore = "runs in a process of its own, which ends while the device is at work"]
fn left() {
    for name in devices("wgpu") {
        let (device, _) = breakable(&name);
        let (program, add) = (compile(&device, &long()), compile(&device, &affine(1, 1)));
        let other = resident(&device, "other", 40);
        let options =
            ResidentOptions { name: "kept".into(), bytes: 8, journaled: true, ..Default::default() };
        let kept = device.allocate(options).unwrap();
        kept.upload(&bytes(&[3, 4])).unwrap();
        let limit = Some(Duration::from_millis(300));
        let start = Instant::now();
        let config = DispatchConfig { timeout: limit, ..workgroups(4_000_000, 1, 1) };
        // All of them give up, the one that runs and those that wait for it.
        let run = || program.dispatch(&[&[1; 4000]], &config).map(drop).unwrap_err();
        let errors = std::thread::scope(|scope| {
            let all = [scope.spawn(run), scope.spawn(run), scope.spawn(run)];
            all.map(|thread| thread.join().unwrap())
        });
        // It would take many minutes; this is no measurement.
        assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
        let texts = errors.each_ref().map(BackendError::to_string);
        assert!(errors.iter().all(|e| ["D008", "D012"].contains(&e.code().name())), "{texts:?}");
        // The one that ran, unless another one met the device before and told of the loss.
        let told = |text: &String| {
            text.contains("0.3 s") && text.contains("may still be at work")
                || text.contains("still under way")
        };
        assert!(texts.iter().any(told), "{texts:?}");
        let text =
            refused(add.dispatch_resources(&[Resource::Resident(&other)], &workgroups(1, 1, 1)), "D012");
        assert!(text.contains("still under way"), "{text}");
        device.try_recover().unwrap();
        assert_eq!(words(&kept.download().unwrap()), [3, 4]);
        // Devices of SwiftShader share the threads that compute, all of which are busy.
        if !device.profile().name.contains("SwiftShader") {
            other.upload(&[0; 40]).unwrap();
            add.dispatch_resources(&[Resource::Resident(&other)], &workgroups(1, 1, 1)).unwrap();
            assert_eq!(words(&other.download().unwrap()), [1; 10]);
        }
        drop((device, program, add, kept, other));
    }
}

/// Between two submissions, too, it is noticed that the time is up.
#[test]
fn many_short_runs_are_stopped() {
    on_each(|device| {
        let limit = Some(Duration::from_millis(300));
        let (add, nothing) = (affine(1, 1), text("program nothing workgroup(1, 1, 1) {\n}"));
        let iterations = DispatchConfig { timeout: limit, iterations: u32::MAX, ..workgroups(1, 1, 1) };
        // The parts of a large grid run one after the other.
        let grid = DispatchConfig { timeout: limit, ..workgroups(u32::MAX, u32::MAX, u32::MAX) };
        for (program, config, inputs) in [(add, iterations, &[&[0; 4][..]][..]), (nothing, grid, &[])] {
            let text = refused(compile(device, &program).dispatch(inputs, &config), "D008");
            assert!(text.contains("0.3 s"), "{text}");
            // Some of it may be at work still; then what comes next may find the device lost.
            if compile_again(device).is_err() {
                device.try_recover().unwrap();
            }
        }
    });
}

fn compile_again(device: &Device) -> Result<(), BackendError> {
    device
        .compile(&affine(1, 2), &DispatchConfig::default())?
        .dispatch(&[&[0; 4]], &workgroups(1, 1, 1))
        .map(drop)
}

/// A repetition of a repetition of uploads has more bytes than there are numbers for.
#[test]
fn endless_repetitions_are_stopped() {
    on_each(|device| {
        let add = compile(device, &affine(1, 1));
        let memory = resident(device, "memory", 8);
        let limit = Some(Duration::from_millis(200));
        let config = DispatchConfig { timeout: limit, ..workgroups(1, 1, 1) };
        let mut batch = device.batch();
        batch
            .repeat(u32::MAX, |batch| {
                batch.repeat(u32::MAX, |batch| {
                    batch.upload(vyre_driver::Upload { to: &memory, offset: 0, bytes: &[1; 8] })?;
                    batch.dispatch(&add, &[Resource::Resident(&memory)], &config)
                })
            })
            .unwrap();
        refused(batch.run(&[]), "D008");
    });
}
