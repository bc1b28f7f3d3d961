//! Work as the device gets it: commands in order, on one stream, with one wait at the end.
//!
//! What goes up and comes down passes through the lane's ring of pinned memory; what comes down is at its place when the
//! device is done. Launches that follow each other are gathered and handed over as graphs, unless there are few. Only more
//! launches than is sensible, or what follows [stages](crate::stages) of which the device decides how often they run,
//! take further waits.

use crate::errors::internal;
use crate::executable::{CudaExecutable, Loaded};
use crate::graphs::{LEAST, MOST};
use crate::lane::Lane;
use crate::launch::{Bound, Part, Place, Prepared, largest, no_such_command, own_memory, parts};
use crate::library::Failure;
use crate::memory::{Block, CudaMemory};
use crate::opened::{Opened, Stuck};
use crate::stages::{Rounds, STATE_BYTES};
use crate::staging::{Landing, PIECE, Turn};
use crate::symbols::Address;
use crate::timing::Timing;
use crate::waiting::{Waited, wait};
use smallvec::SmallVec;
use std::sync::Arc;
use std::time::{Duration, Instant};
use vyre_driver::spans::TARGET;
use vyre_driver::{BackendError, Cancel, Command, DeviceMemory, Executable, LaunchMemory, Submitted, own};

/// Launches that are handed over before the host waits for them, at most.
pub const LAUNCHES: u32 = 4096;

/// The number that a read of the stages' state has instead of a place among the others.
const STATE: usize = usize::MAX;

/// Performs commands in order.
pub fn submit(
    opened: &Arc<Opened>,
    commands: &mut [Command<'_>],
    cancel: &Cancel,
) -> Result<Submitted, BackendError> {
    opened.usable()?;
    let _inside = opened.enter()?;
    let mut lane = opened.lanes.take(opened).map_err(|failure| opened.failed(&failure))?;
    let error = match Submission::new(opened, cancel, &mut lane, commands).perform(commands) {
        Ok(took) => {
            opened.lanes.keep(opened, lane);
            return Ok(took);
        }
        Err(error) => error,
    };
    // What the device is still at work on is not given back. In a context that has failed nothing is at work.
    match wait(cancel, || lane.is_done(opened.driver())) {
        Ok(Waited::Done) => {
            lane.staging.forget();
            opened.lanes.keep(opened, lane);
            Err(error)
        }
        Ok(Waited::Left) => {
            let (mut blocks, mut kernels) = (Vec::new(), Vec::new());
            hold(commands, &mut blocks, &mut kernels);
            opened.leave(Stuck { lane, _blocks: blocks, _kernels: kernels });
            Err(BackendError::Timeout { seconds: 0.0, stopped: false })
        }
        Err(failure) => {
            let error = opened.failed(&failure);
            lane.end(opened);
            Err(error)
        }
    }
}

/// All memory and all kernels of commands that may still be at work.
fn hold(commands: &[Command<'_>], blocks: &mut Vec<Arc<Block>>, kernels: &mut Vec<Arc<Loaded>>) {
    let block = |memory: &dyn DeviceMemory| Some(own::<CudaMemory>(memory).ok()?.block().clone());
    let kernel = |executable: &dyn Executable| own::<CudaExecutable>(executable).ok()?.loaded().ok();
    let bound = |memory: &LaunchMemory<'_>| match memory {
        LaunchMemory::Device { memory, .. } => block(*memory),
        _ => None,
    };
    for command in commands {
        match command {
            Command::Upload { to, .. } => blocks.extend(block(*to)),
            Command::Download { from, .. } => blocks.extend(block(*from)),
            Command::Launch(launch) => {
                blocks.extend(launch.memory.iter().filter_map(bound));
                kernels.extend(kernel(launch.executable));
            }
            Command::Stages(stages) => {
                blocks.extend(stages.memory.iter().filter_map(bound));
                kernels.extend(stages.stages.iter().filter_map(|stage| kernel(*stage)));
                kernels.extend(stages.control.as_ref().and_then(|control| kernel(control.executable)));
            }
            Command::Drain(_) => {}
            Command::Repeat { commands, .. } => hold(commands, blocks, kernels),
        }
    }
}

/// Commands on their way.
pub struct Submission<'s> {
    pub opened: &'s Arc<Opened>,
    cancel: &'s Cancel,
    lane: &'s mut Lane,
    start: Instant,
    took: Submitted,
    /// Launches that are not handed over yet, while they are gathered.
    gathered: Vec<Prepared>,
    gathers: bool,
    /// Whether those gathered are timed.
    timed: bool,
    timing: Timing,
    /// Launches handed over since the host waited.
    under_way: u32,
    /// How often something was handed over.
    handed_over: u64,
    /// Kernels that may be at work, so that none is unloaded.
    kernels: SmallVec<[Arc<Loaded>; 4]>,
    arrivals: Arrivals<'s>,
    /// Stages that were handed over last and may have to go on.
    pub rounds: Option<Rounds<'s>>,
    /// Whether the host has waited for the device.
    waited: bool,
}

/// What comes down.
#[derive(Default)]
struct Arrivals<'s> {
    /// Of what was asked for after stages that may have to go on, all is copied again then.
    reads: Vec<Read<'s>>,
    /// The state of stages.
    state: [u8; STATE_BYTES],
}

/// Bytes that come down.
struct Read<'s> {
    from: Address,
    into: &'s mut [u8],
}

/// How many launches commands are, up to some number.
fn launches(commands: &[Command<'_>]) -> usize {
    commands.iter().fold(0, |sum: usize, command| {
        sum.saturating_add(match command {
            Command::Launch(_) => 1,
            Command::Stages(stages) if stages.control.is_some() => MOST,
            Command::Stages(stages) => stages.stages.len(),
            Command::Repeat { times, commands } => launches(commands).saturating_mul(*times as usize),
            Command::Upload { .. } | Command::Download { .. } | Command::Drain(_) => 0,
        })
    })
}

/// Whether there is nothing to do, however often.
fn is_nothing(commands: &[Command<'_>]) -> bool {
    commands.iter().all(|command| match command {
        Command::Repeat { times, commands } => *times == 0 || is_nothing(commands),
        _ => false,
    })
}

impl<'s> Submission<'s> {
    fn new(
        opened: &'s Arc<Opened>,
        cancel: &'s Cancel,
        lane: &'s mut Lane,
        commands: &[Command<'_>],
    ) -> Submission<'s> {
        Submission {
            opened,
            cancel,
            lane,
            start: Instant::now(),
            took: Submitted { further_waits: 0, enqueue_ns: Some(0), wait_ns: Some(0), device_ns: None },
            gathered: Vec::new(),
            gathers: launches(commands) >= LEAST,
            timed: false,
            timing: Timing::default(),
            under_way: 0,
            handed_over: 0,
            kernels: SmallVec::new(),
            arrivals: Arrivals::default(),
            rounds: None,
            waited: false,
        }
    }

    fn perform(mut self, commands: &'s mut [Command<'_>]) -> Result<Submitted, BackendError> {
        commands.iter().try_for_each(|command| self.prepare(command))?;
        let caught_up = self.lane.catch_up(self.opened);
        caught_up.map_err(|failure| self.failed(&failure))?;
        for command in commands {
            match command {
                Command::Download { from, offset, into } => self.download(*from, *offset, into)?,
                command => self.step(command)?,
            }
        }
        self.settle()?;
        self.took.device_ns = self.timing.total();
        Ok(self.took)
    }

    fn failed(&self, failure: &Failure) -> BackendError {
        self.opened.failed(failure)
    }

    /// How many reads were asked for.
    pub fn reads(&self) -> usize {
        self.arrivals.reads.len()
    }

    /// Has memory that is used for the first time cleared.
    fn prepare(&self, command: &Command<'_>) -> Result<(), BackendError> {
        let bound = |memory: &[LaunchMemory<'_>]| {
            memory.iter().try_for_each(|memory| match memory {
                LaunchMemory::Device { memory, .. } => own_memory(self.opened, *memory)?.prepare(false),
                _ => Ok(()),
            })
        };
        match command {
            Command::Upload { to, bytes, .. } => {
                let overwritten = bytes.len() as u64 == to.bytes();
                own_memory(self.opened, *to)?.prepare(overwritten)
            }
            Command::Download { from, .. } => own_memory(self.opened, *from)?.prepare(false),
            Command::Launch(launch) => bound(&launch.memory),
            Command::Stages(stages) => bound(&stages.memory),
            Command::Drain(_) => Err(no_such_command("a work queue in the host's memory")),
            Command::Repeat { times: 0, .. } => Ok(()),
            Command::Repeat { commands, .. } => commands.iter().try_for_each(|command| self.prepare(command)),
        }
    }

    /// Performs any command but a download.
    fn step(&mut self, command: &'s Command<'_>) -> Result<(), BackendError> {
        if self.rounds.is_some() {
            // It is not to run before they are done.
            self.settle()?;
        }
        match command {
            Command::Upload { to, offset, bytes } => self.upload(*to, *offset, bytes),
            Command::Launch(launch) => {
                let bound = Bound::new(self.opened, launch.executable, &launch.memory)?;
                self.launch(&bound, launch.workgroups, launch.timed)
            }
            Command::Stages(stages) => self.stages(stages),
            Command::Repeat { times, commands } => self.repeat(*times, commands),
            Command::Drain(_) => Err(no_such_command("a work queue in the host's memory")),
            Command::Download { .. } => Err(internal("a download that is repeated")),
        }
    }

    /// That nobody has asked to stop.
    fn go_on(&self) -> Result<(), BackendError> {
        if self.cancel.requested() { Err(BackendError::stopped()) } else { Ok(()) }
    }

    fn upload(&mut self, to: &dyn DeviceMemory, offset: u64, bytes: &[u8]) -> Result<(), BackendError> {
        let address = inside(own_memory(self.opened, to)?, offset, bytes.len())?;
        self.go_on()?;
        self.flush()?;
        let _span = tracing::debug_span!(target: TARGET, "upload", bytes = bytes.len()).entered();
        let turn = Turn { opened: self.opened, stream: self.lane.stream, cancel: self.cancel };
        let arrivals = &mut self.arrivals;
        for (piece, at) in bytes.chunks(PIECE).zip((address..).step_by(PIECE)) {
            let copied = self.lane.staging.up(&turn, piece, at, &mut |at, bytes| arrivals.take(at, bytes));
            not_left(copied.map_err(|failure| self.opened.failed(&failure))?)?;
        }
        Ok(())
    }

    fn download(
        &mut self,
        from: &dyn DeviceMemory,
        offset: u64,
        into: &'s mut [u8],
    ) -> Result<(), BackendError> {
        let from = inside(own_memory(self.opened, from)?, offset, into.len())?;
        self.go_on()?;
        self.flush()?;
        self.arrivals.reads.push(Read { from, into });
        self.read(self.arrivals.reads.len() - 1)
    }

    /// Has what a read asks for come down.
    fn read(&mut self, read: usize) -> Result<(), BackendError> {
        let Read { from, into } = &self.arrivals.reads[read];
        let (from, bytes) = (*from, into.len());
        (0..bytes).step_by(PIECE).try_for_each(|start| {
            self.stage_down((read, start, PIECE.min(bytes - start)), from + start as u64)
        })
    }

    fn stage_down(&mut self, place: (usize, usize, usize), from: Address) -> Result<(), BackendError> {
        let turn = Turn { opened: self.opened, stream: self.lane.stream, cancel: self.cancel };
        let arrivals = &mut self.arrivals;
        let copied = self.lane.staging.down(&turn, place, from, &mut |at, bytes| arrivals.take(at, bytes));
        not_left(copied.map_err(|failure| self.opened.failed(&failure))?)
    }

    /// Launches a program, in parts if its grid is too large for the device.
    pub fn launch(
        &mut self,
        bound: &Bound<'_>,
        workgroups: [u32; 3],
        timed: bool,
    ) -> Result<(), BackendError> {
        let barrier = self.lane.barrier;
        let merged = bound.executable.merging.factor(workgroups);
        let blocks = [workgroups[0] / merged, workgroups[1], workgroups[2]];
        for part in parts(blocks, largest(blocks, self.opened.description.largest_grid)) {
            let Part { first, blocks: grid } = part;
            let place = Place { merged, first, grid, workgroups, barrier, gate: 0 };
            self.launch_part(bound, &place, timed)?;
        }
        Ok(())
    }

    /// Launches part of a program's grid.
    pub fn launch_part(&mut self, bound: &Bound<'_>, place: &Place, timed: bool) -> Result<(), BackendError> {
        self.go_on()?;
        let mut prepared = bound.at(place);
        let known = |kernel: &Arc<Loaded>| Arc::ptr_eq(kernel, &bound.loaded);
        if !self.kernels.iter().rev().take(8).any(known) {
            self.kernels.push(bound.loaded.clone());
        }
        if self.timed != timed {
            self.flush()?;
            self.timed = timed;
        }
        if self.gathers && !prepared.waits {
            self.gathered.push(prepared);
            return if self.gathered.len() >= MOST { self.flush() } else { Ok(()) };
        }
        self.flush()?;
        self.hand_over(1, |opened, lane| prepared.launch(opened, lane.stream))
    }

    /// Hands gathered launches over.
    fn flush(&mut self) -> Result<(), BackendError> {
        if self.gathered.is_empty() {
            return Ok(());
        }
        let mut gathered = std::mem::take(&mut self.gathered);
        let handed_over = self.hand_over(gathered.len(), |opened, lane| {
            lane.graphs.launch(opened, lane.stream, &mut gathered, false)
        });
        gathered.clear();
        self.gathered = gathered;
        handed_over
    }

    /// Hands launches over, timed if need be, and waits if too many are under way.
    fn hand_over(
        &mut self,
        count: usize,
        launch: impl FnOnce(&Opened, &mut Lane) -> Result<(), BackendError>,
    ) -> Result<(), BackendError> {
        let opened = self.opened;
        let failed = |failure: Failure| opened.failed(&failure);
        let stretch = self.timing.begin(opened, self.lane, self.timed).map_err(failed)?;
        launch(opened, self.lane)?;
        self.timing.end(opened, self.lane, stretch).map_err(failed)?;
        self.handed_over += 1;
        self.under_way += count as u32;
        if self.under_way >= LAUNCHES { self.wait() } else { Ok(()) }
    }

    /// Performs commands several times.
    fn repeat(&mut self, times: u32, commands: &'s [Command<'_>]) -> Result<(), BackendError> {
        if is_nothing(commands) {
            return Ok(());
        }
        let mut left = times;
        if self.gathers && times > 1 && commands.iter().all(|command| matches!(command, Command::Launch(_))) {
            self.flush()?;
            let before = self.handed_over;
            commands.iter().try_for_each(|command| self.step(command))?;
            if self.handed_over == before {
                return self.repeat_gathered(times);
            }
            left -= 1;
        }
        for _ in 0..left {
            self.go_on()?;
            commands.iter().try_for_each(|command| self.step(command))?;
        }
        Ok(())
    }

    /// Launches what is gathered so many times.
    fn repeat_gathered(&mut self, times: u32) -> Result<(), BackendError> {
        let body = std::mem::take(&mut self.gathered);
        if body.is_empty() {
            return Ok(());
        }
        let each = (MOST / body.len()).clamp(1, times as usize);
        let mut sequence: Vec<Prepared> = Vec::with_capacity(each * body.len());
        (0..each).for_each(|_| sequence.extend(body.iter().cloned()));
        let rounds = times as usize / each;
        for _ in 0..rounds {
            self.go_on()?;
            self.hand_over(sequence.len(), |opened, lane| {
                lane.graphs.launch(opened, lane.stream, &mut sequence, rounds > 1)
            })?;
        }
        (0..times as usize % each).for_each(|_| self.gathered.extend(body.iter().cloned()));
        self.flush()
    }

    /// Has all that was asked for so far done, and what comes down at its place.
    fn settle(&mut self) -> Result<(), BackendError> {
        loop {
            self.flush()?;
            if let Some(state) = self.rounds.as_ref().map(|rounds| rounds.state) {
                self.stage_down((STATE, 0, STATE_BYTES), state)?;
            }
            self.wait()?;
            let Some(mut rounds) = self.rounds.take() else { return Ok(()) };
            if !rounds.told(&self.arrivals.state)? {
                return Ok(());
            }
            self.hand_over_rounds(&rounds)?;
            let first = rounds.reads;
            self.rounds = Some(rounds);
            self.flush()?;
            (first..self.reads()).try_for_each(|read| self.read(read))?;
        }
    }

    /// Waits until the device is done with what was handed over.
    fn wait(&mut self) -> Result<(), BackendError> {
        let opened = self.opened;
        let failed = |failure: Failure| opened.failed(&failure);
        let handed_over = Instant::now();
        add(&mut self.took.enqueue_ns, handed_over - self.start);
        self.took.further_waits += u32::from(std::mem::replace(&mut self.waited, true));
        let span = tracing::debug_span!(target: TARGET, "wait").entered();
        let waited = wait(self.cancel, || self.lane.is_done(opened.driver()));
        drop(span);
        not_left(waited.map_err(failed)?)?;
        add(&mut self.took.wait_ns, handed_over.elapsed());
        self.timing.collect(opened, self.lane).map_err(failed)?;
        let _span = tracing::debug_span!(target: TARGET, "readback", bytes = self.arrivals.bytes()).entered();
        let arrivals = &mut self.arrivals;
        self.lane.staging.land(&mut |at, bytes| arrivals.take(at, bytes));
        self.kernels.clear();
        self.under_way = 0;
        self.start = Instant::now();
        Ok(())
    }
}

impl Arrivals<'_> {
    /// Bytes that come down.
    fn bytes(&self) -> usize {
        self.reads.iter().map(|read| read.into.len()).sum()
    }

    /// Takes bytes that came down to their place.
    fn take(&mut self, landing: Landing, bytes: &[u8]) {
        let into = match self.reads.get_mut(landing.read) {
            Some(read) => &mut *read.into,
            None => &mut self.state[..],
        };
        into[landing.start..][..landing.bytes].copy_from_slice(bytes);
    }
}

fn add(total: &mut Option<u64>, more: Duration) {
    *total = total.map(|total| total + more.as_nanos() as u64);
}

/// That a wait was not left.
fn not_left(waited: Waited) -> Result<(), BackendError> {
    match waited {
        Waited::Done => Ok(()),
        Waited::Left => Err(BackendError::stopped()),
    }
}

/// Where bytes of a memory are.
fn inside(memory: &CudaMemory, offset: u64, bytes: usize) -> Result<Address, BackendError> {
    let end = offset.checked_add(bytes as u64);
    match end.filter(|end| *end <= memory.bytes()) {
        Some(_) => Ok(memory.address() + offset),
        None => Err(internal("a copy beyond the end of its memory")),
    }
}
