//! Programs in stages, of which the device decides what runs next: see [`vyre_opt::stages`].
//!
//! Blocks of stages are recorded in the order of their turns, loops several times, each stage as an indirect dispatch with
//! the workgroups that the control program wrote for its block, each block followed by the control program. Blocks whose
//! turn it is not have no workgroups. So nothing is read back but one word at the end of the submission, with all else
//! that comes down: which block is next. Only if one is, a further submission goes on from there, with more rounds.
//!
//! No device takes more workgroups along an axis than its limit, and nothing checks those that it reads from memory: they
//! are those of the grid, or, of a grid beyond the limit, those of its [parts](crate::parts).

use crate::memory::WgpuMemory;
use crate::parts::Parts;
use crate::submission::{Bound, GLANCE, LAUNCHES, Recording, internal};
use smallvec::SmallVec;
use std::sync::atomic::Ordering;
use std::time::Duration;
use vyre_driver::{BackendError, Stages};
use vyre_ir::Entity;
use vyre_opt::stages::{Control, DONE, NEXT, TURNS, args};
use wgpu::Buffer;

/// Launches of the first submission, about. On lavapipe a submission costs some 200 us, and a round of a stage and the
/// control program that turns out to be empty 17 us.
const FIRST: u32 = 256;

/// Launches of a submission for what the last run took, at least.
const LEAST: u32 = 32;

/// How many times as many the next one has.
const GROWTH: u32 = 4;

/// Bytes of the state that are read after each submission.
pub const STATE_BYTES: usize = 4 * (TURNS as usize + 1);

/// Stages on their way.
pub struct Rounds<'s> {
    plan: &'s Control,
    stages: SmallVec<[Bound<'s>; 8]>,
    control: Bound<'s>,
    state: &'s WgpuMemory,
    workgroups: [u32; 3],
    /// Of a grid that the device does not take at once.
    parts: Option<Parts<'s>>,
    timed: bool,
    /// The block that is next; the number of blocks at the start.
    next: u32,
    /// Launches that a submission may have.
    most: u32,
    /// How many of the recording's reads were recorded before the stages.
    pub reads: usize,
}

impl<'s> Rounds<'s> {
    /// The state, of which the first words say which block is next, and how many decisions there were.
    pub fn state(&self) -> &'s WgpuMemory {
        self.state
    }

    /// What is still to do when those words are read after a submission that took so long; `None` when all is done.
    pub fn told(mut self, words: &[u8; STATE_BYTES], took: Duration) -> Option<Self> {
        let word = |at: u32| u32::from_le_bytes(*words[4 * at as usize..].first_chunk().expect("it is read"));
        let next = word(NEXT);
        if next == DONE {
            self.control.executable.turns.store(word(TURNS), Ordering::Relaxed);
        }
        self.next = next;
        // A request to stop is looked at between submissions.
        if took < GLANCE {
            self.most = (self.most * GROWTH).min(LAUNCHES);
        }
        (next != DONE).then_some(self)
    }

    /// Launches of a block.
    fn launches(&self, block: usize) -> u32 {
        let stages = self.plan.blocks[block].len() as u32;
        match &self.parts {
            Some(parts) => stages.saturating_mul(parts.all.len() as u32).saturating_add(2),
            None => stages + 1,
        }
    }

    /// The blocks to record, from the next one on.
    fn blocks(&self) -> Vec<usize> {
        self.plan.order(self.next, self.most, &|block| self.launches(block))
    }
}

impl<'s> Recording<'s> {
    /// Records stages.
    pub fn stages(&mut self, stages: &'s Stages<'_>) -> Result<(), BackendError> {
        let Stages { stages, control, workgroups, memory, timed } = stages;
        let bound = stages.iter().map(|stage| self.bind(*stage, memory));
        let stages = bound.collect::<Result<SmallVec<[Bound<'s>; 8]>, _>>()?;
        let Some(control) = control else {
            return stages.iter().try_for_each(|stage| self.launch(stage, *workgroups, *timed));
        };
        let plan = control.plan;
        let state = self.launch_memory(memory, plan.state.index())?;
        let decides = self.bind(control.executable, memory)?;
        let most = match decides.executable.turns.load(Ordering::Relaxed) {
            0 => FIRST,
            turns => plan.launches(turns).clamp(LEAST, LAUNCHES),
        };
        let rounds = Rounds {
            plan,
            control: decides,
            parts: Parts::of(self.opened, state, *workgroups)?,
            state,
            stages,
            workgroups: *workgroups,
            timed: *timed,
            next: plan.blocks.len() as u32,
            most,
            reads: self.reads.len(),
        };
        if self.launches > 0 && self.launches + rounds.most > LAUNCHES {
            self.flush()?;
        }
        self.decide(&rounds, plan.blocks.len())?;
        self.rounds(&rounds)?;
        self.rounds = Some(rounds);
        Ok(())
    }

    /// Records what is left of stages, and what comes down after them.
    pub fn go_on(&mut self) -> Result<(), BackendError> {
        let Some(mut rounds) = self.rounds.take() else { return Ok(()) };
        if rounds.next as usize >= rounds.plan.blocks.len() {
            return Err(internal(&format!("a program has no block {} of stages", rounds.next)));
        }
        if rounds.stages.iter().chain([&rounds.control]).any(|bound| bound.executable.watched) {
            self.watch()?;
        }
        rounds.reads = 0;
        self.rounds(&rounds)?;
        self.rounds = Some(rounds);
        self.read_again()
    }

    /// Records rounds of blocks, each with the control program after it.
    fn rounds(&mut self, rounds: &Rounds<'s>) -> Result<(), BackendError> {
        let state: &Buffer = &rounds.state.block().buffer;
        for block in rounds.blocks() {
            let range = rounds.plan.blocks[block].clone();
            let stages = rounds.stages.get(range).ok_or_else(|| internal("a block of no stages"))?;
            if let Some(parts) = &rounds.parts {
                let (program, first, workgroups) = parts.before(block);
                self.set(program, first, rounds.workgroups, rounds.timed)?
                    .dispatch_workgroups(workgroups, 1, 1);
                for stage in stages {
                    for (part, at) in parts.all.iter().zip((0..).step_by(16)) {
                        let pass = self.set(stage, part.first, rounds.workgroups, rounds.timed)?;
                        pass.dispatch_workgroups_indirect(&parts.workgroups.block().buffer, at);
                    }
                }
                self.decide(rounds, block)?;
                continue;
            }
            for stage in stages {
                let pass = self.set(stage, [0; 3], rounds.workgroups, rounds.timed)?;
                pass.dispatch_workgroups_indirect(state, 4 * u64::from(args(block)));
            }
            self.decide(rounds, block)?;
        }
        Ok(())
    }

    /// Records the control program, as it runs after a block.
    fn decide(&mut self, rounds: &Rounds<'s>, block: usize) -> Result<(), BackendError> {
        let all = [rounds.plan.blocks.len() as u32 + 1, 1, 1];
        let pass = self.set(&rounds.control, [block as u32, 0, 0], all, rounds.timed)?;
        pass.dispatch_workgroups(1, 1, 1);
        Ok(())
    }
}
