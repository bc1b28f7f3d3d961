//! Shuffles, votes, matches and reductions of a warp.

use super::atomic::combine;
use super::lane::{Halt, halt};
use super::{Machine, State};
use crate::code::{AtomicOp, Collective, Instruction, NONE, Op};
use crate::fault::FaultKind;
use crate::types::Type;

impl Machine<'_> {
    /// A thread arrives at an instruction that the lanes of a mask run together; whether its turn is over.
    pub(super) fn collective(&mut self, thread: usize, mask: u32) -> Result<bool, Halt> {
        let state = &self.threads[thread];
        let (pc, lane) = (state.pc, state.position.linear % 32);
        if mask >> lane & 1 == 0 {
            return halt(
                FaultKind::Collective,
                format!("lane {lane} is not in the mask {mask:#x} that it gives"),
            );
        }
        self.threads[thread].state = State::AtCollective(mask);
        let warp = thread - lane as usize;
        // Lanes beyond the block's end are in no mask that matters.
        let existing = ((self.slot(thread) + 1) * self.block_threads - warp).min(32);
        let mut complete = true;
        for other in (0..existing).filter(|other| mask >> other & 1 == 1) {
            let at = &self.threads[warp + other];
            match at.state {
                State::Exited => {
                    return halt(
                        FaultKind::Collective,
                        format!("lane {other} of the mask {mask:#x} has ended"),
                    );
                }
                State::AtCollective(same) if same == mask && at.pc == pc => {}
                State::AtCollective(theirs) if theirs >> lane & 1 == 1 => {
                    let line = self.code.instructions[at.pc as usize].line;
                    return halt(
                        FaultKind::Collective,
                        format!(
                            "lane {other} waits for lanes {theirs:#x} in line {line}, this one for {mask:#x} here"
                        ),
                    );
                }
                _ => complete = false,
            }
        }
        if complete {
            let members: Vec<usize> =
                (0..existing).filter(|lane| mask >> lane & 1 == 1).map(|lane| warp + lane).collect();
            self.together(warp, &members)?;
            for member in members {
                self.threads[member].state = State::Running;
                self.threads[member].pc = pc + 1;
            }
        }
        Ok(!complete)
    }

    /// Runs a collective for all its lanes.
    fn together(&mut self, warp: usize, members: &[usize]) -> Result<(), Halt> {
        let code = self.code;
        let instruction = &code.instructions[self.threads[members[0]].pc as usize];
        let Op::Collective { kind, negated } = &instruction.op else { return Ok(()) };
        match *kind {
            Collective::WarpBarrier => {
                if let Some(races) = &mut self.races {
                    races.meet(members, &[]);
                }
            }
            Collective::ShuffleUp
            | Collective::ShuffleDown
            | Collective::ShuffleXor
            | Collective::ShuffleIndex => self.shuffle(instruction, *kind, warp, members)?,
            Collective::VoteAny | Collective::VoteAll | Collective::VoteUniform | Collective::VoteBallot => {
                let (mut ballot, mut all) = (0u64, 0u64);
                for member in members {
                    let holds = (self.read(*member, instruction.sources[0])? != 0) != *negated;
                    ballot |= u64::from(holds) << (member - warp);
                    all |= 1 << (member - warp);
                }
                let value = match kind {
                    Collective::VoteAny => u64::from(ballot != 0),
                    Collective::VoteAll => u64::from(ballot == all),
                    Collective::VoteUniform => u64::from(ballot == 0 || ballot == all),
                    _ => ballot,
                };
                members.iter().for_each(|member| self.write(*member, instruction.destination, value));
            }
            Collective::MatchAny | Collective::MatchAll => {
                self.matching(instruction, *kind, warp, members)?
            }
            Collective::Reduce(op, kind) => self.reduce(instruction, op, kind, members)?,
            Collective::Elect => {
                let leader = members[0];
                for member in members {
                    self.write(*member, instruction.destination, (leader - warp) as u64);
                    self.second(*member, instruction, *member == leader);
                }
            }
            Collective::LoadMatrix { count, transposed } => {
                self.load_matrix(instruction, usize::from(count), transposed, warp, members)?;
            }
            Collective::Multiply { k, format, wide } => {
                self.multiply(instruction, usize::from(k), format, wide, warp, members)?;
            }
        }
        Ok(())
    }

    /// Writes the predicate beside a result, if there is one.
    fn second(&mut self, thread: usize, instruction: &Instruction, value: bool) {
        if let Some(register) = instruction.more_destinations.first() {
            self.write(thread, *register, u64::from(value));
        }
    }

    fn shuffle(
        &mut self,
        instruction: &Instruction,
        kind: Collective,
        warp: usize,
        members: &[usize],
    ) -> Result<(), Halt> {
        let [value, by, control, _] = instruction.sources;
        let mut values = [None; 32];
        for member in members {
            values[member - warp] = Some(self.read(*member, value)?);
        }
        for member in members {
            let lane = (member - warp) as i64;
            let by = (self.read(*member, by)? & 31) as i64;
            let control = self.read(*member, control)?;
            let (segment, clamp) = ((control >> 8 & 31) as i64, (control & 31) as i64);
            let most = lane & segment | clamp & !segment;
            let (from, inside) = match kind {
                Collective::ShuffleUp => (lane - by, lane - by >= most),
                Collective::ShuffleDown => (lane + by, lane + by <= most),
                Collective::ShuffleXor => (lane ^ by, lane ^ by <= most),
                _ => {
                    let from = lane & segment | by & !segment;
                    (from, from <= most)
                }
            };
            let from = if inside { from } else { lane };
            let Some(value) = values[from as usize & 31] else {
                return halt(
                    FaultKind::Collective,
                    format!("lane {lane} reads lane {from}, which does not take part"),
                );
            };
            self.write(*member, instruction.destination, value);
            self.second(*member, instruction, inside);
        }
        Ok(())
    }

    fn matching(
        &mut self,
        instruction: &Instruction,
        kind: Collective,
        warp: usize,
        members: &[usize],
    ) -> Result<(), Halt> {
        let mut values = Vec::with_capacity(members.len());
        for member in members {
            values.push(self.read(*member, instruction.sources[0])?);
        }
        let all = members.iter().fold(0, |mask, member| mask | 1u64 << (member - warp));
        let uniform = values.iter().all(|value| *value == values[0]);
        for (at, member) in members.iter().enumerate() {
            let same = members.iter().zip(&values).filter(|(_, value)| **value == values[at]);
            let same = same.fold(0, |mask, (member, _)| mask | 1u64 << (member - warp));
            if kind == Collective::MatchAny {
                self.write(*member, instruction.destination, same);
            } else {
                self.write(*member, instruction.destination, if uniform { all } else { 0 });
                self.second(*member, instruction, uniform);
            }
        }
        Ok(())
    }

    fn reduce(
        &mut self,
        instruction: &Instruction,
        op: AtomicOp,
        kind: Type,
        members: &[usize],
    ) -> Result<(), Halt> {
        let mut total = self.read(members[0], instruction.sources[0])?;
        for member in &members[1..] {
            let value = self.read(*member, instruction.sources[0])?;
            total = combine(op, kind, total, value, false);
        }
        debug_assert!(instruction.destination != NONE);
        members.iter().for_each(|member| self.write(*member, instruction.destination, total));
        Ok(())
    }
}
