//! Barriers of a block, and what happens to them when threads end.

use super::lane::{Halt, halt};
use super::{Machine, State};
use crate::code::{BarrierKind, Instruction, Source};
use crate::fault::FaultKind;
use crate::races::Clock;
use std::rc::Rc;

/// One of a block's barriers while threads wait at it.
#[derive(Default)]
pub(super) struct Barrier {
    /// How many threads it waits for; 0: nobody is there.
    expected: u32,
    /// Whether those are all of the block.
    full: bool,
    arrived: u32,
    waiting: Vec<usize>,
    /// Who arrived and went on.
    gone: Vec<usize>,
    /// What those know.
    handed: Vec<Rc<Clock>>,
    kind: Option<BarrierKind>,
    holds: u32,
}

impl Machine<'_> {
    /// A thread arrives at a barrier; whether its turn is over.
    pub(super) fn barrier(
        &mut self,
        thread: usize,
        instruction: &Instruction,
        kind: BarrierKind,
        aligned: bool,
        negated: bool,
    ) -> Result<bool, Halt> {
        let [number, threads, predicate, _] = instruction.sources;
        let number = self.read(thread, number)? as usize;
        if number >= 16 {
            return halt(FaultKind::Barrier, format!("there is no barrier {number}"));
        }
        let all = self.block_threads as u32;
        let mut expected = all;
        if threads != Source::NONE {
            expected = self.read(thread, threads)? as u32;
            if expected == 0 || !expected.is_multiple_of(32) || expected > all.next_multiple_of(32) {
                return halt(
                    FaultKind::Barrier,
                    format!("barrier {number} of {expected} threads in a block of {all}"),
                );
            }
            expected = expected.min(all);
        }
        let holds = predicate != Source::NONE && (self.read(thread, predicate)? != 0) != negated;
        let (slot, pc) = (self.slot(thread), self.threads[thread].pc);
        let full = expected == all;
        self.check_alignment(thread, number, kind, aligned, full)?;
        let barrier = &mut self.blocks[slot].barriers[number];
        if barrier.expected != 0 && barrier.expected != expected {
            let other = barrier.expected;
            return halt(
                FaultKind::Barrier,
                format!("barrier {number} waits for {other} threads, and here for {expected}"),
            );
        }
        barrier.expected = expected;
        barrier.full = full;
        barrier.arrived += 1;
        barrier.holds += u32::from(holds);
        if kind == BarrierKind::Arrive {
            barrier.gone.push(thread);
            if let Some(races) = &mut self.races {
                barrier.handed.push(races.arrive(thread));
            }
            self.threads[thread].pc = pc + 1;
        } else {
            barrier.kind = Some(kind);
            barrier.waiting.push(thread);
            self.threads[thread].state = State::AtBarrier;
        }
        if barrier.arrived == expected {
            self.release(slot, number);
        } else if full && self.missing(slot, number) {
            return halt(
                FaultKind::Barrier,
                format!("barrier {number} of all threads, some of which have ended"),
            );
        }
        Ok(kind != BarrierKind::Arrive)
    }

    /// Refuses a barrier that threads reach at different instructions where they must not.
    fn check_alignment(
        &self,
        thread: usize,
        number: usize,
        kind: BarrierKind,
        aligned: bool,
        full: bool,
    ) -> Result<(), Halt> {
        let barrier = &self.blocks[self.slot(thread)].barriers[number];
        let pc = self.threads[thread].pc;
        let reduces = |kind: BarrierKind| !matches!(kind, BarrierKind::Sync | BarrierKind::Arrive);
        for other in &barrier.waiting {
            let at = self.threads[*other].pc;
            if at == pc {
                continue;
            }
            let same_warp =
                self.threads[*other].position.linear / 32 == self.threads[thread].position.linear / 32;
            let mixed = barrier.kind.is_some_and(|other| reduces(other) || reduces(kind));
            if aligned && (same_warp || full && kind != BarrierKind::Arrive) || mixed {
                let line = self.code.instructions[at as usize].line;
                return halt(
                    FaultKind::Barrier,
                    format!(
                        "barrier {number}: others wait at it in line {line}, so that not all threads come the same way"
                    ),
                );
            }
        }
        Ok(())
    }

    /// Whether some thread has ended without arriving at a barrier.
    fn missing(&self, slot: usize, number: usize) -> bool {
        let gone = self.blocks[slot].barriers[number].gone.iter();
        let ended = gone.filter(|thread| self.threads[**thread].state == State::Exited).count();
        self.blocks[slot].exited as usize > ended
    }

    /// Lets everyone go on.
    fn release(&mut self, slot: usize, number: usize) {
        let barrier = std::mem::take(&mut self.blocks[slot].barriers[number]);
        if let Some(races) = &mut self.races {
            if barrier.waiting.len() == self.block_threads {
                races.block_barrier(slot);
            } else if !barrier.waiting.is_empty() {
                races.meet(&barrier.waiting, &barrier.handed);
            }
        }
        for thread in barrier.waiting {
            let code = self.code;
            let destination = code.instructions[self.threads[thread].pc as usize].destination;
            let value = match barrier.kind {
                Some(BarrierKind::Popc) => barrier.holds,
                Some(BarrierKind::And) => u32::from(barrier.holds == barrier.arrived),
                _ => u32::from(barrier.holds > 0),
            };
            self.write(thread, destination, u64::from(value));
            self.threads[thread].state = State::Running;
            self.threads[thread].pc += 1;
        }
    }

    /// A thread ends.
    pub(super) fn exit(&mut self, thread: usize) -> Result<(), Halt> {
        let slot = self.slot(thread);
        self.threads[thread].state = State::Exited;
        self.blocks[slot].exited += 1;
        for (number, barrier) in self.blocks[slot].barriers.iter().enumerate() {
            if barrier.full && !barrier.waiting.is_empty() && !barrier.gone.contains(&thread) {
                let line = self.code.instructions[self.threads[barrier.waiting[0]].pc as usize].line;
                return halt(
                    FaultKind::Barrier,
                    format!("ends while barrier {number} of all threads waits for it in line {line}"),
                );
            }
        }
        let linear = self.threads[thread].position.linear;
        let warp = thread - linear as usize % 32;
        let lane = linear % 32;
        let last = (warp + 32).min((slot + 1) * self.block_threads);
        for other in warp..last {
            if let State::AtCollective(mask) = self.threads[other].state
                && mask >> lane & 1 == 1
            {
                let line = self.code.instructions[self.threads[other].pc as usize].line;
                return halt(
                    FaultKind::Collective,
                    format!("ends while lanes {mask:#x} of its warp wait for it in line {line}"),
                );
            }
        }
        Ok(())
    }
}
