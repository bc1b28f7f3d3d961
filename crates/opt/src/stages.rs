//! A program as stages: several programs that run one after the other over the same memory.
//!
//! [`mod@crate::split`] makes stages of a program that waits for its grid, [`mod@crate::queue`] of one that handles the items
//! of a work queue. All programs of a [`Staged`] have the same buffers in the same order: those of the program that was
//! given, then the [`Scratch`] that stages need, then what workgroup memory they need, which is not bound. What a stage needs beside its buffers, such as the size of the grid, is as in
//! any other program; every stage runs over the whole grid.
//!
//! Stages form blocks: stages of a block always follow each other. Without a [`Control`] there is one block, which runs once.
//! With one, it decides on the device which block is next. It is a program of one invocation that runs first, and again
//! after each block, as the workgroup of that number along x in a grid of `blocks + 1` workgroups: the number of the
//! block after which it runs, or the number of blocks at the start. It works on the words of the state buffer:
//!
//! | word | what |
//! |---|---|
//! | [`NEXT`] | the block that is to run, or [`DONE`]; the number of blocks at the start |
//! | [`GRID`] | workgroups along x, y, z |
//! | [`args`] | for each block the workgroups of its stages along x, y, z, and a further word: 0, 0, 0 unless the block is next |
//! | [`TURNS`] | the further word of the first block: how often the control program has decided |
//! | then | values that are the same for all invocations |
//!
//! Run after a block that was not [`NEXT`], it does nothing. So a device that cannot look at the state may be given the
//! blocks in any order, each launched with the workgroups of [`args`] and followed by the control program: those that
//! are not next are skipped. [`Control::turns`] is an order in which little is. Stages only read the state.
//!
//! A device whose launches take no sizes from memory can launch each stage with the workgroups of the whole grid, none of
//! which do anything but those below the three words at [`args`] of its block, in the memory of [`Control::state`].

use std::ops::Range;
use vyre_ir::{Buffer, Program};

/// The word of the state that says which block is next.
pub const NEXT: u32 = 0;
/// The first of three words of the state that are the workgroups of the grid.
pub const GRID: u32 = 1;
/// That no block is next.
pub const DONE: u32 = u32::MAX;

/// The first of four words of the state that are the workgroups of a block's stages.
pub const fn args(block: usize) -> u32 {
    4 + 4 * block as u32
}

/// The word of the state that counts the decisions of the control program, so that a device can tell how much of an order
/// of blocks was of use.
pub const TURNS: u32 = args(0) + 3;

/// A program as stages.
#[derive(Clone, Debug)]
pub struct Staged {
    /// The stages, in the order of their first instruction in the program.
    pub stages: Vec<Program>,
    /// What decides which of them run; without, each runs once, in order.
    pub control: Option<Control>,
    /// The buffers that the program does not have.
    pub scratch: Vec<Scratch>,
    /// What it costs.
    pub costs: Costs,
}

/// What decides which stages run.
#[derive(Clone, Debug)]
pub struct Control {
    /// The control program; its workgroup is one invocation.
    pub program: Program,
    /// The buffer that is the state.
    pub state: Buffer,
    /// Words of the state.
    pub words: u32,
    /// The stages of each block.
    pub blocks: Vec<Range<usize>>,
    /// In which order blocks may follow each other.
    pub turns: Vec<Turn>,
}

impl Control {
    /// How many launches to hand over at once for a run that is expected to decide so often, decisions included. Each block
    /// but the first comes after a decision; in a loop, others may come between.
    pub fn launches(&self, turns: u32) -> u32 {
        let blocks: u32 = self.blocks.iter().map(|stages| stages.len() as u32 + 1).sum();
        (turns.saturating_mul(blocks) / 2).saturating_mul(3)
    }

    /// Blocks in the order of their turns, from `next` on, each loop as often as fits `most` launches: those of a block are
    /// for the device to say. At least one turn of each loop, however many launches that is.
    pub fn order(&self, next: u32, most: u32, launches: &dyn Fn(usize) -> u32) -> Vec<usize> {
        let fits = |times: &u32| cost(&self.turns, *times, launches) <= most;
        let times = (2..=most).take_while(fits).last().unwrap_or(1);
        let mut blocks = Vec::new();
        unroll(&self.turns, times, &mut blocks);
        let start = blocks.iter().position(|&block| block as u32 == next).unwrap_or(0);
        blocks.split_off(start)
    }

    /// The state before the control program runs for the first time.
    pub fn start(&self, workgroups: [u32; 3]) -> Vec<u8> {
        let mut words = vec![0; self.words as usize];
        words[NEXT as usize] = self.blocks.len() as u32;
        words[GRID as usize..][..3].copy_from_slice(&workgroups);
        words.into_iter().flat_map(u32::to_le_bytes).collect()
    }
}

/// Part of an order of blocks.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Turn {
    /// A block, at most once.
    Block(usize),
    /// These, any number of times.
    Loop(Vec<Turn>),
}

/// A buffer that stages have beside those of the program. Its contents before the first stage are of no matter.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct Scratch {
    /// Which.
    pub buffer: Buffer,
    /// Bytes whatever the grid is.
    pub bytes: u64,
    /// Bytes for each workgroup.
    pub per_workgroup: u64,
    /// Bytes for each invocation.
    pub per_invocation: u64,
}

impl Scratch {
    /// Its size for a grid of workgroups of so many invocations; `None` beyond 64 bits.
    pub fn size(&self, workgroups: [u32; 3], invocations: u64) -> Option<u64> {
        let workgroups = workgroups.iter().try_fold(1u64, |n, &axis| n.checked_mul(axis.into()))?;
        let each = self.per_invocation.checked_mul(invocations)?.checked_add(self.per_workgroup)?;
        each.checked_mul(workgroups)?.checked_add(self.bytes)
    }
}

/// What stages cost beside their own work.
#[derive(Copy, Clone, Default, PartialEq, Eq, Debug)]
pub struct Costs {
    /// Stages.
    pub stages: usize,
    /// Bytes that are kept from stage to stage for each invocation.
    pub saved_bytes: u64,
    /// Bytes of workgroup memory that are kept from stage to stage for each workgroup.
    pub workgroup_bytes: u64,
    /// Instructions that several stages compute, each counted as often as it is computed again.
    pub recomputed: usize,
    /// Values that are kept once for the whole grid.
    pub uniform_values: usize,
}

/// Launches of turns if each loop is gone through so many times.
fn cost(turns: &[Turn], times: u32, launches: &dyn Fn(usize) -> u32) -> u32 {
    turns.iter().fold(0, |sum: u32, turn| {
        sum.saturating_add(match turn {
            Turn::Block(block) => launches(*block),
            Turn::Loop(inner) => cost(inner, times, launches).saturating_mul(times),
        })
    })
}

/// Turns as blocks, each loop so many times.
fn unroll(turns: &[Turn], times: u32, blocks: &mut Vec<usize>) {
    for turn in turns {
        match turn {
            Turn::Block(block) => blocks.push(*block),
            Turn::Loop(inner) => (0..times).for_each(|_| unroll(inner, times, blocks)),
        }
    }
}
