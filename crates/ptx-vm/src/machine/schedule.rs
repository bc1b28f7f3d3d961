//! Whose turn it is: blocks and threads in an order that a seed decides, each for as long as it decides.

use super::{Halt, Machine, State};
use crate::code::Op;
use crate::fault::{Fault, FaultKind};
use std::sync::atomic::Ordering;

/// Numbers that a seed decides: splitmix64.
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new(seed: u64) -> Random {
        Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut out = self.0;
        out = (out ^ out >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        out = (out ^ out >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        out ^ out >> 31
    }

    /// Below a bound that is not 0.
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    /// How many instructions a turn has: mostly few, sometimes one, sometimes many.
    fn quantum(&mut self) -> u32 {
        let number = self.next();
        let most = match number & 7 {
            0 => 1,
            1..=3 => 12,
            4..=6 => 60,
            _ => 400,
        };
        1 + (number >> 8) as u32 % most
    }
}

/// The numbers below a bound in an order that a seed decides.
struct Order {
    count: u64,
    step: u64,
    begin: u64,
}

impl Order {
    fn new(count: u64, random: &mut Random) -> Order {
        let mut step = 1 + random.below(count);
        while common_divisor(step, count) != 1 {
            step = step % count + 1;
        }
        Order { count, step, begin: random.below(count) }
    }

    fn at(&self, index: u64) -> u64 {
        ((u128::from(index) * u128::from(self.step) + u128::from(self.begin)) % u128::from(self.count)) as u64
    }
}

fn common_divisor(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { common_divisor(b, a % b) }
}

impl Machine<'_> {
    /// Runs all blocks of the grid to their ends.
    pub(crate) fn run(&mut self) -> Result<(), Fault> {
        let count: u64 = self.launch.grid.iter().map(|size| u64::from(*size)).product();
        let blocks = Order::new(count, &mut self.random);
        let mut begun = 0;
        loop {
            let mut live = 0u64;
            for slot in 0..self.blocks.len() {
                if self.blocks[slot].id.is_none() && begun < count {
                    self.begin(slot, blocks.at(begun));
                    begun += 1;
                }
                live += u64::from(self.blocks[slot].id.is_some());
            }
            if live == 0 {
                return Ok(());
            }
            let before = self.steps;
            let slots = Order::new(self.blocks.len() as u64, &mut self.random);
            for at in 0..self.blocks.len() as u64 {
                self.round(slots.at(at) as usize)?;
            }
            if self.steps == before && !self.finished() {
                return Err(self.deadlock());
            }
        }
    }

    /// Whether some slot can take a new block.
    fn finished(&self) -> bool {
        self.blocks.iter().any(|block| block.id.is_none())
            && self.threads.iter().all(|thread| thread.state == State::Exited)
    }

    /// A turn for every thread of a block that can run.
    fn round(&mut self, slot: usize) -> Result<(), Fault> {
        if self.blocks[slot].id.is_none() {
            return Ok(());
        }
        let first = slot * self.block_threads;
        let threads = Order::new(self.block_threads as u64, &mut self.random);
        let mut at = threads.begin;
        for _ in 0..self.block_threads {
            let thread = first + at as usize;
            at += threads.step;
            if at >= threads.count {
                at -= threads.count;
            }
            if self.threads[thread].state != State::Running {
                continue;
            }
            let quantum = self.random.quantum();
            self.turn(thread, quantum).map_err(|problem: Halt| self.fault(thread, *problem))?;
            if self.steps > self.options.step_limit {
                let limit = self.options.step_limit;
                let problem =
                    format!("more than {limit} instructions: threads may wait for what never comes");
                return Err(self.fault(thread, (FaultKind::StepLimit, problem)));
            }
        }
        if self.options.stop.is_some_and(|stop| stop.load(Ordering::Relaxed)) {
            return Err(self.fault(first, (FaultKind::Stopped, "stopped".to_string())));
        }
        if self.blocks[slot].exited as usize == self.block_threads {
            if let Some(tally) = &mut self.tally {
                tally.flush(slot as u32);
            }
            self.blocks[slot].id = None;
        }
        Ok(())
    }

    /// What the first threads that wait forever wait for.
    fn deadlock(&self) -> Fault {
        let waiting: Vec<usize> = (0..self.threads.len())
            .filter(|thread| !matches!(self.threads[*thread].state, State::Exited | State::Running))
            .collect();
        let told: Vec<String> = waiting
            .iter()
            .take(3)
            .map(|thread| {
                let state = &self.threads[*thread];
                let instruction = &self.code.instructions[state.pc as usize];
                let what = match (&instruction.op, state.state) {
                    (Op::Barrier { .. }, _) => "a barrier".to_string(),
                    (_, State::AtCollective(mask)) => format!("lanes {mask:#x} of its warp"),
                    _ => "something".to_string(),
                };
                let (block, tid) = (state.position.ctaid, state.position.tid);
                format!("thread {tid:?} of block {block:?} waits for {what} at line {}", instruction.line)
            })
            .collect();
        let thread = waiting.first().copied().unwrap_or(0);
        self.fault(thread, (FaultKind::Deadlock, format!("nothing can go on: {}", told.join("; "))))
    }
}
