//! Runs that take longer than they may.

use crate::{
    affine, bytes, compile, device, journaled, metric, on, on_device, refused, resident, words, workgroups,
};
use std::time::Duration;
use vyre_driver::{Device, DispatchConfig, ResidentOptions, Resource};
use vyre_libcuda::{Configuration, FaultPlan};

/// The next launch does not end before it is let go.
fn hold() -> FaultPlan {
    FaultPlan { hold: Some(0), ..FaultPlan::default() }
}

fn limited() -> DispatchConfig {
    DispatchConfig { timeout: Some(Duration::from_millis(30)), ..DispatchConfig::default() }
}

#[test]
fn a_run_that_does_not_end_is_left() {
    on(Configuration::default(), |control| {
        let device = device("cuda");
        let (add, other) = (compile(&device, &affine(1, 1)), compile(&device, &affine(2, 1)));
        let (kept, gone) = (journaled(&device, "kept", 8), resident(&device, "gone", 8));
        kept.upload(&bytes(&[3, 4])).unwrap();
        control.plan(hold());
        let text = refused(add.dispatch(&[&[0; 8]], &limited()), "D008");
        assert!(text.contains("0.03 s") && text.contains("may still be at work"), "{text}");
        let text = refused(other.dispatch(&[&[0; 4]], &DispatchConfig::default()), "D012");
        assert!(text.contains("still under way"), "{text}");
        // What the run works on is there until it ends, whoever gives it up.
        drop((add, gone));
        let text = refused(device.try_recover(), "D002");
        assert!(text.contains("still under way") && text.contains("cannot stop it"), "{text}");
        let text = refused(Device::open("cuda"), "D002");
        assert!(text.contains("still under way"), "{text}");
        control.release();
        recover(&device);
        assert_eq!(words(&kept.download().unwrap()), [3, 4]);
        assert_eq!(
            words(&other.dispatch(&[&bytes(&[5])], &DispatchConfig::default()).unwrap().buffers[0]),
            [11]
        );
        assert_eq!(metric(&device, "cuda blocks"), 1);
    });
}

/// As soon as the run has ended.
fn recover(device: &Device) {
    while let Err(error) = device.try_recover() {
        assert!(error.to_string().contains("still under way"), "{error}");
        std::thread::yield_now();
    }
}

/// A device on which a run has ended that was left is as good as before, also without recovery.
#[test]
fn a_run_that_ends_after_all() {
    on(Configuration::default(), |control| {
        let device = device("cuda");
        let add = compile(&device, &affine(1, 1));
        let memory = resident(&device, "memory", 8);
        control.plan(hold());
        refused(add.dispatch(&[&[0; 8]], &limited()), "D008");
        control.release();
        let run = || add.dispatch_resources(&[Resource::Resident(&memory)], &DispatchConfig::default());
        if let Err(error) = run() {
            assert_eq!(error.code().name(), "D012");
            recover(&device);
            memory.upload(&[0; 8]).unwrap();
            run().unwrap();
        }
        assert_eq!(words(&memory.download().unwrap()), [1, 1]);
    });
}

/// Between launches it is noticed that the time is up; what is under way ends, and the device is kept.
#[test]
fn many_short_runs_are_stopped() {
    on_device(|device, _| {
        let config = DispatchConfig { iterations: u32::MAX, ..limited() };
        let text = refused(compile(device, &affine(1, 1)).dispatch(&[&[0; 4]], &config), "D008");
        assert!(text.contains("0.03 s"), "{text}");
        let again = || {
            let add = device.compile(&affine(1, 2), &DispatchConfig::default())?;
            add.dispatch(&[&bytes(&[1])], &workgroups(1, 1, 1))
        };
        let out = again().or_else(|_| {
            recover(device);
            again()
        });
        assert_eq!(words(&out.unwrap().buffers[0]), [3]);
    });
}

#[test]
fn endless_repetitions_are_stopped() {
    on_device(|device, _| {
        let add = compile(device, &affine(1, 1));
        let options = ResidentOptions { name: "memory".into(), bytes: 8, ..Default::default() };
        let memory = device.allocate(options).unwrap();
        let mut batch = device.batch();
        batch
            .repeat(u32::MAX, |batch| {
                batch.repeat(u32::MAX, |batch| {
                    batch.upload(vyre_driver::Upload { to: &memory, offset: 0, bytes: &[1; 8] })?;
                    batch.dispatch(&add, &[Resource::Resident(&memory)], &limited())
                })
            })
            .unwrap();
        refused(batch.run(&[]), "D008");
        if device.compile(&affine(1, 2), &DispatchConfig::default()).is_err() {
            recover(device);
        }
    });
}
