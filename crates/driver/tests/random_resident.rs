//! Random sequences of operations on resident buffers against a model of plain vectors, with random faults in between.
//! Seeds are fixed.

mod null;

use null::*;
use vyre_driver::*;
use vyre_null::{Fault, FaultPlan, Log, NullOptions};

/// A buffer and what it must hold; none if that is lost.
struct Held {
    resident: Resident,
    journaled: bool,
    contents: Option<Vec<u8>>,
}

/// What a test has, and what it did, for messages.
struct World {
    device: Device,
    log: Log,
    twice: Compiled,
    held: Vec<Held>,
    random: Random,
    done: Vec<String>,
}

/// Elements of each buffer: several workgroups, the last of them not full.
const WORDS: usize = 10;
const BYTES: usize = WORDS * 4;

#[test]
fn random_operations_do_what_the_model_does() {
    watched(|| {
        for seed in 0..60 {
            let options = NullOptions { host_memory: seed % 2 == 1, ..NullOptions::default() };
            let (device, log) = null(options, FaultPlan::default());
            let twice = device.compile(&twice(), &DispatchConfig::default()).unwrap();
            let mut w =
                World { device, log, twice, held: Vec::new(), random: Random(seed), done: Vec::new() };
            for _ in 0..80 {
                w.operation();
                assert_eq!(w.log.live_allocations(), w.held.len() as u64, "{:#?}", w.done);
            }
            w.check();
            let World { device, log, twice, held, .. } = w;
            drop((twice, held));
            assert_eq!(metric(&device, "resident_bytes"), 0);
            drop(device);
            assert_eq!((log.live_allocations(), log.live_executables()), (0, 0));
            assert_eq!(log.problems(), [""; 0]);
        }
    });
}

impl World {
    fn operation(&mut self) {
        let choice = self.random.below(12);
        if self.held.len() < 2 || choice == 0 {
            return self.allocate();
        }
        match choice {
            1 if self.held.len() > 3 => {
                let index = self.random.below(self.held.len());
                self.done.push(format!("free {index}"));
                let held = self.held.remove(index);
                if self.random.below(2) == 0 {
                    held.resident.free();
                }
            }
            2 => self.check(),
            3 => self.lose(),
            4 => {
                // A fault in the next submission.
                let faults = [Fault::Timeout, Fault::OutOfMemory];
                let fault = faults[self.random.below(2)].clone();
                self.done.push(format!("{fault:?}"));
                self.log.plan(0, fault);
                self.batch(true);
            }
            _ => self.batch(false),
        }
    }

    fn allocate(&mut self) {
        let journaled = self.random.below(2) == 0;
        self.done.push(format!("allocate {}, journaled: {journaled}", self.held.len()));
        let resident = resident(&self.device, "held", BYTES as u64, journaled).unwrap();
        self.held.push(Held { resident, journaled, contents: Some(vec![0; BYTES]) });
    }

    fn lose(&mut self) {
        self.done.push("lose the device".into());
        self.log.plan(0, Fault::DeviceLost);
        let index = self.random.below(self.held.len());
        let bytes = vec![9; BYTES];
        // It fails half way: what it wrote is not there after.
        let error = self.held[index].resident.upload(&bytes).unwrap_err();
        assert!(matches!(error, BackendError::DeviceLost { .. }), "{error}");
        let recovery = self.device.try_recover().unwrap();
        let journaled = self.held.iter().filter(|held| held.journaled).count();
        assert_eq!(recovery.restored.len(), journaled, "{:#?}", self.done);
        assert_eq!(recovery.lost.len(), self.held.len() - journaled, "{:#?}", self.done);
        for held in self.held.iter_mut().filter(|held| !held.journaled) {
            held.contents = None;
        }
    }

    /// A batch of random steps. What the model says comes into force if the batch does not fail.
    fn batch(&mut self, fails: bool) {
        enum Step {
            Upload { to: usize, offset: usize, bytes: Vec<u8> },
            Run { on: usize, iterations: u32 },
        }
        let count = 1 + self.random.below(5);
        let times = 1 + self.random.below(3);
        let mut steps = Vec::new();
        for _ in 0..count {
            let on = self.random.below(self.held.len());
            let fill = self.random.below(256) as u8;
            steps.push(match self.random.below(4) {
                0 => Step::Upload { to: on, offset: 0, bytes: vec![fill; BYTES] },
                1 => {
                    let offset = self.random.below(BYTES);
                    let len = self.random.below(BYTES - offset + 1);
                    Step::Upload { to: on, offset, bytes: vec![fill; len] }
                }
                _ => Step::Run { on, iterations: 1 + self.random.below(3) as u32 },
            });
        }
        for step in &steps {
            self.done.push(match step {
                Step::Upload { to, offset, bytes } => format!("{times} x upload {to} {offset} {bytes:?}"),
                Step::Run { on, iterations } => format!("{times} x {iterations} x run on {on}"),
            });
        }
        let read = self.random.below(self.held.len());
        let start = self.random.below(BYTES) as u64;
        let range = start..start + self.random.below(BYTES - start as usize + 1) as u64;
        self.done.push(format!("read {read} {range:?}"));
        // In plain Rust. What is lost may be used after all of it was uploaded.
        let mut model: Vec<Option<Vec<u8>>> = self.held.iter().map(|held| held.contents.clone()).collect();
        let mut written = vec![false; model.len()];
        let mut poisoned = false;
        for _ in 0..times {
            for step in &steps {
                match step {
                    Step::Upload { to, offset, bytes } => {
                        written[*to] = true;
                        match &mut model[*to] {
                            _ if bytes.len() == BYTES => model[*to] = Some(bytes.clone()),
                            Some(contents) => contents[*offset..offset + bytes.len()].copy_from_slice(bytes),
                            None => poisoned = true,
                        }
                    }
                    Step::Run { on, iterations } => {
                        written[*on] = true;
                        let Some(contents) = &mut model[*on] else {
                            poisoned = true;
                            continue;
                        };
                        let mut data = words(contents);
                        (0..*iterations).for_each(|_| twice_model(&mut data));
                        *contents = bytes(&data);
                    }
                }
            }
        }
        poisoned |= model[read].is_none();
        let mut batch = self.device.batch();
        let held = &self.held;
        batch
            .repeat(times as u32, |batch| {
                for step in &steps {
                    match step {
                        Step::Upload { to, offset, bytes } => {
                            let (to, offset) = (&held[*to].resident, *offset as u64);
                            batch.upload(Upload { to, offset, bytes })?;
                        }
                        Step::Run { on, iterations } => {
                            let config = DispatchConfig { iterations: *iterations, ..Default::default() };
                            batch.dispatch(
                                &self.twice,
                                &[Resource::Resident(&held[*on].resident)],
                                &config,
                            )?;
                        }
                    }
                }
                Ok(())
            })
            .unwrap();
        let before = self.log.calls().len();
        let result = batch.run(&[Region { from: &held[read].resident, range: range.clone() }]);
        match result {
            Ok(outputs) => {
                assert!(!fails && !poisoned, "{:#?}", self.done);
                let wanted = model[read].as_ref().unwrap();
                let range = range.start as usize..range.end as usize;
                assert_eq!(outputs.regions[0][..], wanted[range], "{:#?}", self.done);
                self.held.iter_mut().zip(model).for_each(|(held, contents)| held.contents = contents);
            }
            Err(BackendError::Poisoned { .. }) => {
                assert!(poisoned, "{:#?}", self.done);
                assert_eq!(self.log.calls().len(), before, "nothing was begun");
                if fails {
                    // The fault is still to come.
                    assert!(self.device.batch().run(&[]).is_err());
                }
            }
            Err(error) => {
                assert!(fails && !poisoned, "{error}: {:#?}", self.done);
                for (held, written) in self.held.iter_mut().zip(written) {
                    if written && !held.journaled {
                        held.contents = None;
                    }
                }
            }
        }
    }

    fn check(&mut self) {
        self.done.push("check".into());
        for held in &self.held {
            match (held.resident.download(), &held.contents) {
                (Ok(got), Some(wanted)) => assert_eq!(got[..], wanted[..], "{:#?}", self.done),
                (Err(BackendError::Poisoned { .. }), None) => {}
                (got, _) => panic!("{:?}: {:#?}", got.map(|bytes| bytes.to_vec()), self.done),
            }
        }
    }
}
