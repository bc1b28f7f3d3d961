//! Programs in stages, of which the device decides what runs next: see [`vyre_opt::stages`].
//!
//! Blocks of stages are handed over in the order of their turns, loops several times, each stage with the whole grid, each
//! block followed by the control program. A stage begins by asking how many of its workgroups are wanted
//! ([`vyre_ptx::Param::Gate`]): those of a block whose turn it is not leave at once. So nothing comes back but one word at
//! the end of the submission, with all else that comes down: which block is next. Only if one is, more rounds follow.

use crate::errors::internal;
use crate::launch::{Bound, Place, largest, own_memory, parts};
use crate::submission::{LAUNCHES, Submission};
use crate::symbols::Address;
use smallvec::SmallVec;
use std::sync::atomic::Ordering;
use vyre_driver::{BackendError, LaunchMemory, Stages};
use vyre_ir::Entity;
use vyre_opt::stages::{Control, DONE, NEXT, TURNS, args};
use vyre_ptx::Param;

/// Launches of the first rounds, about. One that turns out to be empty costs some microseconds, asking the host about ten.
const FIRST: u32 = 64;

/// Launches of rounds for what the last run took, at least.
const LEAST: u32 = 16;

/// How many times as many the next rounds have.
const GROWTH: u32 = 4;

/// Bytes of the state that are read after rounds.
pub const STATE_BYTES: usize = 4 * (TURNS as usize + 1);

/// Stages on their way.
pub struct Rounds<'s> {
    plan: &'s Control,
    stages: SmallVec<[Bound<'s>; 8]>,
    control: Bound<'s>,
    pub state: Address,
    workgroups: [u32; 3],
    timed: bool,
    /// The block that is next; the number of blocks at the start.
    next: u32,
    /// Launches that rounds may have.
    most: u32,
    /// How many of the submission's reads were asked for before the stages.
    pub reads: usize,
}

impl Rounds<'_> {
    /// Takes the words of the state after rounds; gives whether something is left to do.
    pub fn told(&mut self, words: &[u8; STATE_BYTES]) -> Result<bool, BackendError> {
        let word = |at: u32| u32::from_le_bytes(*words[4 * at as usize..].first_chunk().expect("it is read"));
        self.next = word(NEXT);
        self.most = (self.most * GROWTH).min(LAUNCHES);
        if self.next == DONE {
            self.control.executable.turns.store(word(TURNS), Ordering::Relaxed);
            return Ok(false);
        }
        match (self.next as usize) < self.plan.blocks.len() {
            true => Ok(true),
            false => Err(internal(&format!("a program has no block {} of stages", self.next))),
        }
    }

    /// The blocks to hand over, from the next one on.
    fn blocks(&self) -> Vec<usize> {
        self.plan.order(self.next, self.most, &|block| self.plan.blocks[block].len() as u32 + 1)
    }
}

impl<'s> Submission<'s> {
    /// Hands stages over.
    pub fn stages(&mut self, stages: &'s Stages<'_>) -> Result<(), BackendError> {
        let Stages { stages, control, workgroups, memory, timed } = stages;
        let bound = stages.iter().map(|stage| Bound::new(self.opened, *stage, memory));
        let stages = bound.collect::<Result<SmallVec<[Bound<'s>; 8]>, _>>()?;
        let Some(control) = control else {
            return stages.iter().try_for_each(|stage| self.launch(stage, *workgroups, *timed));
        };
        let plan = control.plan;
        if stages.iter().any(|stage| !stage.executable.facts.params.contains(&Param::Gate)) {
            return Err(internal("a stage that does not ask whether it is wanted"));
        }
        let Some(LaunchMemory::Device { memory: state, .. }) = memory.get(plan.state.index()) else {
            return Err(internal("stages without a state"));
        };
        let decides = Bound::new(self.opened, control.executable, memory)?;
        let most = match decides.executable.turns.load(Ordering::Relaxed) {
            0 => FIRST,
            turns => plan.launches(turns).clamp(LEAST, LAUNCHES),
        };
        let rounds = Rounds {
            plan,
            control: decides,
            state: own_memory(self.opened, *state)?.address(),
            stages,
            workgroups: *workgroups,
            timed: *timed,
            next: plan.blocks.len() as u32,
            most,
            reads: self.reads(),
        };
        self.decide(&rounds, plan.blocks.len())?;
        self.hand_over_rounds(&rounds)?;
        self.rounds = Some(rounds);
        Ok(())
    }

    /// Hands rounds of blocks over, each with the control program after it.
    pub fn hand_over_rounds(&mut self, rounds: &Rounds<'s>) -> Result<(), BackendError> {
        for block in rounds.blocks() {
            let range = rounds.plan.blocks[block].clone();
            let stages = rounds.stages.get(range).ok_or_else(|| internal("a block of no stages"))?;
            for stage in stages {
                let most = largest(rounds.workgroups, self.opened.description.largest_grid);
                for part in parts(rounds.workgroups, most) {
                    let place = Place {
                        merged: 1,
                        first: part.first,
                        grid: part.blocks,
                        workgroups: rounds.workgroups,
                        barrier: 0,
                        gate: rounds.state + 4 * u64::from(args(block)),
                    };
                    self.launch_part(stage, &place, rounds.timed)?;
                }
            }
            self.decide(rounds, block)?;
        }
        Ok(())
    }

    /// Hands the control program over, as it runs after a block.
    fn decide(&mut self, rounds: &Rounds<'s>, block: usize) -> Result<(), BackendError> {
        let place = Place {
            merged: 1,
            first: [block as u32, 0, 0],
            grid: [1; 3],
            workgroups: [rounds.plan.blocks.len() as u32 + 1, 1, 1],
            barrier: 0,
            gate: 0,
        };
        self.launch_part(&rounds.control, &place, rounds.timed)
    }
}
