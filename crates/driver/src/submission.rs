//! Makes one submission of steps that are about the driver's things: programs, resident buffers, bytes of the caller.
//!
//! Two walks over the steps: the first gets hold of all memory, the second makes the backend's commands of it. Copies
//! that belong to a program's inputs and outputs come before the first and after the last step. What a submission that
//! fails may have written is restored from its journal, or marked as lost.

use crate::backend::{Cancel, Command, DeviceMemory, Executable, Launch, LaunchMemory, Submitted};
use crate::compiled::Compiled;
use crate::device::{Device, Opened, lock};
use crate::error::BackendError;
use crate::memory::AlignedBytes;
use crate::resident::{Region, Resident, Upload, allocate_checked};
use smallvec::SmallVec;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

/// One step.
pub(crate) enum Step<'a> {
    Upload(Upload<'a>),
    Launch { compiled: &'a Compiled, slots: Vec<Slot<'a>>, workgroups: [u32; 3] },
    Repeat { times: u32, steps: Vec<Step<'a>> },
}

/// What a buffer is bound to, by place in the plan.
pub(crate) enum Slot<'a> {
    Unbound,
    /// Bytes of the host on which the program runs.
    Read(&'a [u8]),
    /// Bytes of the host on which the program runs: its contents before and after.
    Write(&'a mut [u8]),
    /// Memory of the device, for this submission only.
    Staged {
        bytes: u64,
        before: Option<&'a [u8]>,
        after: Option<&'a mut [u8]>,
    },
    Resident(&'a Resident),
}

pub(crate) type Slots<'a> = SmallVec<[Slot<'a>; 16]>;

/// The memory of a submission.
#[derive(Default)]
struct Held {
    executables: Vec<Arc<dyn Executable>>,
    staged: Vec<Arc<dyn DeviceMemory>>,
    residents: HashMap<usize, Use>,
}

/// A resident buffer of a submission.
struct Use {
    resident: Resident,
    memory: Arc<dyn DeviceMemory>,
    /// A program may write it.
    launched: bool,
    /// Something of it is uploaded.
    uploaded: bool,
    /// All of it is, before anything reads it.
    renewed: bool,
}

fn key(resident: &Resident) -> usize {
    Arc::as_ptr(&resident.inner).addr()
}

/// Performs steps, then copies regions to the host, at most for so long.
pub(crate) fn perform(
    device: &Device,
    backend: &Opened<'_>,
    steps: &mut [Step<'_>],
    regions: &mut [(Region<'_>, &mut [u8])],
    timeout: Option<Duration>,
    cancel: &Cancel,
) -> Result<Submitted, BackendError> {
    let mut held = Held::default();
    held.steps(device, backend, steps)?;
    for (region, _) in regions.iter() {
        held.resident(region.from, false)?;
    }
    let mut uploads = Vec::new();
    collect_uploads(steps, &mut uploads);
    let mut journals: Vec<(usize, AlignedBytes)> = Vec::new();
    for (&key, held) in held.residents.iter().filter(|(_, held)| held.launched) {
        if held.resident.inner.journal.is_some() {
            let what = format!("the journal of resident buffer `{}`", held.resident.name());
            journals.push((key, AlignedBytes::zeroed(held.resident.bytes(), &what)?));
        }
    }
    let mut commands = held.commands(steps)?;
    for (region, into) in regions {
        let from = &*held.residents[&key(region.from)].memory;
        commands.push(Command::Download { from, offset: region.range.start, into });
    }
    for (key, into) in &mut journals {
        commands.push(Command::Download { from: &*held.residents[key].memory, offset: 0, into });
    }
    count_bytes(device, &commands);
    let result = device.inner.submit(backend, &mut commands, timeout, cancel);
    drop(commands);
    match result {
        Ok(submitted) => {
            held.keep(&uploads, journals);
            Ok(submitted)
        }
        Err(error) => {
            if !matches!(error, BackendError::DeviceLost { .. }) {
                held.undo(backend, &error);
            }
            Err(error)
        }
    }
}

fn count_bytes(device: &Device, commands: &[Command<'_>]) {
    let metrics = &device.inner.metrics;
    for command in commands {
        match command {
            Command::Upload { bytes, .. } => metrics.bytes_uploaded.add(bytes.len() as u64),
            Command::Download { into, .. } => metrics.bytes_downloaded.add(into.len() as u64),
            _ => {}
        }
    }
}

fn collect_uploads<'a>(steps: &[Step<'a>], uploads: &mut Vec<Upload<'a>>) {
    for step in steps {
        match step {
            Step::Upload(upload) => uploads.push(upload.clone()),
            Step::Repeat { steps, .. } => collect_uploads(steps, uploads),
            Step::Launch { .. } => {}
        }
    }
}

impl Held {
    fn steps(
        &mut self,
        device: &Device,
        backend: &Opened<'_>,
        steps: &[Step<'_>],
    ) -> Result<(), BackendError> {
        for step in steps {
            match step {
                Step::Upload(upload) => {
                    let whole = upload.offset == 0 && upload.bytes.len() as u64 == upload.to.bytes();
                    let held = self.resident(upload.to, whole)?;
                    held.uploaded = true;
                    held.renewed |= whole;
                }
                Step::Launch { compiled, slots, .. } => {
                    self.executables.push(compiled.kernel.executable(backend));
                    for (slot, b) in slots.iter().zip(&compiled.kernel.plan.bindings) {
                        match slot {
                            Slot::Resident(resident) => {
                                self.resident(resident, false)?.launched |= b.is_written();
                            }
                            Slot::Staged { bytes, .. } => {
                                let memory =
                                    allocate_checked(&***backend, *bytes, &format!("buffer `{}`", b.name));
                                self.staged.push(device.inner.judge(backend, memory)?);
                            }
                            _ => {}
                        }
                    }
                }
                Step::Repeat { steps, .. } => self.steps(device, backend, steps)?,
            }
        }
        Ok(())
    }

    /// The memory of a resident buffer, whose contents are needed unless they are `renewed`.
    fn resident(&mut self, resident: &Resident, renewed: bool) -> Result<&mut Use, BackendError> {
        Ok(match self.residents.entry(key(resident)) {
            std::collections::hash_map::Entry::Occupied(held) => held.into_mut(),
            std::collections::hash_map::Entry::Vacant(place) => place.insert(Use {
                resident: resident.clone(),
                memory: resident.memory(renewed)?,
                launched: false,
                uploaded: false,
                renewed: false,
            }),
        })
    }

    /// The commands of steps, with the copies that belong to inputs and outputs around them.
    fn commands<'m>(&'m self, steps: &'m mut [Step<'_>]) -> Result<Vec<Command<'m>>, BackendError> {
        let (mut before, mut after) = (Vec::new(), Vec::new());
        let mut commands =
            Commands { held: self, executable: 0, staged: 0, before: &mut before, after: &mut after };
        let main = commands.of(steps)?;
        before.extend(main);
        before.append(&mut after);
        Ok(before)
    }

    /// After success: journals get the new contents, and what was renewed is good.
    fn keep(&self, uploads: &[Upload<'_>], journals: Vec<(usize, AlignedBytes)>) {
        for (key, bytes) in journals {
            if let Some(journal) = &self.residents[&key].resident.inner.journal {
                *lock(journal) = bytes;
            }
        }
        for upload in uploads.iter().filter(|upload| !self.residents[&key(upload.to)].launched) {
            if let Some(journal) = &upload.to.inner.journal {
                let start = upload.offset as usize;
                lock(journal)[start..start + upload.bytes.len()].copy_from_slice(upload.bytes);
            }
        }
        for held in self.residents.values().filter(|held| held.renewed) {
            held.resident.inner.set_poison(None);
        }
    }

    /// After a failure that the device survived.
    fn undo(&self, backend: &Opened<'_>, error: &BackendError) {
        for held in self.residents.values().filter(|held| held.launched || held.uploaded) {
            held.resident.inner.undo(&***backend, &format!("a submission that writes it failed: {error}"));
        }
    }
}

/// Makes commands of steps.
struct Commands<'c, 'm> {
    held: &'m Held,
    /// The next executable.
    executable: usize,
    /// The next staged memory.
    staged: usize,
    before: &'c mut Vec<Command<'m>>,
    after: &'c mut Vec<Command<'m>>,
}

impl<'m> Commands<'_, 'm> {
    fn of(&mut self, steps: &'m mut [Step<'_>]) -> Result<Vec<Command<'m>>, BackendError> {
        steps.iter_mut().map(|step| self.command(step)).collect()
    }

    fn command(&mut self, step: &'m mut Step<'_>) -> Result<Command<'m>, BackendError> {
        Ok(match step {
            Step::Upload(upload) => {
                let to = &*self.held.residents[&key(upload.to)].memory;
                Command::Upload { to, offset: upload.offset, bytes: upload.bytes }
            }
            Step::Repeat { times, steps } => Command::Repeat { times: *times, commands: self.of(steps)? },
            Step::Launch { compiled, slots, workgroups } => {
                let executable = &*self.held.executables[self.executable];
                self.executable += 1;
                let kernel = &*compiled.kernel;
                let mut memory = SmallVec::new();
                memory.resize_with(kernel.program.buffers.len(), || LaunchMemory::Unbound);
                for (slot, b) in slots.iter_mut().zip(&kernel.plan.bindings) {
                    memory[b.buffer_index] = self.memory(slot, b.is_written());
                }
                Command::Launch(Launch { executable, workgroups: *workgroups, memory })
            }
        })
    }

    fn memory(&mut self, slot: &'m mut Slot<'_>, writes: bool) -> LaunchMemory<'m> {
        match slot {
            Slot::Unbound => LaunchMemory::Unbound,
            Slot::Read(bytes) => LaunchMemory::Read(bytes),
            Slot::Write(bytes) => LaunchMemory::Write(bytes),
            Slot::Resident(resident) => {
                LaunchMemory::Device { memory: &*self.held.residents[&key(resident)].memory, writes }
            }
            Slot::Staged { before, after, .. } => {
                let memory = &*self.held.staged[self.staged];
                self.staged += 1;
                if let Some(bytes) = before {
                    self.before.push(Command::Upload { to: memory, offset: 0, bytes });
                }
                if let Some(into) = after {
                    self.after.push(Command::Download { from: memory, offset: 0, into });
                }
                LaunchMemory::Device { memory, writes }
            }
        }
    }
}
