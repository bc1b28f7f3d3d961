//! A fault at every call of a scenario: the error is the right one, nothing hangs, no byte is wrong, nothing leaks, and
//! the scenario goes on to its end.

mod null;

use null::*;
use std::collections::BTreeMap;
use std::sync::Arc;
use vyre_driver::*;
use vyre_null::{Fault, FaultPlan, Latch, Log, NullOptions};

/// What a test has on the device, and what must be there.
struct World {
    device: Device,
    log: Log,
    step: Option<Compiled>,
    twice: Option<Compiled>,
    residents: BTreeMap<&'static str, Resident>,
    /// What each resident buffer holds; none if that is lost.
    model: BTreeMap<&'static str, Option<Words>>,
}

const JOURNALED: [&str; 2] = ["a", "c"];

/// One call of a user: its name, the buffers that it writes, what it does. On success it has checked what it got and
/// changed the model.
type Call = (&'static str, &'static [&'static str], fn(&mut World) -> Result<(), BackendError>);

const CALLS: &[Call] = &[
    ("compile step", &[], |w| {
        let compiled = w.device.compile(&step(), &DispatchConfig::default())?;
        w.residents.insert("kept", compiled.persistent("kept").unwrap().clone());
        w.model.insert("kept", Some([0; 8]));
        w.step = Some(compiled);
        Ok(())
    }),
    ("allocate a", &[], |w| w.allocate("a")),
    ("allocate b", &[], |w| w.allocate("b")),
    ("allocate c", &[], |w| w.allocate("c")),
    ("allocate d", &[], |w| w.allocate("d")),
    ("upload a", &["a"], |w| w.upload("a", some(1))),
    ("upload b", &["b"], |w| w.upload("b", some(2))),
    ("upload a part", &["a"], |w| {
        w.device.upload(&[Upload { to: &w.residents["a"], offset: 4, bytes: &bytes(&[11, 12]) }])?;
        w.of("a")[1..3].copy_from_slice(&[11, 12]);
        Ok(())
    }),
    ("upload several", &["a", "c", "d"], |w| {
        let all = bytes(&some(3));
        w.device.upload(&[
            Upload { to: &w.residents["a"], offset: 8, bytes: &all[..8] },
            Upload { to: &w.residents["c"], offset: 0, bytes: &all },
            Upload { to: &w.residents["d"], offset: 28, bytes: &all[..4] },
            Upload { to: &w.residents["a"], offset: 12, bytes: &all[..12] },
        ])?;
        w.of("a")[2..4].copy_from_slice(&some(3)[..2]);
        w.of("a")[3..6].copy_from_slice(&some(3)[..3]);
        *w.of("c") = some(3);
        w.of("d")[7] = some(3)[0];
        Ok(())
    }),
    ("dispatch", &["kept"], |w| {
        let (mut data, add) = (some(4), some(5));
        let outputs = w.step().dispatch(&[&bytes(&data), &bytes(&add)], &DispatchConfig::default())?;
        let out = step_model(&mut data, &add, w.of("kept"));
        assert_eq!(outputs.get::<u32>(0).unwrap(), data);
        assert_eq!(outputs.get::<u32>(1).unwrap(), out);
        Ok(())
    }),
    ("dispatch on a and b", &["a", "kept"], |w| {
        let resources = [w.bound("a"), w.bound("b"), Resource::Fresh];
        let outputs = w.step().dispatch_resources(&resources, &DispatchConfig::default())?;
        let (add, mut data) = (*w.of("b"), *w.of("a"));
        let out = step_model(&mut data, &add, w.of("kept"));
        *w.of("a") = data;
        assert!(outputs.buffers[0].is_empty());
        assert_eq!(outputs.get::<u32>(1).unwrap(), out);
        Ok(())
    }),
    ("batch", &["b", "c", "d", "kept"], |w| {
        let (part, all) = (bytes(&[7, 8]), bytes(&some(6)));
        let compiled = w.step().clone();
        let config = DispatchConfig::default();
        let mut batch = w.device.batch();
        batch.upload(Upload { to: &w.residents["b"], offset: 0, bytes: &part })?;
        batch.upload(Upload { to: &w.residents["c"], offset: 0, bytes: &all })?;
        batch.repeat(3, |batch| {
            batch.dispatch(&compiled, &[w.bound("c"), w.bound("b"), w.bound("d")], &config)
        })?;
        let regions = [
            Region { from: &w.residents["d"], range: 4..12 },
            Region { from: &w.residents["c"], range: 0..32 },
        ];
        let outputs = batch.run(&regions)?;
        w.of("b")[..2].copy_from_slice(&[7, 8]);
        let (mut data, add) = (some(6), *w.of("b"));
        for _ in 0..3 {
            *w.of("d") = step_model(&mut data, &add, w.of("kept"));
        }
        *w.of("c") = data;
        assert_eq!(words(&outputs.regions[0]), w.of("d")[1..3]);
        assert_eq!(words(&outputs.regions[1]), data);
        Ok(())
    }),
    ("dispatch while the caller goes on", &["kept"], |w| {
        let (mut data, add) = (some(7), some(8));
        let inputs = vec![bytes(&data), bytes(&add)];
        let outputs = w.step().dispatch_async(inputs, &DispatchConfig::default()).wait()?;
        let out = step_model(&mut data, &add, w.of("kept"));
        assert_eq!(outputs.get::<u32>(0).unwrap(), data);
        assert_eq!(outputs.get::<u32>(1).unwrap(), out);
        Ok(())
    }),
    ("dispatch on d, c and b", &["d", "b", "kept"], |w| {
        let resources = [w.bound("d"), w.bound("c"), w.bound("b")];
        w.step().dispatch_resources(&resources, &DispatchConfig::default())?;
        let (add, mut data) = (*w.of("c"), *w.of("d"));
        *w.of("b") = step_model(&mut data, &add, w.of("kept"));
        *w.of("d") = data;
        Ok(())
    }),
    ("download several", &[], |w| {
        let regions = [
            Region { from: &w.residents["kept"], range: 0..32 },
            Region { from: &w.residents["a"], range: 4..8 },
        ];
        let got = w.device.download(&regions)?;
        assert_eq!(words(&got[0]), *w.of("kept"));
        assert_eq!(words(&got[1]), w.of("a")[1..2]);
        Ok(())
    }),
    ("prepare twice", &[], |w| w.device.prepare(&twice(), &DispatchConfig::default())),
    ("compile twice", &[], |w| {
        w.twice = Some(w.device.compile(&twice(), &DispatchConfig::default())?);
        Ok(())
    }),
    ("iterate on c", &["c"], |w| {
        let config = DispatchConfig { iterations: 5, ..DispatchConfig::default() };
        w.twice.as_ref().unwrap().dispatch_resources(&[w.bound("c")], &config)?;
        (0..5).for_each(|_| twice_model(w.of("c")));
        Ok(())
    }),
    ("iterate", &[], |w| {
        let config = DispatchConfig { iterations: 2, ..DispatchConfig::default() };
        let outputs = w.twice.as_ref().unwrap().dispatch(&[&bytes(&some(9))], &config)?;
        let mut data = some(9);
        (0..2).for_each(|_| twice_model(&mut data));
        assert_eq!(outputs.get::<u32>(0).unwrap(), data);
        Ok(())
    }),
    ("free d", &[], |w| {
        if let Some(d) = w.residents.remove("d") {
            d.free();
        }
        w.model.remove("d");
        Ok(())
    }),
    ("allocate e", &[], |w| w.allocate("e")),
    ("upload e", &["e"], |w| w.upload("e", some(10))),
    ("dispatch on e and a", &["e", "kept"], |w| {
        let resources = [w.bound("e"), w.bound("a"), Resource::Fresh];
        let outputs = w.step().dispatch_resources(&resources, &DispatchConfig::default())?;
        let (add, mut data) = (*w.of("a"), *w.of("e"));
        let out = step_model(&mut data, &add, w.of("kept"));
        *w.of("e") = data;
        assert_eq!(outputs.get::<u32>(1).unwrap(), out);
        Ok(())
    }),
    ("download a", &[], |w| {
        let got = w.residents["a"].download()?;
        assert_eq!(words(&got), *w.of("a"));
        Ok(())
    }),
];

impl World {
    fn new(plan: FaultPlan) -> World {
        let (device, log) = null(NullOptions::default(), plan);
        World { device, log, step: None, twice: None, residents: BTreeMap::new(), model: BTreeMap::new() }
    }

    fn allocate(&mut self, name: &'static str) -> Result<(), BackendError> {
        let made = resident(&self.device, name, 32, JOURNALED.contains(&name))?;
        self.residents.insert(name, made);
        self.model.insert(name, Some([0; 8]));
        Ok(())
    }

    fn upload(&mut self, name: &'static str, contents: Words) -> Result<(), BackendError> {
        self.residents[name].upload(&bytes(&contents))?;
        self.model.insert(name, Some(contents));
        Ok(())
    }

    fn step(&self) -> &Compiled {
        self.step.as_ref().unwrap()
    }

    fn bound(&self, name: &str) -> Resource<'_> {
        Resource::Resident(&self.residents[name])
    }

    /// What a buffer holds.
    fn of(&mut self, name: &str) -> &mut Words {
        self.model.get_mut(name).unwrap().as_mut().unwrap()
    }

    /// Compares all resident buffers with the model.
    fn check(&self, context: &str) {
        for (name, resident) in &self.residents {
            match (resident.download(), &self.model[name]) {
                (Ok(got), Some(wanted)) => assert_eq!(words(&got), wanted, "{name}: {context}"),
                (Err(BackendError::Poisoned { name: said, .. }), None) => assert_eq!(said, **name),
                (got, wanted) => panic!("{name}: {:?} for {wanted:?}: {context}", got.map(|got| words(&got))),
            }
        }
    }

    /// Uploads what was lost again, after a look at that a part is not enough.
    fn renew(&mut self) {
        let lost: Vec<&'static str> =
            self.model.iter().filter(|(_, holds)| holds.is_none()).map(|(name, _)| *name).collect();
        for (i, name) in lost.into_iter().enumerate() {
            let part = [Upload { to: &self.residents[name], offset: 4, bytes: &[0; 28] }];
            let error = self.device.upload(&part).err().unwrap();
            assert!(matches!(error, BackendError::Poisoned { .. }), "{error}");
            self.upload(name, some(100 + i as u32)).unwrap();
        }
    }

    /// Drops all, and looks whether anything is left.
    fn end(self, context: &str) {
        let World { device, log, step, twice, residents, .. } = self;
        drop((step, twice, residents));
        assert_eq!(metric(&device, "resident_buffers"), 0, "{context}");
        assert_eq!(metric(&device, "resident_bytes"), 0, "{context}");
        device.flush();
        assert_eq!(log.live_allocations(), 0, "{context}");
        drop(device);
        assert_eq!(log.live_executables(), 0, "{context}");
        assert_eq!(log.problems(), [""; 0], "{context}");
    }
}

/// How many calls of the backend the scenario makes.
fn length() -> u64 {
    let mut w = World::new(FaultPlan::default());
    for (name, _, call) in CALLS {
        call(&mut w).unwrap_or_else(|error| panic!("{name}: {error}"));
        // Checking makes calls, so it is done where no calls are counted.
    }
    let count = w.log.calls().len() as u64;
    w.check("without faults");
    w.end("without faults");
    count
}

/// What a test does after the call that failed: its error, whether a submission failed, what the call writes, and where
/// that was.
type After<'a> = dyn Fn(&mut World, BackendError, bool, &[&'static str], &str) + 'a;

/// Runs the scenario with a fault at that call. `after` is done after the call of the user that fails.
fn with_fault(plan: FaultPlan, after: &After<'_>) -> usize {
    let at = plan.faults[0].0 as usize;
    let mut w = World::new(plan);
    let mut failures = 0;
    for (name, writes, call) in CALLS {
        let context = format!("a fault at call {at}, in: {name}");
        let begun = w.log.calls().len();
        let Err(error) = call(&mut w) else { continue };
        failures += 1;
        assert!((begun..w.log.calls().len()).contains(&at), "{error}: {context}");
        let submitted = w.log.calls()[at].starts_with("submit");
        after(&mut w, error, submitted, writes, &context);
        w.check(&context);
        w.renew();
        call(&mut w).unwrap_or_else(|error| panic!("{error}: again, after {context}"));
    }
    w.check(&format!("the end, after a fault at call {at}"));
    w.end(&format!("a fault at call {at}"));
    failures
}

#[test]
fn the_device_is_lost_at_every_call() {
    watched(|| {
        let length = length();
        assert!(length >= 30, "{length}");
        for at in 0..length {
            // The first attempt to recover fails.
            let plan = FaultPlan { failed_reopens: 1, ..FaultPlan::at(at, Fault::DeviceLost) };
            let failures = with_fault(plan, &|w, error, _, _, context| {
                assert!(matches!(error, BackendError::DeviceLost { .. }), "{error}: {context}");
                all_fails(w, context);
                let error = w.device.try_recover().unwrap_err();
                assert!(matches!(error, BackendError::Unavailable { .. }), "{error}: {context}");
                all_fails(w, context);
                let recovery = w.device.try_recover().unwrap();
                let journaled = |name: &&&str| JOURNALED.contains(*name);
                let names = |keep: &dyn Fn(&&&'static str) -> bool| -> Vec<String> {
                    w.model.keys().filter(keep).map(|name| name.to_string()).collect()
                };
                let mut lost = recovery.lost.clone();
                lost.sort();
                assert_eq!(recovery.restored, names(&journaled), "{context}");
                assert_eq!(lost, names(&|name| !journaled(name)), "{context}");
                let programs = w.step.iter().chain(&w.twice).count();
                assert_eq!(recovery.compiled, programs, "{context}");
                assert_eq!(w.device.device_lost(), None);
                for (name, holds) in &mut w.model {
                    if !JOURNALED.contains(name) {
                        *holds = None;
                    }
                }
            });
            assert_eq!(failures, 1, "call {at}");
        }
    });
}

/// While the device is lost every call says so, and none gets to the backend.
fn all_fails(w: &World, context: &str) {
    let begun = w.log.calls().len();
    let config = DispatchConfig::default();
    let mut errors = vec![
        w.device.compile(&parse("program other workgroup(1, 1, 1) {\n}"), &config).err(),
        w.device.prepare(&twice(), &config).err(),
        resident(&w.device, "more", 16, false).err(),
        w.device.batch().run(&[]).err(),
    ];
    for resident in w.residents.values() {
        errors.push(resident.upload(&[0; 32]).err());
        errors.push(resident.download().err());
    }
    if let Some(step) = &w.step {
        errors.push(step.dispatch(&[&[0; 32], &[0; 32]], &config).err());
        errors.push(step.dispatch_async(vec![vec![0; 32]; 2], &config).wait().err());
    }
    for error in errors {
        let error = error.unwrap_or_else(|| panic!("a call went well on a lost device: {context}"));
        assert!(matches!(error, BackendError::DeviceLost { .. }), "{error}: {context}");
    }
    assert_eq!(w.log.calls().len(), begun, "{context}");
    assert!(w.device.device_lost().is_some());
}

#[test]
fn every_other_fault_at_every_call() {
    type Is = fn(&BackendError) -> bool;
    let faults: [(Fault, Is); 5] = [
        (Fault::OutOfMemory, |e| matches!(e, BackendError::OutOfMemory { available: Some(0), .. })),
        (Fault::Timeout, |e| matches!(e, BackendError::Timeout { stopped: true, .. })),
        (Fault::WrongSize, |e| matches!(e, BackendError::Internal { .. })),
        (Fault::CompileFailed, |e| matches!(e, BackendError::CompileFailed { .. })),
        (
            Fault::Panic,
            |e| matches!(e, BackendError::Internal { what } if what == "the backend panicked: the plan says so"),
        ),
    ];
    watched(move || {
        let hook = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if info.payload().downcast_ref::<&str>() != Some(&"the plan says so") {
                hook(info);
            }
        }));
        let length = length();
        for (fault, is) in faults {
            let mut struck = 0;
            for at in 0..length {
                struck +=
                    with_fault(FaultPlan::at(at, fault.clone()), &|w, error, submitted, writes, context| {
                        assert!(is(&error), "{error}: {context}");
                        assert_eq!(w.device.device_lost(), None, "{context}");
                        assert_eq!(w.device.try_recover().unwrap(), Recovery::default());
                        for name in writes.iter().filter(|name| submitted && !JOURNALED.contains(name)) {
                            w.model.insert(name, None);
                        }
                    });
            }
            assert!(struck > 0, "{fault:?}");
        }
    });
}

#[test]
fn a_loss_while_recovering_keeps_the_device_lost() {
    watched(|| {
        // Recovery makes calls of its own: lose the device again at each of them.
        let mut again = 0;
        loop {
            let mut w = World::new(FaultPlan::default());
            for (_, _, call) in &CALLS[..17] {
                call(&mut w).unwrap();
            }
            w.log.plan(0, Fault::DeviceLost);
            w.log.plan(again + 1, Fault::DeviceLost);
            assert!(w.residents["a"].download().is_err());
            let begun = w.log.calls().len();
            match w.device.try_recover() {
                Ok(_) => {
                    assert!(w.log.calls().len() as u64 - begun as u64 <= again, "the loss was not seen");
                    // Two programs, five memories, two journals.
                    assert_eq!(again, 9);
                    break;
                }
                Err(error) => {
                    assert!(matches!(error, BackendError::DeviceLost { .. }), "{error}");
                    all_fails(&w, "lost again");
                    // Of the device that was given up nothing is left.
                    assert_eq!(w.log.live_allocations(), 0);
                }
            }
            w.device.try_recover().unwrap();
            for name in ["b", "d", "kept"] {
                w.model.insert(name, None);
            }
            w.check("recovered twice");
            w.renew();
            for (_, _, call) in &CALLS[17..] {
                call(&mut w).unwrap();
            }
            w.check("went on");
            w.end("recovered twice");
            again += 1;
        }
    });
}

#[test]
fn pending_dispatches_fail_with_the_device() {
    watched(|| {
        let latch = Latch::default();
        let (device, log) = null(NullOptions::default(), FaultPlan::default());
        let compiled = device.compile(&twice(), &DispatchConfig::default()).unwrap();
        // A call each for memory, then the submission.
        log.plan(1, Fault::Slow(latch.clone()));
        log.plan(3, Fault::DeviceLost);
        let dispatch = || compiled.dispatch_async(vec![bytes(&some(1))], &DispatchConfig::default());
        let (first, second, third) = (dispatch(), dispatch(), dispatch());
        latch.wait_reached();
        assert!(!first.ready() && !second.ready() && !third.ready());
        latch.open();
        assert!(first.wait().is_ok());
        for pending in [second, third] {
            let error = pending.wait().err().unwrap();
            assert!(matches!(error, BackendError::DeviceLost { .. }), "{error}");
        }
        assert_eq!(log.submissions().len(), 2);
        assert_eq!(metric(&device, "losses"), 1);
        device.try_recover().unwrap();
        assert!(dispatch().wait().is_ok());
        assert_eq!(metric(&device, "recoveries"), 1);
    });
}

#[test]
fn what_could_not_be_undone_is_undone_later() {
    let (device, log) = null(NullOptions::default(), FaultPlan::default());
    let compiled = device.compile(&twice(), &DispatchConfig::default()).unwrap();
    let a = resident(&device, "a", 32, true).unwrap();
    a.upload(&bytes(&some(1))).unwrap();
    // The run fails, and so does writing back what was there before.
    log.plan(0, Fault::Timeout);
    log.plan(1, Fault::OutOfMemory);
    let error = compiled.dispatch_resources(&[Resource::Resident(&a)], &DispatchConfig::default());
    assert!(matches!(error.err().unwrap(), BackendError::Timeout { .. }));
    assert_eq!(words(&a.download().unwrap()), some(1));
    // The device is lost while undoing: the call says so, and recovery has the contents.
    log.plan(0, Fault::Timeout);
    log.plan(1, Fault::DeviceLost);
    let error = compiled.dispatch_resources(&[Resource::Resident(&a)], &DispatchConfig::default());
    assert!(matches!(error.err().unwrap(), BackendError::DeviceLost { .. }));
    assert_eq!(device.try_recover().unwrap().restored, ["a"]);
    assert_eq!(words(&a.download().unwrap()), some(1));
}

#[test]
fn writers_of_one_journaled_buffer_take_turns() {
    watched(|| {
        let (device, log) = null(NullOptions::default(), FaultPlan::default());
        let compiled = device.compile(&twice(), &DispatchConfig::default()).unwrap();
        let a = Arc::new(resident(&device, "a", 4, true).unwrap());
        let b = Arc::new(resident(&device, "b", 4, true).unwrap());
        let threads: Vec<_> = (0..4)
            .map(|i| {
                let (device, compiled) = (device.clone(), compiled.clone());
                let (first, second) =
                    if i % 2 == 0 { (a.clone(), b.clone()) } else { (b.clone(), a.clone()) };
                std::thread::spawn(move || {
                    for n in 0..50u32 {
                        let mut batch = device.batch();
                        let config = DispatchConfig::default();
                        batch.dispatch(&compiled, &[Resource::Resident(&first)], &config).unwrap();
                        batch.dispatch(&compiled, &[Resource::Resident(&second)], &config).unwrap();
                        batch.run(&[]).unwrap();
                        if n % 10 == i {
                            first.upload(&bytes(&[n])).unwrap();
                        }
                    }
                })
            })
            .collect();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        let before = [words(&a.download().unwrap()), words(&b.download().unwrap())];
        // The journals hold what the device held, whichever thread came last.
        log.plan(0, Fault::DeviceLost);
        assert!(a.download().is_err());
        device.try_recover().unwrap();
        assert_eq!([words(&a.download().unwrap()), words(&b.download().unwrap())], before);
    });
}
