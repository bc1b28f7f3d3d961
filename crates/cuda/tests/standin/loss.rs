//! Devices that are lost: what is told, what is restored, and that nothing of the old one is used.

use crate::{affine, bytes, compile, device, journaled, metric, on, refused, resident, words, workgroups};
use vyre_driver::{Device, DispatchConfig, ResidentOptions, Resource};
use vyre_libcuda::{Configuration, FaultPlan};

/// The next launch loses the device.
fn lose(code: i32) -> FaultPlan {
    FaultPlan { lose: Some((0, code)), ..FaultPlan::default() }
}

#[test]
fn every_call_after_a_loss_says_so_and_recovery_restores() {
    for (code, name) in [
        (700, "CUDA_ERROR_ILLEGAL_ADDRESS"),
        (702, "CUDA_ERROR_LAUNCH_TIMEOUT"),
        (716, "CUDA_ERROR_MISALIGNED_ADDRESS"),
        (719, "CUDA_ERROR_LAUNCH_FAILED"),
    ] {
        on(Configuration::default(), |control| {
            let device = device("cuda");
            let config = DispatchConfig::default();
            let add = compile(&device, &affine(1, 5));
            let (kept, counts) = (journaled(&device, "kept", 7), journaled(&device, "counts", 8));
            let gone = resident(&device, "gone", 8);
            kept.upload(&[1, 2, 3, 4, 5, 6, 7]).unwrap();
            add.dispatch_resources(&[Resource::Resident(&counts)], &config).unwrap();
            control.plan(lose(code));
            let text = refused(add.dispatch(&[&[0; 8]], &config), "D012");
            assert!(text.contains(name) && text.contains("try_recover"), "{text}");
            control.plan(FaultPlan::default());
            refused(add.dispatch_resources(&[Resource::Resident(&counts)], &config), "D012");
            refused(kept.download(), "D012");
            refused(gone.upload(&[0; 8]), "D012");
            refused(device.compile(&affine(2, 2), &config), "D012");
            refused(device.allocate(ResidentOptions { bytes: 4, ..Default::default() }), "D012");
            refused(add.dispatch_async(vec![vec![0; 8]], &config).wait(), "D012");
            assert!(device.device_lost().unwrap().contains(name));

            let recovery = device.try_recover().unwrap();
            let mut restored = recovery.restored.clone();
            restored.sort();
            assert_eq!((restored, recovery.compiled), (vec!["counts".to_string(), "kept".into()], 1));
            assert_eq!(recovery.lost, ["gone"]);
            assert_eq!(&kept.download().unwrap()[..], [1, 2, 3, 4, 5, 6, 7]);
            assert_eq!(words(&counts.download().unwrap()), [5, 5]);
            refused(gone.download(), "D013");
            gone.upload(&bytes(&[1, 2])).unwrap();
            add.dispatch_resources(&[Resource::Resident(&gone)], &config).unwrap();
            assert_eq!(words(&gone.download().unwrap()), [6, 7]);
            assert_eq!(words(&add.dispatch(&[&bytes(&[10])], &config).unwrap().buffers[0]), [15]);
        });
    }
}

#[test]
fn lost_and_recovered_again_and_again() {
    on(Configuration::default(), |control| {
        let device = device("cuda");
        let add = compile(&device, &affine(1, 1));
        let sum = journaled(&device, "sum", 64);
        let run = || add.dispatch_resources(&[Resource::Resident(&sum)], &DispatchConfig::default());
        for round in 0..5 {
            run().unwrap();
            control.plan(lose(719));
            refused(run(), "D012");
            control.plan(FaultPlan::default());
            device.try_recover().unwrap();
            assert_eq!(words(&sum.download().unwrap()), [round + 1; 16]);
        }
    });
}

#[test]
fn a_device_that_does_not_come_back() {
    on(Configuration::default(), |control| {
        let device = device("cuda");
        let add = compile(&device, &affine(1, 1));
        control.plan(FaultPlan { refused_retains: 2, ..lose(719) });
        refused(add.dispatch(&[&[0; 4]], &DispatchConfig::default()), "D012");
        for _ in 0..2 {
            let text = refused(device.try_recover(), "D002");
            assert!(text.contains("cannot be opened") && text.contains("CUDA_ERROR_"), "{text}");
            refused(add.dispatch(&[&[0; 4]], &DispatchConfig::default()), "D012");
        }
        device.try_recover().unwrap();
        let out = add.dispatch(&[&bytes(&[4])], &DispatchConfig::default()).unwrap();
        assert_eq!(words(&out.buffers[0]), [5]);
    });
}

/// Everybody in the process who uses a device loses it together, and each recovers by itself.
#[test]
fn two_who_share_a_device_lose_it_together() {
    on(Configuration { devices: 2, ..Default::default() }, |control| {
        let all = ["cuda", "cuda", "cuda:1"].map(device);
        let programs = all.each_ref().map(|device| compile(device, &affine(1, 1)));
        let run = |at: usize| programs[at].dispatch(&[&bytes(&[1])], &workgroups(1, 1, 1));
        control.plan(lose(700));
        refused(run(0), "D012");
        control.plan(FaultPlan::default());
        refused(run(1), "D012");
        assert_eq!(words(&run(2).unwrap().buffers[0]), [2], "another device has nothing to do with it");
        all[0].try_recover().unwrap();
        assert_eq!(words(&run(0).unwrap().buffers[0]), [2]);
        refused(run(1), "D012");
        all[1].try_recover().unwrap();
        assert_eq!(words(&run(1).unwrap().buffers[0]), [2]);
        assert_eq!(words(&run(0).unwrap().buffers[0]), [2], "the first one was left alone");
    });
}

/// Opening a device that somebody else has lost opens it anew.
#[test]
fn opened_after_another_one_was_lost() {
    on(Configuration::default(), |control| {
        let lost = device("cuda");
        let add = compile(&lost, &affine(1, 1));
        control.plan(lose(719));
        refused(add.dispatch(&[&[0; 4]], &DispatchConfig::default()), "D012");
        control.plan(FaultPlan::default());
        let fresh = device("cuda");
        let out =
            compile(&fresh, &affine(1, 2)).dispatch(&[&bytes(&[1])], &DispatchConfig::default()).unwrap();
        assert_eq!(words(&out.buffers[0]), [3]);
        drop(lost);
        drop(add);
        let out =
            compile(&fresh, &affine(1, 3)).dispatch(&[&bytes(&[1])], &DispatchConfig::default()).unwrap();
        assert_eq!(words(&out.buffers[0]), [4]);
    });
}

#[test]
fn all_is_dropped_after_a_loss_in_any_order() {
    for order in 0..6 {
        on(Configuration::default(), |control| {
            let device = device("cuda");
            let add = compile(&device, &affine(1, 1));
            let memory = resident(&device, "memory", 100);
            control.plan(lose(719));
            refused(
                add.dispatch_resources(&[Resource::Resident(&memory)], &DispatchConfig::default()),
                "D012",
            );
            let (mut device, mut add, mut memory) = (Some(device), Some(add), Some(memory));
            for step in [order % 3, (order + 1 + order / 3) % 3, (order + 2 - order / 3) % 3] {
                match step {
                    0 => drop(device.take()),
                    1 => drop(add.take()),
                    _ => drop(memory.take()),
                }
            }
        });
    }
}

/// A call of the driver that fails once, whichever: it is an error, nothing panics, and the device works afterwards, or
/// again when it was lost.
#[test]
fn any_call_may_fail() {
    let functions = [
        "cuMemAllocFromPoolAsync",
        "cuMemsetD8Async",
        "cuMemcpyHtoDAsync_v2",
        "cuMemcpyDtoHAsync_v2",
        "cuStreamQuery",
        "cuStreamCreate",
        "cuEventCreate",
        "cuEventRecord",
        "cuEventElapsedTime",
        "cuStreamWaitEvent",
        "cuLaunchKernel",
        "cuLaunchCooperativeKernel",
        "cuGraphCreate",
        "cuGraphAddKernelNode_v2",
        "cuGraphInstantiateWithFlags",
        "cuGraphLaunch",
        "cuMemHostAlloc",
        "cuCtxGetCurrent",
    ];
    let mut failed = 0;
    for (function, code) in
        functions.into_iter().flat_map(|function| [1, 2, 719, 999].map(|code| (function, code)))
    {
        on(Configuration::default(), |control| {
            let device = device("cuda");
            let (add, sums) = (compile(&device, &affine(1, 1)), compile(&device, &crate::sums()));
            let work = |device: &Device| {
                let config = DispatchConfig { iterations: 600, timed: true, ..workgroups(1, 1, 1) };
                let out = add.dispatch(&[&bytes(&[1])], &config)?;
                assert_eq!(words(&out.buffers[0]), [601]);
                let out = sums.dispatch(&[&bytes(&[3; 9]), &[0; 4]], &DispatchConfig::default())?;
                assert_eq!(words(&out.buffers[1]), [27]);
                let _ = metric(device, "cuda streams");
                Ok(())
            };
            let failure = vyre_libcuda::Failure { function: function.into(), call: 0, code };
            control.plan(FaultPlan { failures: vec![failure], ..Default::default() });
            let result: Result<(), vyre_driver::BackendError> = work(&device);
            control.plan(FaultPlan::default());
            if let Err(error) = result {
                failed += 1;
                let expected = if code < 700 { ["D006", "D099"] } else { ["D012"; 2] };
                assert!(expected.contains(&error.code().name()), "{function} gave {code}: {error}");
            }
            if device.device_lost().is_some() {
                device.try_recover().unwrap();
            }
            work(&device).unwrap_or_else(|error| panic!("after {function} gave {code}: {error}"));
        });
    }
    assert!(failed > 30, "only {failed} calls failed");
}
