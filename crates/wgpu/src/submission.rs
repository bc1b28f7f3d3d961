//! Work as the device gets it: commands are recorded in order, handed over as one submission, and waited for.
//!
//! What goes up is written to staging buffers while recording; what comes down is read from such when the device is
//! done. Only what would take more staging memory or more launches than is sensible becomes several submissions, an
//! upload to places that are not multiples of 4 bytes, which first needs the bytes around it, and what follows
//! [stages](crate::stages) of which the device decides how often they run.

use crate::executable::{WgpuExecutable, word};
use crate::memory::{Block, GRAIN, WgpuMemory};
use crate::opened::{Opened, lock};
use crate::stages::{Rounds, STATE_BYTES};
use crate::staging::{Arena, Direction, LARGEST};
use crate::timing::Timer;
use crate::turn::Turn;
use crate::{ID, codes, errors};
use smallvec::SmallVec;
use std::sync::{Arc, MutexGuard};
use std::time::{Duration, Instant};
use vyre_driver::{BackendError, Cancel, Command, DeviceMemory, Executable, LaunchMemory, Submitted, own};
use vyre_ir::Diagnostic;
use wgpu::{BindGroup, CommandEncoder, ComputePass, ComputePassDescriptor, PollType, SubmissionIndex};

/// Launches of one submission at most.
pub const LAUNCHES: u32 = 4096;

/// Bytes that are staged at once at most, for each direction.
const STAGED: u64 = 512 << 20;

/// How long a wait lasts before the request to stop is looked at.
pub const GLANCE: Duration = Duration::from_millis(20);

/// How many such waits a submission has to end after the request to stop, if it is only a part of a run: then the run
/// is stopped and the device kept.
const PATIENCE: u32 = 50;

/// Performs commands in order.
pub fn submit<'s>(
    opened: &'s Arc<Opened>,
    commands: &'s mut [Command<'_>],
    cancel: &'s Cancel,
) -> Result<Submitted, BackendError> {
    let _turn = turn(opened, cancel)?;
    opened.usable()?;
    let result = errors::check("a submission", 0, || {
        let mut recording = Recording::new(opened, cancel, commands);
        for command in commands {
            match command {
                Command::Download { from, offset, into } => recording.download(*from, *offset, into)?,
                command => recording.step(command)?,
            }
        }
        recording.flush()?;
        Ok(recording.took)
    });
    let result = result.and_then(|result| result);
    match opened.lost() {
        Some(reason) if result.is_err() => Err(BackendError::DeviceLost { backend: ID, reason }),
        _ => result,
    }
}

/// Waits for the turn of a submission, where they take turns.
fn turn<'s>(opened: &'s Opened, cancel: &Cancel) -> Result<Option<Turn<'s>>, BackendError> {
    let Some(turns) = &opened.turns else { return Ok(None) };
    loop {
        if let Some(turn) = turns.next(GLANCE) {
            return Ok(Some(turn));
        }
        if let Some(reason) = opened.lost() {
            return Err(BackendError::DeviceLost { backend: ID, reason });
        }
        if cancel.requested() {
            return Err(BackendError::stopped());
        }
    }
}

/// Commands on their way.
pub struct Recording<'s> {
    pub opened: &'s Arc<Opened>,
    cancel: &'s Cancel,
    start: Instant,
    took: Submitted,
    encoder: Option<CommandEncoder>,
    /// While launches follow each other.
    pass: Option<ComputePass<'static>>,
    pub launches: u32,
    up: Arena,
    down: Arena,
    /// What comes down. Of what was recorded after stages that may have to go on, all is copied again then.
    pub reads: Vec<Read<'s>>,
    /// Stages that were recorded last and may have to go on.
    pub rounds: Option<Rounds<'s>>,
    /// Whether the host has waited for the device.
    waited: bool,
    timer: Option<Timer>,
    /// Whether a program of this submission is watched.
    watching: bool,
    /// Whether the pass under way is timed.
    timed: bool,
    /// Whether some launch is not, so that no sum means anything.
    untimed: bool,
    /// Held while memory that is used for the first time is recorded but not handed over.
    first_use: Option<MutexGuard<'s, ()>>,
    renewed: Vec<&'s WgpuMemory>,
}

/// Bytes to copy to the host when the device is done.
pub struct Read<'s> {
    memory: &'s WgpuMemory,
    /// Their place there.
    at: u64,
    /// Where they are staged.
    chunk: usize,
    offset: u64,
    into: &'s mut [u8],
}

/// A program and the memory that it is bound to.
pub struct Bound<'s> {
    pub executable: &'s WgpuExecutable,
    pub group: BindGroup,
    /// The size of each buffer, by place.
    pub bytes: SmallVec<[u64; 8]>,
}

/// Part of a grid, no larger than what the device takes at once.
pub struct Part {
    /// Its first workgroup.
    pub first: [u32; 3],
    pub workgroups: [u32; 3],
}

/// The parts of a grid, each of up to `most` workgroups along an axis.
pub fn parts(workgroups: [u32; 3], most: u32) -> impl Iterator<Item = Part> {
    let [x, y, z] = workgroups.map(|all| (0..all).step_by(most.max(1) as usize));
    let firsts = z.flat_map(move |z| {
        let x = x.clone();
        y.clone().flat_map(move |y| x.clone().map(move |x| [x, y, z]))
    });
    firsts.map(move |first| Part {
        first,
        workgroups: [0, 1, 2].map(|axis| (workgroups[axis] - first[axis]).min(most)),
    })
}

/// Bytes of staging memory that commands take, up and down.
fn staged(commands: &[Command<'_>]) -> (u64, u64) {
    let room = |bytes: &[u8]| bytes.len() as u64 + 16;
    commands.iter().fold((0, 0), |(up, down), command| match command {
        Command::Upload { bytes, .. } => (up.saturating_add(room(bytes)), down),
        Command::Download { into, .. } => (up, down + room(into)),
        Command::Repeat { commands, times } => {
            (up.saturating_add(staged(commands).0.saturating_mul((*times).into())), down)
        }
        Command::Launch(_) | Command::Stages(_) | Command::Drain(_) => (up, down),
    })
}

impl<'s> Recording<'s> {
    fn new(opened: &'s Arc<Opened>, cancel: &'s Cancel, commands: &[Command<'_>]) -> Recording<'s> {
        let (up, down) = staged(commands);
        Recording {
            opened,
            cancel,
            start: Instant::now(),
            took: Submitted { further_waits: 0, enqueue_ns: Some(0), wait_ns: Some(0), device_ns: None },
            encoder: None,
            pass: None,
            launches: 0,
            up: Arena::new(up),
            down: Arena::new(down),
            reads: Vec::new(),
            rounds: None,
            waited: false,
            timer: None,
            watching: false,
            timed: false,
            untimed: false,
            first_use: None,
            renewed: Vec::new(),
        }
    }

    /// Records any command but a download.
    fn step(&mut self, command: &'s Command<'_>) -> Result<(), BackendError> {
        if self.rounds.is_some() {
            // It is not to run before they are done.
            self.flush()?;
        }
        match command {
            Command::Upload { to, offset, bytes } => self.upload(self.memory(*to)?, *offset, bytes),
            Command::Launch(launch) => {
                let bound = self.bind(launch.executable, &launch.memory)?;
                self.launch(&bound, launch.workgroups, launch.timed)
            }
            Command::Stages(stages) => self.stages(stages),
            Command::Repeat { times, commands } => {
                (0..*times).try_for_each(|_| commands.iter().try_for_each(|command| self.step(command)))
            }
            Command::Drain(_) => Err(internal("a work queue for persistent threads")),
            Command::Download { .. } => Err(internal("a download that is repeated")),
        }
    }

    /// The backend's own view of memory.
    pub fn memory(&self, memory: &'s dyn DeviceMemory) -> Result<&'s WgpuMemory, BackendError> {
        let memory = own::<WgpuMemory>(memory)?;
        if memory.is_of(self.opened) { Ok(memory) } else { Err(internal("memory of another device")) }
    }

    /// What copies are recorded with: no launch is under way.
    pub fn encoder(&mut self) -> &mut CommandEncoder {
        self.pass = None;
        let device = &self.opened.device;
        self.encoder.get_or_insert_with(|| device.create_command_encoder(&Default::default()))
    }

    /// Has memory that was used before cleared, unless all of it is about to be `overwritten`.
    fn prepare(&mut self, memory: &'s WgpuMemory, overwritten: bool) {
        if !memory.is_stale() || self.renewed.iter().any(|known| std::ptr::eq(*known, memory)) {
            return;
        }
        if self.first_use.is_none() {
            // Another submission that clears it has been handed over when this is had.
            self.first_use = Some(lock(&self.opened.first_use));
        }
        if memory.is_stale() {
            if !overwritten {
                let bytes = memory.bound_bytes();
                self.encoder().clear_buffer(&memory.block().buffer, 0, Some(bytes));
            }
            self.renewed.push(memory);
        }
    }

    fn upload(&mut self, memory: &'s WgpuMemory, offset: u64, bytes: &[u8]) -> Result<(), BackendError> {
        let end = offset + bytes.len() as u64;
        if end > memory.bytes() {
            return Err(internal("an upload beyond the end of its memory"));
        }
        if bytes.is_empty() {
            return Ok(());
        }
        self.prepare(memory, bytes.len() as u64 == memory.bytes());
        let ends_at_word = end.is_multiple_of(4) || end == memory.bytes();
        if !offset.is_multiple_of(4) || !ends_at_word {
            return self.upload_within_words(memory, offset, bytes);
        }
        self.copy_up(memory, offset, bytes)
    }

    /// Uploads to whole words, or to the last bytes of the memory.
    fn copy_up(&mut self, memory: &'s WgpuMemory, offset: u64, bytes: &[u8]) -> Result<(), BackendError> {
        let pieces = bytes.chunks(LARGEST as usize);
        for (piece, at) in pieces.zip((offset..).step_by(LARGEST as usize)) {
            if self.up.taken() + piece.len() as u64 > STAGED {
                self.flush()?;
            }
            let (chunk, from) = self.up.room(self.opened, &self.opened.up, piece.len() as u64)?;
            self.up.chunks[chunk].0.write(from, piece)?;
            let staging = self.up.chunks[chunk].0.buffer.clone();
            let words = (piece.len() as u64).next_multiple_of(4);
            self.encoder().copy_buffer_to_buffer(&staging, from, &memory.block().buffer, at, words);
        }
        Ok(())
    }

    /// Uploads to parts of words: with what is in the rest of them.
    fn upload_within_words(
        &mut self,
        memory: &'s WgpuMemory,
        offset: u64,
        bytes: &[u8],
    ) -> Result<(), BackendError> {
        let start = offset / 4 * 4;
        let end = (offset + bytes.len() as u64).next_multiple_of(4).min(memory.bytes());
        self.flush()?;
        let mut whole = vec![0; (end - start) as usize];
        {
            let mut before = Recording::new(self.opened, self.cancel, &[]);
            let (head, tail) = whole.split_at_mut(4.min((end - start) as usize));
            before.copy_down(memory, start, head)?;
            if !tail.is_empty() {
                let last = tail.len().min(4);
                let at = tail.len() - last;
                before.copy_down(memory, end - last as u64, &mut tail[at..])?;
            }
            before.flush()?;
        }
        whole[(offset - start) as usize..][..bytes.len()].copy_from_slice(bytes);
        self.copy_up(memory, start, &whole)
    }

    fn download(
        &mut self,
        from: &'s dyn DeviceMemory,
        offset: u64,
        into: &'s mut [u8],
    ) -> Result<(), BackendError> {
        let memory = self.memory(from)?;
        if offset + into.len() as u64 > memory.bytes() {
            return Err(internal("a download beyond the end of its memory"));
        }
        self.prepare(memory, false);
        self.copy_down(memory, offset, into)
    }

    fn copy_down(
        &mut self,
        memory: &'s WgpuMemory,
        offset: u64,
        into: &'s mut [u8],
    ) -> Result<(), BackendError> {
        let mut at = offset;
        for piece in into.chunks_mut(LARGEST as usize) {
            if self.down.taken() + piece.len() as u64 + 8 > STAGED {
                self.flush()?;
            }
            let (start, bytes) = (at, piece.len() as u64);
            at += bytes;
            self.read(memory, start, piece)?;
        }
        Ok(())
    }

    /// Records the copy of up to [`LARGEST`] bytes.
    pub fn read(&mut self, memory: &'s WgpuMemory, at: u64, into: &'s mut [u8]) -> Result<(), BackendError> {
        let (chunk, offset) = self.stage_down(memory, at, into.len() as u64)?;
        self.reads.push(Read { memory, at, chunk, offset, into });
        Ok(())
    }

    /// Copies bytes to where the host will see them: which chunk, and where in it.
    fn stage_down(&mut self, memory: &WgpuMemory, at: u64, bytes: u64) -> Result<(usize, u64), BackendError> {
        let start = at / 4 * 4;
        let words = (at + bytes).next_multiple_of(4) - start;
        let (chunk, to) = self.down.room(self.opened, &self.opened.down, words)?;
        let staging = self.down.chunks[chunk].0.buffer.clone();
        self.encoder().copy_buffer_to_buffer(&memory.block().buffer, start, &staging, to, words);
        Ok((chunk, to + (at - start)))
    }

    /// Binds memory to a program. No launch is under way then.
    pub fn bind(
        &mut self,
        executable: &'s dyn Executable,
        memory: &'s [LaunchMemory<'_>],
    ) -> Result<Bound<'s>, BackendError> {
        let executable = own::<WgpuExecutable>(executable)?;
        if executable.opened != self.opened.id {
            return Err(internal("a program of another device"));
        }
        let bound = executable.bindings.iter().map(|&buffer| self.launch_memory(memory, buffer));
        let bound = bound.collect::<Result<SmallVec<[&WgpuMemory; 8]>, _>>()?;
        for memory in &bound {
            self.prepare(memory, false);
        }
        let mut blocks: SmallVec<[(&Block, u64); 8]> =
            bound.iter().map(|memory| (memory.block(), memory.bound_bytes())).collect();
        if executable.watched {
            blocks.push((self.opened.watch()?, GRAIN));
            self.watch()?;
        }
        let group = executable.layout.group(self.opened, &blocks);
        Ok(Bound { executable, group, bytes: bound.iter().map(|memory| memory.bytes()).collect() })
    }

    /// The device's memory of a buffer.
    pub fn launch_memory(
        &self,
        memory: &'s [LaunchMemory<'_>],
        buffer: usize,
    ) -> Result<&'s WgpuMemory, BackendError> {
        match memory.get(buffer) {
            Some(LaunchMemory::Device { memory, .. }) => self.memory(*memory),
            _ => Err(internal("memory that is not the device's")),
        }
    }

    /// Has this submission tell whether a watched program's loop was ended early.
    pub fn watch(&mut self) -> Result<(), BackendError> {
        if !self.watching {
            let watch = self.opened.watch()?;
            self.encoder().clear_buffer(&watch.buffer, 0, None);
            self.watching = true;
        }
        Ok(())
    }

    /// Launches a program, in parts if its grid is too large for the device.
    pub fn launch(
        &mut self,
        bound: &Bound<'_>,
        workgroups: [u32; 3],
        timed: bool,
    ) -> Result<(), BackendError> {
        let most = self.opened.limits.max_compute_workgroups_per_dimension;
        for part in parts(workgroups, most) {
            let [x, y, z] = part.workgroups;
            self.set(bound, part.first, workgroups, timed)?.dispatch_workgroups(x, y, z);
            if self.launches >= LAUNCHES {
                self.flush()?;
            }
        }
        Ok(())
    }

    /// Says what is launched next: part of a program's grid.
    pub fn set(
        &mut self,
        bound: &Bound<'_>,
        first: [u32; 3],
        workgroups: [u32; 3],
        timed: bool,
    ) -> Result<&mut ComputePass<'static>, BackendError> {
        let Bound { executable, group, bytes } = bound;
        let bytes = |buffer: usize| {
            let place = executable.bindings.iter().position(|&b| b == buffer);
            place.map_or(0, |place| bytes[place])
        };
        let words: SmallVec<[u8; 64]> = (executable.immediates.iter())
            .flat_map(|immediate| word(immediate, first, workgroups, &bytes).to_le_bytes())
            .collect();
        self.launches += 1;
        let pass = self.pass(timed)?;
        pass.set_pipeline(&executable.pipeline);
        pass.set_bind_group(0, group, &[]);
        if !words.is_empty() {
            pass.set_immediates(0, &words);
        }
        Ok(pass)
    }

    /// What launches are recorded with.
    fn pass(&mut self, timed: bool) -> Result<&mut ComputePass<'static>, BackendError> {
        self.untimed |= !timed;
        if self.timed != timed {
            self.timed = timed;
            self.pass = None;
        }
        if self.pass.is_none() {
            if timed && self.timer.is_none() {
                self.timer = self.opened.timers.take(self.opened)?;
            }
            let mut timer = self.timer.take();
            let timestamp_writes = timer.as_mut().filter(|_| timed).and_then(Timer::stretch);
            let descriptor = ComputePassDescriptor { label: None, timestamp_writes };
            let pass = self.encoder().begin_compute_pass(&descriptor).forget_lifetime();
            self.timer = timer;
            self.pass = Some(pass);
        }
        Ok(self.pass.as_mut().expect("it was begun"))
    }

    /// Has what is recorded done, and copies what comes down.
    pub fn flush(&mut self) -> Result<(), BackendError> {
        self.hand_over()?;
        while self.rounds.is_some() {
            self.go_on()?;
            self.hand_over()?;
        }
        Ok(())
    }

    /// Records again what comes down after stages that went on.
    pub fn read_again(&mut self) -> Result<(), BackendError> {
        for Read { memory, at, into, .. } in std::mem::take(&mut self.reads) {
            self.read(memory, at, into)?;
        }
        Ok(())
    }

    /// Hands over what is recorded, waits until it is done, and copies what comes down of what is certain.
    fn hand_over(&mut self) -> Result<(), BackendError> {
        let mut next = None;
        if let Some(state) = self.rounds.as_ref().map(Rounds::state) {
            next = Some(self.stage_down(state, 0, STATE_BYTES as u64)?);
        }
        self.pass = None;
        let Some(mut encoder) = self.encoder.take() else { return Ok(()) };
        let mut stamps = None;
        if let Some(timer) = self.timer.take() {
            let (chunk, at) = self.down.room(self.opened, &self.opened.down, Timer::BYTES)?;
            let timed = timer.resolve(&mut encoder, &self.down.chunks[chunk].0, at);
            stamps = Some((timer, timed, chunk, at));
        }
        let mut watch = None;
        if std::mem::take(&mut self.watching) {
            let (chunk, at) = self.down.room(self.opened, &self.opened.down, 4)?;
            let staging = &self.down.chunks[chunk].0.buffer;
            encoder.copy_buffer_to_buffer(&self.opened.watch()?.buffer, 0, staging, at, 4);
            watch = Some((chunk, at));
        }
        let commands = encoder.finish();
        for (staging, _) in &self.up.chunks {
            staging.unmap();
        }
        let index = self.opened.queue.submit([commands]);
        for memory in self.renewed.drain(..) {
            memory.renewed();
        }
        self.first_use = None;
        self.launches = 0;
        for (staging, _) in &self.down.chunks {
            staging.map(Direction::Down);
        }
        for (staging, _) in &self.up.chunks {
            staging.map(Direction::Up);
        }
        let handed = Instant::now();
        add(&mut self.took.enqueue_ns, nanoseconds(handed - self.start));
        self.took.further_waits += u32::from(std::mem::replace(&mut self.waited, true));
        self.wait(index)?;
        add(&mut self.took.wait_ns, nanoseconds(handed.elapsed()));
        let mut certain = self.reads.len();
        if let Some(((chunk, at), rounds)) = next.zip(self.rounds.take()) {
            let mut words = [0; STATE_BYTES];
            self.down.chunks[chunk].0.read(at, &mut words)?;
            let first = rounds.reads;
            self.rounds = rounds.told(&words, handed.elapsed());
            if self.rounds.is_some() {
                certain = first;
            }
        }
        for Read { chunk, offset, into, .. } in self.reads.drain(..certain) {
            self.down.chunks[chunk].0.read(offset, into)?;
        }
        if let Some((chunk, at)) = watch {
            let mut word = [0; 4];
            self.down.chunks[chunk].0.read(at, &mut word)?;
            if word != [0; 4] {
                return Err(cut_short());
            }
        }
        if let Some((timer, timed, chunk, at)) = stamps {
            if timed && !self.untimed {
                let elapsed = timer.elapsed(self.opened, &self.down.chunks[chunk].0, at)?;
                *self.took.device_ns.get_or_insert(0) += elapsed;
            }
            self.untimed |= !timed;
            self.opened.timers.keep(timer);
        }
        if self.untimed {
            self.took.device_ns = None;
        }
        for (staging, _) in self.down.chunks.drain(..) {
            staging.unmap();
            self.opened.down.keep(staging);
        }
        for (staging, _) in self.up.chunks.drain(..) {
            self.opened.up.keep(staging);
        }
        self.start = Instant::now();
        Ok(())
    }

    /// Waits until a submission is done, and the host has the staging buffers again.
    fn wait(&mut self, index: SubmissionIndex) -> Result<(), BackendError> {
        let mut patience = if self.rounds.is_some() { PATIENCE } else { 0 };
        loop {
            let wait = PollType::Wait { submission_index: Some(index.clone()), timeout: Some(GLANCE) };
            match self.opened.device.poll(wait) {
                Ok(_) => break,
                Err(wgpu::PollError::Timeout) if self.cancel.requested() && patience > 0 => patience -= 1,
                Err(wgpu::PollError::Timeout) if self.cancel.requested() => {
                    self.opened.leave(index);
                    self.abandon();
                    return Err(BackendError::Timeout { seconds: 0.0, stopped: false });
                }
                Err(wgpu::PollError::Timeout) => {}
                // It was not taken: the device is lost, or wgpu has said why.
                Err(error) => return Err(self.lost().unwrap_or_else(|| internal(&error.to_string()))),
            }
            if let Some(lost) = self.lost() {
                self.opened.leave(index);
                self.abandon();
                return Err(lost);
            }
        }
        let all = self.down.chunks.iter().chain(&self.up.chunks);
        for (staging, _) in all {
            loop {
                match staging.wait(GLANCE) {
                    Some(true) => break,
                    Some(false) => return Err(self.opened.lose("a buffer for copies cannot be mapped")),
                    // Another thread polled, and has not yet said so; or the device is gone.
                    None => {
                        let _ = self.opened.device.poll(PollType::Poll);
                        if let Some(lost) = self.lost() {
                            return Err(lost);
                        }
                    }
                }
            }
        }
        match self.lost() {
            // It may have been lost before it took the work.
            Some(lost) => Err(lost),
            None if self.cancel.requested() => Err(BackendError::stopped()),
            None => Ok(()),
        }
    }

    /// That the device is lost, if it is.
    fn lost(&self) -> Option<BackendError> {
        self.opened.lost().map(|reason| BackendError::DeviceLost { backend: ID, reason })
    }

    /// Gives up what the device may still be at work with.
    fn abandon(&mut self) {
        self.reads.clear();
        self.up.chunks.clear();
        self.down.chunks.clear();
    }
}

fn add(total: &mut Option<u64>, more: u64) {
    *total = total.map(|total| total + more);
}

fn nanoseconds(time: Duration) -> u64 {
    time.as_nanos() as u64
}

/// That a result is not what the program says.
fn cut_short() -> BackendError {
    let message = "the driver ended a loop early: Mesa's llvmpipe lets the loops of an invocation turn 65,535 times in all";
    let fix = "Run the program on another device, such as `cpu`, or spread its work over more invocations.";
    let what = Diagnostic::new(codes::D503, message).fix(fix);
    BackendError::Unsupported { backend: ID, what: Box::new(what) }
}

pub fn internal(what: &str) -> BackendError {
    BackendError::Internal { what: what.into() }
}

const _: () = assert!(LARGEST.is_multiple_of(GRAIN));
