//! Makes one submission of steps that are about the driver's things: programs, resident buffers, bytes of the caller.
//!
//! Two walks over the steps: the first finds out what they use, the second makes the backend's commands of them. In
//! between, all that is written is locked and all memory got hold of. Copies that belong to a program's inputs and
//! outputs come before the first and after the last step. What a submission that fails may have written is restored
//! from its journal, or marked as lost.

use crate::backend::{
    Cancel, Command, Control, DeviceMemory, Drain, Launch, LaunchMemory, MemoryRequest, Stages, Submitted,
};
use crate::compiled::Compiled;
use crate::device::{Device, Opened, lock};
use crate::error::BackendError;
use crate::form::{Persistent, Runs, ScratchMemory};
use crate::memory::AlignedBytes;
use crate::placement::Placement;
use crate::resident::{Journal, Region, Resident, Upload, allocate_checked};
use smallvec::SmallVec;
use std::collections::BTreeMap;
use std::sync::{Arc, MutexGuard};
use std::time::Duration;

/// One step.
pub(crate) enum Step<'a> {
    Upload(Upload<'a>),
    Launch(LaunchStep<'a>),
    Repeat { times: u32, steps: Vec<Step<'a>> },
}

/// A run of a program.
pub(crate) struct LaunchStep<'a> {
    pub compiled: &'a Compiled,
    pub slots: Vec<Slot<'a>>,
    pub workgroups: [u32; 3],
    pub timed: bool,
    /// The work queue whose items it handles.
    pub queue: Option<QueueMemory<'a>>,
}

/// The memory of a work queue, in the order of [`vyre_opt::stages::Staged::scratch`].
#[derive(Copy, Clone)]
pub(crate) struct QueueMemory<'a> {
    pub buffers: [&'a Resident; 3],
    /// Entries.
    pub capacity: u32,
    /// Items of a window at most.
    pub window: u64,
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
        placement: Placement,
        before: Option<&'a [u8]>,
        after: Option<&'a mut [u8]>,
    },
    Resident {
        resident: &'a Resident,
        after: Option<&'a mut [u8]>,
    },
}

pub(crate) type Slots<'a> = SmallVec<[Slot<'a>; 16]>;

/// The resident buffers of a submission, by number: the order in which they are locked.
type Uses = BTreeMap<u64, Use>;

/// A resident buffer of a submission.
struct Use {
    resident: Resident,
    /// What it held before is of no matter: the first thing that happens is that all of it is uploaded.
    renewed_first: bool,
    /// All of it is uploaded at some time.
    renewed: bool,
    /// Something of it is uploaded.
    uploaded: bool,
    /// A program may write it.
    launched: bool,
}

/// A resident buffer that is written, by nobody else meanwhile.
struct Writing<'u> {
    of: &'u Use,
    journal: MutexGuard<'u, Journal>,
    /// What the journal will be, if a program writes the buffer.
    after: Option<AlignedBytes>,
}

/// The memory and the code of a submission.
struct Held {
    /// What runs each launch.
    runs: Vec<HeldRun>,
    staged: Vec<Arc<dyn DeviceMemory>>,
    residents: BTreeMap<u64, Arc<dyn DeviceMemory>>,
}

/// What runs a launch, and its own memory.
struct HeldRun {
    runs: Runs,
    scratch: ScratchMemory,
    /// What the state of stages is at first.
    state: Vec<u8>,
}

fn number(resident: &Resident) -> u64 {
    resident.inner.number
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
    let mut uses = Uses::new();
    find_uses(steps, &mut uses);
    for (region, _) in regions.iter() {
        used(&mut uses, region.from, false);
    }
    for needed in uses.values().filter(|used| !used.renewed_first) {
        device.inner.judge(backend, needed.resident.inner.repair(&***backend))?;
    }
    let mut writing = lock_written(&uses)?;
    let mut held = Held { runs: Vec::new(), staged: Vec::new(), residents: BTreeMap::new() };
    for (&number, used) in &uses {
        held.residents.insert(number, used.resident.memory(used.renewed_first)?);
    }
    held.take(device, backend, steps)?;
    let mut uploads = Vec::new();
    collect_uploads(steps, &mut uploads);
    let mut commands = held.commands(steps);
    for (region, into) in regions {
        let from = &*held.residents[&number(region.from)];
        commands.push(Command::Download { from, offset: region.range.start, into });
    }
    for Writing { of, after, .. } in &mut writing {
        if let Some(into) = after {
            let from = &*held.residents[&number(&of.resident)];
            commands.push(Command::Download { from, offset: 0, into });
        }
    }
    count_bytes(device, &commands, 1);
    let result = device.inner.submit(backend, &mut commands, timeout, cancel);
    drop(commands);
    match result {
        Ok(submitted) => {
            held.keep();
            keep(&uses, &uploads, writing);
            Ok(submitted)
        }
        Err(error @ BackendError::DeviceLost { .. }) => Err(error),
        Err(error) => Err(undo(device, backend, writing, error)),
    }
}

fn count_bytes(device: &Device, commands: &[Command<'_>], times: u64) {
    let metrics = &device.inner.metrics;
    for command in commands {
        match command {
            Command::Upload { bytes, .. } => {
                metrics.bytes_uploaded.add(times.saturating_mul(bytes.len() as u64))
            }
            Command::Download { into, .. } => {
                metrics.bytes_downloaded.add(times.saturating_mul(into.len() as u64))
            }
            Command::Repeat { times: inner, commands } => {
                count_bytes(device, commands, times.saturating_mul(*inner as u64));
            }
            _ => {}
        }
    }
}

fn collect_uploads<'a>(steps: &[Step<'a>], uploads: &mut Vec<Upload<'a>>) {
    for step in steps {
        match step {
            Step::Upload(upload) => uploads.push(upload.clone()),
            Step::Repeat { steps, .. } => collect_uploads(steps, uploads),
            Step::Launch(_) => {}
        }
    }
}

fn find_uses(steps: &[Step<'_>], uses: &mut Uses) {
    for step in steps {
        match step {
            Step::Upload(upload) => {
                let whole = upload.offset == 0 && upload.bytes.len() as u64 == upload.to.bytes();
                let used = used(uses, upload.to, whole);
                used.uploaded = true;
                used.renewed |= whole;
            }
            Step::Launch(LaunchStep { compiled, slots, queue, .. }) => {
                for (slot, b) in slots.iter().zip(&compiled.kernel.plan.bindings) {
                    if let Slot::Resident { resident, .. } = slot {
                        used(uses, resident, false).launched |= b.is_written();
                    }
                }
                for resident in queue.iter().flat_map(|queue| queue.buffers) {
                    used(uses, resident, false).launched = true;
                }
            }
            Step::Repeat { steps, .. } => find_uses(steps, uses),
        }
    }
}

fn used<'u>(uses: &'u mut Uses, resident: &Resident, renewed_first: bool) -> &'u mut Use {
    uses.entry(number(resident)).or_insert_with(|| Use {
        resident: resident.clone(),
        renewed_first,
        renewed: false,
        uploaded: false,
        launched: false,
    })
}

fn lock_written(uses: &Uses) -> Result<Vec<Writing<'_>>, BackendError> {
    let written = uses.values().filter(|used| used.launched || used.uploaded);
    let mut writing = Vec::new();
    for of in written {
        let journal = lock(&of.resident.inner.journal);
        let after = match of.launched && journal.is_some() {
            true => {
                let what = format!("the journal of resident buffer `{}`", of.resident.name());
                Some(AlignedBytes::zeroed(of.resident.bytes(), &what)?)
            }
            false => None,
        };
        writing.push(Writing { of, journal, after });
    }
    Ok(writing)
}

/// After success: journals get the new contents, and what was renewed is good.
fn keep(uses: &Uses, uploads: &[Upload<'_>], writing: Vec<Writing<'_>>) {
    for Writing { of, mut journal, after } in writing {
        let Some(journal) = &mut *journal else { continue };
        if let Some(after) = after {
            *journal = after;
            continue;
        }
        for upload in uploads.iter().filter(|upload| number(upload.to) == number(&of.resident)) {
            let start = upload.offset as usize;
            journal[start..start + upload.bytes.len()].copy_from_slice(upload.bytes);
        }
    }
    for renewed in uses.values().filter(|used| used.renewed) {
        renewed.resident.inner.renewed();
    }
}

/// After a failure that the device survived. Gives the error to report: that the device is lost if it is after all.
fn undo(
    device: &Device,
    backend: &Opened<'_>,
    writing: Vec<Writing<'_>>,
    error: BackendError,
) -> BackendError {
    let reason = format!("a submission that writes it failed: {error}");
    let mut error = error;
    for Writing { of, journal, .. } in writing {
        let undone = of.resident.inner.undo(&***backend, &journal, &reason);
        if let Err(lost @ BackendError::DeviceLost { .. }) = device.inner.judge(backend, undone) {
            error = lost;
        }
    }
    error
}

impl Held {
    /// What launches need beside resident buffers, in their order.
    fn take(
        &mut self,
        device: &Device,
        backend: &Opened<'_>,
        steps: &[Step<'_>],
    ) -> Result<(), BackendError> {
        for step in steps {
            match step {
                Step::Upload(_) => {}
                Step::Repeat { steps, .. } => self.take(device, backend, steps)?,
                Step::Launch(LaunchStep { compiled, slots, workgroups, queue, .. }) => {
                    let runs = compiled.kernel.runs(backend, *workgroups)?;
                    let (mut scratch, mut state) = (Vec::new(), Vec::new());
                    if let (Runs::Stages(code), None) = (&runs, queue) {
                        scratch = device.inner.judge(backend, code.scratch(&***backend, *workgroups))?;
                        let control = code.plan.control.as_ref();
                        state = control.map_or_else(Vec::new, |control| control.start(*workgroups));
                    }
                    self.runs.push(HeldRun { runs, scratch, state });
                    for (slot, b) in slots.iter().zip(&compiled.kernel.plan.bindings) {
                        if let Slot::Staged { bytes, placement, .. } = slot {
                            let what = format!("buffer `{}`", b.name);
                            let request = MemoryRequest { bytes: *bytes, placement: *placement, what: &what };
                            let memory = allocate_checked(&***backend, &request);
                            self.staged.push(device.inner.judge(backend, memory)?);
                        }
                    }
                }
            }
        }
        Ok(())
    }

    /// Keeps for the next run what can be used again.
    fn keep(self) {
        for HeldRun { runs, scratch, .. } in self.runs {
            if let Runs::Stages(code) = runs {
                code.keep(scratch);
            }
        }
    }

    /// The commands of steps, with the copies that belong to inputs and outputs around them.
    fn commands<'m>(&'m self, steps: &'m mut [Step<'_>]) -> Vec<Command<'m>> {
        let (mut before, mut after) = (Vec::new(), Vec::new());
        let mut commands = Commands { held: self, run: 0, staged: 0, before: &mut before, after: &mut after };
        let main = commands.of(steps);
        before.extend(main);
        before.append(&mut after);
        before
    }
}

/// Makes commands of steps.
struct Commands<'c, 'm> {
    held: &'m Held,
    /// The next launch.
    run: usize,
    /// The next staged memory.
    staged: usize,
    before: &'c mut Vec<Command<'m>>,
    after: &'c mut Vec<Command<'m>>,
}

impl<'m> Commands<'_, 'm> {
    fn of(&mut self, steps: &'m mut [Step<'_>]) -> Vec<Command<'m>> {
        steps.iter_mut().map(|step| self.command(step)).collect()
    }

    fn command(&mut self, step: &'m mut Step<'_>) -> Command<'m> {
        match step {
            Step::Upload(upload) => {
                let to = &*self.held.residents[&number(upload.to)];
                Command::Upload { to, offset: upload.offset, bytes: upload.bytes }
            }
            Step::Repeat { times, steps } => Command::Repeat { times: *times, commands: self.of(steps) },
            Step::Launch(step) => self.launch(step),
        }
    }

    fn launch(&mut self, step: &'m mut LaunchStep<'_>) -> Command<'m> {
        let LaunchStep { compiled, slots, workgroups, timed, queue } = step;
        let (workgroups, timed) = (*workgroups, *timed);
        let HeldRun { runs, scratch, state } = &self.held.runs[self.run];
        self.run += 1;
        let kernel = &*compiled.kernel;
        let mut memory: SmallVec<[LaunchMemory<'m>; 8]> = SmallVec::new();
        memory.resize_with(kernel.program.buffers.len(), || LaunchMemory::Unbound);
        for (slot, b) in slots.iter_mut().zip(&kernel.plan.bindings) {
            memory[b.buffer_index] = self.memory(slot, b.is_written());
        }
        let residents = queue.iter().flat_map(|queue| queue.buffers);
        let own = residents.map(|resident| &*self.held.residents[&number(resident)]);
        let own = own.chain(scratch.iter().map(|memory| &**memory));
        memory.extend(own.map(|memory| LaunchMemory::Device { memory, writes: true }));
        // Memory of workgroups that stages have beside that of the program.
        let buffers = match runs {
            Runs::Whole(_) => 0,
            Runs::Drain(_, queue) | Runs::Persistent(_, Persistent { queue, .. }) => queue.buffers,
            Runs::Stages(code) => code.plan.stages.first().map_or(0, |stage| stage.buffers.len()),
        };
        memory.resize_with(buffers.max(memory.len()), || LaunchMemory::Unbound);
        match runs {
            Runs::Whole(executable) => {
                Command::Launch(Launch { executable: &**executable, workgroups, memory, timed })
            }
            Runs::Persistent(executable, program) => {
                let workgroups = program.workgroups(queue.map_or(1, |queue| queue.window));
                Command::Launch(Launch { executable: &**executable, workgroups, memory, timed })
            }
            Runs::Drain(executable, places) => Command::Drain(Drain {
                executable: &**executable,
                queue: places,
                capacity: queue.map_or(0, |queue| queue.capacity),
                memory,
                timed,
            }),
            Runs::Stages(code) => {
                let workgroups = queue.map_or(workgroups, |queue| code.workgroups(queue.window));
                let stages = code.stages.iter().map(|stage| &**stage).collect();
                let control = code.control.as_ref().zip(code.plan.control.as_ref());
                let control = control.map(|(executable, plan)| Control { executable: &**executable, plan });
                let start = code.plan.control.as_ref().filter(|_| !state.is_empty()).map(|control| {
                    let place = code.plan.scratch.iter().position(|of| of.buffer == control.state);
                    let to = &*scratch[place.expect("the state is scratch memory")];
                    Command::Upload { to, offset: 0, bytes: state }
                });
                let run = Command::Stages(Stages { stages, control, workgroups, memory, timed });
                match start {
                    Some(start) => Command::Repeat { times: 1, commands: vec![start, run] },
                    None => run,
                }
            }
        }
    }

    fn memory(&mut self, slot: &'m mut Slot<'_>, writes: bool) -> LaunchMemory<'m> {
        match slot {
            Slot::Unbound => LaunchMemory::Unbound,
            Slot::Read(bytes) => LaunchMemory::Read(bytes),
            Slot::Write(bytes) => LaunchMemory::Write(bytes),
            Slot::Resident { resident, after } => {
                let memory = &*self.held.residents[&number(resident)];
                if let Some(into) = after {
                    self.after.push(Command::Download { from: memory, offset: 0, into });
                }
                LaunchMemory::Device { memory, writes }
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
