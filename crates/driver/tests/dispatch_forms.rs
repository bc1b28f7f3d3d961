//! Every form in which a program can be run, on a device with memory of its own, on one that works in the host's memory,
//! and on the interpreter: the same bytes, and as few submissions as promised.

mod null;

use null::*;
use std::sync::Arc;
use std::time::Duration;
use vyre_driver::*;
use vyre_null::{Fault, FaultPlan, Latch, NullOptions};
use vyre_reference as _;

fn staged() -> Device {
    null(NullOptions::default(), FaultPlan::default()).0
}

fn devices() -> [Device; 3] {
    let host = NullOptions { host_memory: true, ..NullOptions::default() };
    [staged(), null(host, FaultPlan::default()).0, Device::open("cpu-ref").unwrap()]
}

fn plain() -> DispatchConfig {
    DispatchConfig::default()
}

fn code(error: Option<BackendError>) -> &'static str {
    error.expect("the call is refused").code().name()
}

#[test]
fn every_form_gives_the_bytes_of_the_model() {
    for device in devices() {
        let compiled = device.compile(&step(), &plain()).unwrap();
        let add = some(2);
        let (mut kept, mut seed) = ([0; 8], 0);
        let mut reused = Outputs::default();
        // Each form gives `data` and `out` after the run; `kept` goes on from form to form.
        type Form<'f> = &'f mut dyn FnMut(&[u32], &[u32]) -> (Vec<u32>, Vec<u32>);
        let both = |outputs: Outputs| (outputs.get::<u32>(0).unwrap(), outputs.get::<u32>(1).unwrap());
        let forms: [(&str, Form<'_>); 9] = [
            ("borrowed", &mut |data, add| {
                both(compiled.dispatch(&[&bytes(data), &bytes(add)], &plain()).unwrap())
            }),
            ("owned", &mut |data, add| {
                both(compiled.dispatch_owned(&[bytes(data), bytes(add)], &plain()).unwrap())
            }),
            ("into outputs", &mut |data, add| {
                let inputs = [bytes(data), bytes(add)];
                let inputs = [&inputs[0][..], &inputs[1][..]];
                compiled.dispatch_into(&inputs, &plain(), &mut reused).unwrap();
                let first = reused.buffers[1].as_ptr();
                // Once more, from what the first run gave: as if it had run once on that.
                let data = reused.buffers[0].to_vec();
                compiled.dispatch_into(&[&data, &bytes(add)], &plain(), &mut reused).unwrap();
                assert_eq!(reused.buffers[1].as_ptr(), first);
                (reused.get(0).unwrap(), reused.get(1).unwrap())
            }),
            ("typed", &mut |data, add| {
                both(compiled.dispatch_typed(&[typed(data), typed(add)], &plain()).unwrap())
            }),
            ("asynchronous", &mut |data, add| {
                both(compiled.dispatch_async(vec![bytes(data), bytes(add)], &plain()).wait().unwrap())
            }),
            ("resources of the host", &mut |data, add| {
                let (data, add) = (bytes(data), bytes(add));
                let resources = [Resource::Bytes(&data), Resource::Bytes(&add), Resource::Fresh];
                both(compiled.dispatch_resources(&resources, &plain()).unwrap())
            }),
            ("resident", &mut |data, add| {
                let all = ["data", "add", "out"].map(|name| resident(&device, name, 32, false).unwrap());
                all[0].upload(&bytes(data)).unwrap();
                all[1].upload(&bytes(add)).unwrap();
                let resources = [0, 1, 2].map(|i| Resource::Resident(&all[i]));
                let outputs = compiled.dispatch_resources(&resources, &plain()).unwrap();
                assert!(outputs.buffers.iter().all(|bytes| bytes.is_empty()), "they stay on the device");
                (words(&all[0].download().unwrap()), words(&all[2].download().unwrap()))
            }),
            ("resident and of the host", &mut |data, add| {
                let out = resident(&device, "out", 32, true).unwrap();
                let (data, add) = (bytes(data), bytes(add));
                let resources = [Resource::Bytes(&data), Resource::Bytes(&add), Resource::Resident(&out)];
                let outputs = compiled.dispatch_resources(&resources, &plain()).unwrap();
                (outputs.get(0).unwrap(), words(&out.download().unwrap()))
            }),
            ("batch", &mut |data, add| {
                let all = ["data", "out"].map(|name| resident(&device, name, 32, false).unwrap());
                let (data, add) = (bytes(data), bytes(add));
                let mut batch = device.batch();
                batch.upload(Upload { to: &all[0], offset: 0, bytes: &data }).unwrap();
                let resources =
                    [Resource::Resident(&all[0]), Resource::Bytes(&add), Resource::Resident(&all[1])];
                batch.dispatch(&compiled, &resources, &plain()).unwrap();
                let got = batch.run(&[all[0].whole(), all[1].whole()]).unwrap();
                (words(&got.regions[0]), words(&got.regions[1]))
            }),
        ];
        for (name, form) in forms {
            seed += 10;
            let mut data = some(seed);
            let got = form(&data, &add);
            let mut out = step_model(&mut data, &add, &mut kept);
            if name == "into outputs" {
                out = step_model(&mut data, &add, &mut kept);
            }
            assert_eq!(got, (data.to_vec(), out.to_vec()), "{name} on {}", device.id());
            let there = words(&compiled.persistent("kept").unwrap().download().unwrap());
            assert_eq!(there, kept, "{name} on {}", device.id());
        }
    }
}

#[test]
fn iterations_and_repeats() {
    for device in devices() {
        let compiled = device.compile(&twice(), &plain()).unwrap();
        let mut wanted = some(1);
        (0..7).for_each(|_| twice_model(&mut wanted));
        let config = DispatchConfig { iterations: 7, ..plain() };
        let outputs = compiled.dispatch(&[&bytes(&some(1))], &config).unwrap();
        assert_eq!(outputs.get::<u32>(0).unwrap(), wanted);
        let data = resident(&device, "data", 32, true).unwrap();
        data.upload(&bytes(&some(1))).unwrap();
        compiled.dispatch_resources(&[Resource::Resident(&data)], &config).unwrap();
        assert_eq!(words(&data.download().unwrap()), wanted);
        // 2 * (1 + 2) + 1 runs, and none of what is repeated no times.
        data.upload(&bytes(&some(1))).unwrap();
        let mut batch = device.batch();
        let bound = [Resource::Resident(&data)];
        let two = DispatchConfig { iterations: 2, ..plain() };
        batch
            .repeat(2, |batch| {
                batch.dispatch(&compiled, &bound, &plain())?;
                batch.dispatch(&compiled, &bound, &two)
            })
            .unwrap();
        batch.repeat(0, |batch| batch.upload(Upload { to: &data, offset: 0, bytes: &[0; 32] })).unwrap();
        batch.repeat(u32::MAX, |_| Ok(())).unwrap();
        batch.dispatch(&compiled, &bound, &plain()).unwrap();
        assert_eq!(words(&batch.run(&[data.whole()]).unwrap().regions[0]), wanted);
    }
}

#[test]
fn several_steps_are_one_submission() {
    let (device, log) = null(NullOptions::default(), FaultPlan::default());
    let compiled = device.compile(&step(), &plain()).unwrap();
    let [a, b] = ["a", "b"].map(|name| resident(&device, name, 32, false).unwrap());
    let mut mark = log.calls().len();
    let eight = [0; 8];
    device
        .upload(&[
            Upload { to: &a, offset: 8, bytes: &eight },
            Upload { to: &b, offset: 24, bytes: &eight },
            Upload { to: &a, offset: 0, bytes: &[0; 32] },
        ])
        .unwrap();
    assert_eq!(log.since(&mut mark), ["submit\n  upload m1 8..16\n  upload m2 24..32\n  upload m1 0..32"]);
    let region = |from, range| Region { from, range };
    device.download(&[region(&b, 4..8), region(&a, 0..32), region(&b, 0..0)]).unwrap();
    assert_eq!(log.since(&mut mark), ["submit\n  download m2 4..8\n  download m1 0..32\n  download m2 0..0"]);
    compiled.dispatch(&[&[0; 32], &[0; 32]], &plain()).unwrap();
    let calls = log.since(&mut mark);
    assert_eq!(calls[..3].iter().filter(|call| call.starts_with("allocate 32 aligned to 4 for")).count(), 3);
    assert_eq!(
        calls[3..],
        ["submit\n  upload m3 0..32\n  upload m4 0..32\n  launch [1, 1, 1] m3! m4 m5! m0!\n  \
             download m3 0..32\n  download m5 0..32"]
    );
    let resources = [Resource::Resident(&a), Resource::Bytes(&[0; 32]), Resource::Resident(&b)];
    let config = DispatchConfig { iterations: 9, ..plain() };
    let mut batch = device.batch();
    batch.upload(Upload { to: &b, offset: 0, bytes: &eight }).unwrap();
    batch.repeat(3, |batch| batch.dispatch(&compiled, &resources, &config)).unwrap();
    batch.run(&[a.whole()]).unwrap();
    assert_eq!(
        log.since(&mut mark)[1..],
        ["submit\n  upload m6 0..32\n  upload m2 0..8\n  repeat 3\n    repeat 9\n      \
             launch [1, 1, 1] m1! m6 m2! m0!\n  download m1 0..32"]
    );
    // What was needed for a dispatch only is freed.
    assert_eq!(log.live_allocations(), 3);
    assert_eq!(metric(&device, "submissions"), 4);
    assert_eq!(metric(&device, "dispatches"), 1 + 9);
    assert_eq!(log.problems(), [""; 0]);
}

#[test]
fn what_is_live_after_the_run_comes_back() {
    let program = parse(
        "program live workgroup(8, 1, 1) {
  buffer table: u32[8] storage read live_out @group(0) @binding(0)
  buffer sum: u32[8] persistent read_write live_out @group(0) @binding(1)
  buffer data: u32[8] storage read_write live_out @group(0) @binding(2)
  %0: u32 = global_id x
  %1: u32 = load table[%0]
  %2: u32 = load sum[%0]
  %3: u32 = add %1, %2
  store sum[%0], %3
  store data[%0], %3
}",
    );
    for device in devices() {
        let compiled = device.compile(&program, &plain()).unwrap();
        let table = some(1);
        let times = |n: u32| table.map(|word| word.wrapping_mul(n)).to_vec();
        let outputs = compiled.dispatch(&[&bytes(&table), &[0; 32]], &plain()).unwrap();
        let got = |outputs: &Outputs| [0, 1, 2].map(|output| outputs.get::<u32>(output).unwrap());
        assert_eq!(got(&outputs), [times(1), times(1), times(1)], "{}", device.id());
        // Also where the memory stays on the device.
        let [a, b] = ["a", "b"].map(|name| resident(&device, name, 32, false).unwrap());
        a.upload(&bytes(&table)).unwrap();
        let config = DispatchConfig { iterations: 2, ..plain() };
        let bound = [Resource::Resident(&a), Resource::Resident(&b)];
        let outputs = compiled.dispatch_resources(&bound, &config).unwrap();
        assert_eq!(got(&outputs), [times(1), times(3), times(3)], "{}", device.id());
        assert_eq!(words(&b.download().unwrap()), times(3));
    }
}

#[test]
fn types_are_checked() {
    for device in devices() {
        let compiled = device.compile(&step(), &plain()).unwrap();
        let ok = typed(&[1u32; 8]);
        for wrong in [typed(&[1f32; 8]), typed(&[1i32; 8]), typed(&[[1u32; 2]; 4]), typed(&[1u8; 32])] {
            assert_eq!(code(compiled.dispatch_typed(&[ok, wrong], &plain()).err()), "D032");
        }
        let outputs = compiled.dispatch_typed(&[ok, ok], &plain()).unwrap();
        assert_eq!(code(outputs.get::<f32>(0).err()), "D032");
        assert_eq!(code(outputs.get::<u32>(2).err()), "B008");
    }
}

#[test]
fn what_is_not_measured_is_not_there() {
    let inputs: [&[u8]; 1] = [&[0; 32]];
    let timing = |device: &Device| {
        device.compile(&twice(), &plain()).unwrap().dispatch(&inputs, &plain()).unwrap().timing
    };
    let Timing { upload_ns, run_ns, device_ns, enqueue_ns, wait_ns, .. } = timing(&staged());
    assert_eq!([upload_ns, run_ns, device_ns, enqueue_ns, wait_ns], [None; 5]);
    let [_, host, _] = devices();
    let Timing { upload_ns, run_ns, device_ns, enqueue_ns, wait_ns, .. } = timing(&host);
    assert!(upload_ns.is_some() && run_ns.is_some());
    assert_eq!([device_ns, enqueue_ns, wait_ns], [None; 3]);
    let times = Submitted { further_waits: 0, enqueue_ns: Some(1), wait_ns: Some(2), device_ns: Some(3) };
    let (device, _) = null(NullOptions { times, ..NullOptions::default() }, FaultPlan::default());
    let timing = timing(&device);
    assert_eq!([timing.enqueue_ns, timing.wait_ns, timing.device_ns], [Some(1), Some(2), Some(3)]);
    assert_eq!(timing.best_ns(), 3);
    let batch = device.batch().run(&[]).unwrap().timing;
    assert_eq!([batch.enqueue_ns, batch.wait_ns, batch.device_ns], [Some(1), Some(2), Some(3)]);
}

#[test]
fn asynchronous_dispatches_are_done_in_order_and_can_be_cancelled() {
    watched(|| {
        let (device, log) = null(NullOptions::default(), FaultPlan::default());
        let compiled = device.compile(&step(), &plain()).unwrap();
        let dispatch = || compiled.dispatch_async(vec![bytes(&some(1)), bytes(&some(2))], &plain());
        let latch = Latch::default();
        log.plan(3, Fault::Slow(latch.clone()));
        let [first, second, third] = [dispatch(), dispatch(), dispatch()];
        latch.wait_reached();
        assert!(!first.ready() && !third.ready());
        // What has not begun ends at once and never runs.
        assert!(second.cancel());
        assert!(second.ready());
        assert!(!second.cancel(), "it has ended");
        assert!(matches!(second.wait(), Err(BackendError::Cancelled)));
        latch.open();
        let (mut data, mut kept) = (some(1), [0; 8]);
        let out = step_model(&mut data, &some(2), &mut kept);
        assert_eq!(first.wait().unwrap().get::<u32>(1).unwrap(), out);
        let mut data = some(1);
        let out = step_model(&mut data, &some(2), &mut kept);
        assert_eq!(third.wait().unwrap().get::<u32>(1).unwrap(), out);
        assert_eq!(log.submissions().len(), 2);
        // What is under way ends when it can be stopped; what it would have written is not to be trusted.
        let latch = Latch::default();
        log.plan(3, Fault::Slow(latch.clone()));
        let running = dispatch();
        latch.wait_reached();
        assert!(running.cancel());
        assert!(matches!(running.wait(), Err(BackendError::Cancelled)));
        let kept = compiled.persistent("kept").unwrap();
        assert!(matches!(kept.download(), Err(BackendError::Poisoned { .. })));
        kept.upload(&[0; 32]).unwrap();
        assert!(dispatch().wait().is_ok());
        assert_eq!(log.problems(), [""; 0]);
    });
}

#[test]
fn a_device_that_cannot_be_stopped_says_so() {
    watched(|| {
        let options = NullOptions { supports_cancel: false, ..NullOptions::default() };
        let (device, log) = null(options, FaultPlan::default());
        let compiled = device.compile(&twice(), &plain()).unwrap();
        let latch = Latch::default();
        log.plan(1, Fault::Slow(latch.clone()));
        let running = compiled.dispatch_async(vec![bytes(&some(1))], &plain());
        latch.wait_reached();
        assert!(!running.cancel());
        latch.open();
        assert!(running.wait().is_ok());
        // It is late, and comes to its end.
        log.plan(1, Fault::Slow(Latch::default()));
        let config = DispatchConfig { timeout: Some(Duration::ZERO), ..plain() };
        let late = compiled.dispatch(&[&[0; 32]], &config).err().unwrap();
        assert!(matches!(late, BackendError::Timeout { stopped: false, seconds: 0.0 }), "{late}");
        assert_eq!(metric(&device, "timeouts"), 1);
    });
}

#[test]
fn many_iterations_end_when_asked_to() {
    watched(|| {
        for device in devices() {
            let compiled = device.compile(&twice(), &plain()).unwrap();
            let data = resident(&device, "data", 32, true).unwrap();
            data.upload(&bytes(&some(1))).unwrap();
            let timeout = Some(Duration::from_millis(5));
            let config = DispatchConfig { iterations: u32::MAX, timeout, ..plain() };
            let stopped = compiled.dispatch_resources(&[Resource::Resident(&data)], &config);
            let stopped = stopped.err().unwrap();
            assert!(matches!(stopped, BackendError::Timeout { stopped: true, seconds: 0.005 }), "{stopped}");
            assert_eq!(words(&data.download().unwrap()), some(1), "as before the call that failed");
            let config = DispatchConfig { iterations: u32::MAX, ..plain() };
            let pending = compiled.dispatch_async(vec![bytes(&some(1))], &config);
            assert!(pending.cancel());
            assert!(matches!(pending.wait(), Err(BackendError::Cancelled)));
        }
    });
}

#[test]
fn runs_are_deterministic_and_nothing_is_remembered() {
    for device in devices() {
        let compiled = device.compile(&step(), &plain()).unwrap();
        let inputs = [bytes(&some(1)), bytes(&some(2))];
        let run = || {
            let outputs = compiled.dispatch_owned(&inputs, &plain()).unwrap();
            [outputs.buffers[0].to_vec(), outputs.buffers[1].to_vec()]
        };
        let first = run();
        // The persistent buffer went on: the same inputs give another `out`, the same state the same again.
        assert_ne!(run()[1], first[1]);
        compiled.persistent("kept").unwrap().upload(&[0; 32]).unwrap();
        assert_eq!(run(), first);
    }
}

#[test]
fn preparing_flushing_and_shutting_down() {
    watched(|| {
        let (device, log) = null(NullOptions::default(), FaultPlan::default());
        device.prepare(&twice(), &plain()).unwrap();
        assert_eq!(log.calls(), ["compile twice"]);
        let compiled = device.compile(&twice(), &plain()).unwrap();
        assert_eq!(compiled.source(), CacheSource::Memory);
        assert_eq!(log.calls(), ["compile twice"]);
        assert_eq!(metric(&device, "compiles"), 1);
        let latch = Latch::default();
        log.plan(1, Fault::Slow(latch.clone()));
        let dispatch = || compiled.dispatch_async(vec![bytes(&some(1))], &plain());
        let [first, second] = [dispatch(), dispatch()];
        latch.wait_reached();
        let flushing = {
            let device = device.clone();
            std::thread::spawn(move || device.flush())
        };
        assert!(!first.ready());
        latch.open();
        flushing.join().unwrap();
        assert!(first.ready() && second.ready());
        // What is under way ends well, what has not begun does not begin.
        let latch = Latch::default();
        log.plan(1, Fault::Slow(latch.clone()));
        let [first, second] = [dispatch(), dispatch()];
        latch.wait_reached();
        let closing = {
            let device = device.clone();
            std::thread::spawn(move || device.shutdown())
        };
        while !matches!(device.batch().run(&[]), Err(BackendError::ShutDown)) {
            std::thread::yield_now();
        }
        assert_eq!(log.shutdowns(), 0);
        latch.open();
        closing.join().unwrap();
        assert!(first.wait().is_ok());
        assert!(matches!(second.wait(), Err(BackendError::ShutDown)));
        assert!(matches!(device.try_recover(), Err(BackendError::ShutDown)));
        device.shutdown();
        assert_eq!(log.shutdowns(), 1);
    });
}

#[test]
fn a_pending_dispatch_outlives_every_handle() {
    watched(|| {
        let (device, log) = null(NullOptions::default(), FaultPlan::default());
        let compiled = device.compile(&step(), &plain()).unwrap();
        let latch = Latch::default();
        log.plan(3, Fault::Slow(latch.clone()));
        let inputs = || vec![bytes(&some(1)), bytes(&some(2))];
        let first = compiled.dispatch_async(inputs(), &plain());
        let unwanted = compiled.dispatch_async(inputs(), &plain());
        let last = compiled.dispatch_async(inputs(), &plain());
        latch.wait_reached();
        drop((device, compiled, unwanted));
        latch.open();
        assert!(first.wait().is_ok());
        // It ran although nobody waited for it.
        let (mut kept, mut out) = ([0; 8], [0; 8]);
        (0..3).for_each(|_| out = step_model(&mut some(1), &some(2), &mut kept));
        assert_eq!(last.wait().unwrap().get::<u32>(1).unwrap(), out);
        assert_eq!((log.live_allocations(), log.live_executables()), (0, 0));
        assert_eq!(log.problems(), [""; 0]);
    });
}

#[test]
fn freeing_while_in_use() {
    watched(|| {
        let (device, log) = null(NullOptions::default(), FaultPlan::default());
        let compiled = device.compile(&twice(), &plain()).unwrap();
        for journaled in [false, true] {
            let data = resident(&device, "data", 32, journaled).unwrap();
            data.upload(&bytes(&some(1))).unwrap();
            let latch = Latch::default();
            log.plan(0, Fault::Slow(latch.clone()));
            let run = {
                let (compiled, data) = (compiled.clone(), data.clone());
                std::thread::spawn(move || {
                    compiled.dispatch_resources(&[Resource::Resident(&data)], &plain()).map(|_| ())
                })
            };
            latch.wait_reached();
            let freeing = {
                let data = data.clone();
                std::thread::spawn(move || data.free())
            };
            while metric(&device, "resident_buffers") > 0 {
                std::thread::yield_now();
            }
            assert_eq!(log.live_allocations(), 1, "the run has it still");
            latch.open();
            run.join().unwrap().unwrap();
            freeing.join().unwrap();
            assert_eq!(log.live_allocations(), 0);
            assert!(matches!(data.download(), Err(BackendError::Poisoned { .. })));
            assert!(matches!(data.upload(&[0; 32]), Err(BackendError::Poisoned { .. })));
            // Freeing it again, or dropping it, changes nothing more.
            data.clone().free();
            drop(data);
            assert_eq!(metric(&device, "resident_buffers"), 0);
            assert_eq!(metric(&device, "resident_bytes"), 0);
            // A freed buffer is nothing to recover.
            log.plan(0, Fault::DeviceLost);
            assert!(device.batch().run(&[]).is_err());
            assert_eq!(device.try_recover().unwrap(), Recovery { compiled: 1, ..Recovery::default() });
        }
    });
}

#[test]
fn ranges_aliases_and_foreign_buffers_are_refused() {
    for device in devices() {
        let data = resident(&device, "data", 32, false).unwrap();
        let whole = some(1);
        data.upload(&bytes(&whole)).unwrap();
        let upload = |offset, bytes: &[u8]| device.upload(&[Upload { to: &data, offset, bytes }]).err();
        assert_eq!(code(upload(29, &[0; 4])), "D030");
        assert_eq!(code(upload(33, &[])), "D030");
        assert_eq!(code(upload(u64::MAX, &[0; 4])), "D030");
        assert_eq!(code(data.upload(&[0; 31]).err()), "D030");
        let download = |range| device.download(&[Region { from: &data, range }]).err();
        assert_eq!(code(download(0..33)), "D030");
        assert_eq!(code(download(u64::MAX - 1..u64::MAX)), "D030");
        #[allow(clippy::reversed_empty_ranges)] // what is asked here
        let reversed = 8..4;
        assert_eq!(code(download(reversed)), "D030");
        let none = upload(32, &[]);
        assert!(none.is_none());
        let empty = resident(&device, "empty", 0, true).unwrap();
        empty.upload(&[]).unwrap();
        assert!(empty.download().unwrap().is_empty());
        let compiled = device.compile(&step(), &plain()).unwrap();
        let other = resident(&device, "other", 32, false).unwrap();
        let kept = compiled.persistent("kept").unwrap();
        let bound =
            |all: [&Resident; 3]| compiled.dispatch_resources(&all.map(Resource::Resident), &plain()).err();
        assert_eq!(code(bound([&data, &other, &data])), "D029");
        assert_eq!(code(bound([&data, &data, &other])), "D029");
        assert_eq!(code(bound([&data, &other, kept])), "D029");
        assert_eq!(code(bound([&data, &other, &empty])), "D028");
        let foreign = resident(&staged(), "foreign", 32, false).unwrap();
        assert_eq!(code(bound([&data, &foreign, &other])), "D031");
        assert_eq!(code(device.upload(&[Upload { to: &foreign, offset: 0, bytes: &[] }]).err()), "D031");
        assert_eq!(code(device.download(&[foreign.whole()]).err()), "D031");
        let elsewhere = staged().compile(&step(), &plain()).unwrap();
        assert_eq!(code(device.batch().dispatch(&elsewhere, &[], &plain()).err()), "D031");
        // Nothing of it has changed anything.
        assert_eq!(words(&data.download().unwrap()), whole);
    }
}

#[test]
fn one_buffer_can_be_read_twice() {
    let program = parse(
        "program sum workgroup(8, 1, 1) {
  buffer a: u32[8] storage read @group(0) @binding(0)
  buffer b: u32[8] storage read @group(0) @binding(1)
  buffer out: u32[8] storage write @group(0) @binding(2)
  %0: u32 = global_id x
  %1: u32 = load a[%0]
  %2: u32 = load b[%0]
  %3: u32 = add %1, %2
  store out[%0], %3
}",
    );
    for device in devices() {
        let compiled = device.compile(&program, &plain()).unwrap();
        let data = resident(&device, "data", 32, false).unwrap();
        data.upload(&bytes(&[3; 8])).unwrap();
        let bound = [Resource::Resident(&data), Resource::Resident(&data), Resource::Fresh];
        let outputs = compiled.dispatch_resources(&bound, &plain()).unwrap();
        assert_eq!(outputs.get::<u32>(0).unwrap(), [6; 8]);
    }
}

#[test]
fn limits_of_the_device_are_kept() {
    let mut options = NullOptions::default();
    options.limits.workgroups_per_dimension = 3;
    options.limits.storage_binding_bytes = 64;
    options.limits.buffers_per_stage = 3;
    options.memory_bytes = 100;
    let (device, log) = null(options, FaultPlan::default());
    let compiled = device.compile(&twice(), &plain()).unwrap();
    assert_eq!(code(device.compile(&step(), &plain()).err()), "D026");
    let dispatch =
        |bytes: &[u8], grid| compiled.dispatch(&[bytes], &DispatchConfig { grid, ..plain() }).err();
    assert!(dispatch(&[0; 48], Grid::Infer).is_none());
    assert_eq!(code(dispatch(&[0; 52], Grid::Infer)), "D024");
    assert_eq!(code(dispatch(&[0; 4], Grid::Workgroups([1, 4, 1]))), "D024");
    assert!(dispatch(&[0; 64], Grid::Workgroups([1, 1, 3])).is_none());
    assert_eq!(code(dispatch(&[0; 68], Grid::Workgroups([1, 1, 1]))), "D025");
    let _held = resident(&device, "held", 60, false).unwrap();
    let full = dispatch(&[0; 48], Grid::Infer);
    let Some(BackendError::OutOfMemory { requested: 48, available: Some(40), what }) = full else {
        panic!("{full:?}");
    };
    assert_eq!(what, "buffer `data`");
    assert_eq!(log.live_allocations(), 1);
}

#[test]
fn hints_reach_the_backend() {
    let program = parse(
        "program hinted workgroup(8, 1, 1) {
  buffer data: u32[8] storage read_write @group(0) @binding(0) hints(align 256)
  buffer kept: u32[8] persistent read_write @group(0) @binding(1) hints(align 512)
  %0: u32 = global_id x
  %1: u32 = load data[%0]
  store kept[%0], %1
}",
    );
    let (device, log) = null(NullOptions::default(), FaultPlan::default());
    let compiled = device.compile(&program, &plain()).unwrap();
    compiled.dispatch(&[&[0; 32]], &plain()).unwrap();
    let placement = Placement { alignment: 1024, ..Placement::default() };
    let options = ResidentOptions { name: "placed".into(), bytes: 64, journaled: true, placement };
    let _placed = device.allocate(options).unwrap();
    log.plan(0, Fault::DeviceLost);
    assert!(device.batch().run(&[]).is_err());
    device.try_recover().unwrap();
    let mut allocations = log.calls();
    allocations.retain(|call| call.starts_with("allocate"));
    let kept = "allocate 32 aligned to 512 for resident buffer `kept`";
    let placed = "allocate 64 aligned to 1024 for resident buffer `placed`";
    assert_eq!(allocations, [kept, "allocate 32 aligned to 256 for buffer `data`", placed, kept, placed]);
}

#[test]
fn devices_are_shared_between_threads() {
    watched(|| {
        let device = Arc::new(staged());
        let compiled = device.compile(&twice(), &plain()).unwrap();
        let threads: Vec<_> = (0..4u32)
            .map(|i| {
                let compiled = compiled.clone();
                std::thread::spawn(move || {
                    let mut data = some(i);
                    for _ in 0..20 {
                        let outputs = compiled.dispatch(&[&bytes(&data)], &plain()).unwrap();
                        twice_model(&mut data);
                        assert_eq!(outputs.get::<u32>(0).unwrap(), data);
                    }
                })
            })
            .collect();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
    });
}
