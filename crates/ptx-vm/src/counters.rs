//! What the accesses of warps cost: sectors of global memory, passes over the banks of shared memory.
//!
//! Threads do not run in step here, so the n-th time that each lane comes to an instruction counts as one access of its
//! warp.

use crate::code::{Code, NONE};
use crate::run::Counters;
use rustc_hash::{FxHashMap, FxHashSet};
use std::collections::BTreeMap;

/// Bytes of global memory that are moved together.
const SECTOR: u64 = 32;
/// Words of shared memory that are read together, each in another bank.
const BANKS: u64 = 32;

/// An access of a warp that not all lanes have come to.
struct Open {
    lanes: u32,
    shared: bool,
    touched: Vec<(u64, u32)>,
}

/// A thread that comes to an access.
#[derive(Copy, Clone)]
pub(crate) struct Visit {
    pub(crate) slot: u32,
    /// Number of the thread in its block.
    pub(crate) linear: u32,
    /// How many lanes its warp has.
    pub(crate) lanes: u32,
    pub(crate) pc: u32,
}

#[derive(Default)]
struct Sum {
    warps: u64,
    transactions: u64,
    least: u64,
}

/// Counts the accesses of a launch.
#[derive(Default)]
pub(crate) struct Tally {
    /// By slot, thread and instruction: how often it came there.
    visits: FxHashMap<(u32, u32, u32), u32>,
    /// By slot, warp, instruction and visit.
    open: FxHashMap<(u32, u32, u32, u32), Open>,
    sums: BTreeMap<u32, Sum>,
}

impl Tally {
    /// A lane touches some bytes.
    pub(crate) fn note(&mut self, visit: Visit, shared: bool, address: u64, bytes: u32) {
        let Visit { slot, linear, lanes, pc } = visit;
        let visits = self.visits.entry((slot, linear, pc)).or_default();
        let key = (slot, linear / 32, pc, *visits);
        *visits += 1;
        let open = self.open.entry(key).or_insert_with(|| Open { lanes: 0, shared, touched: Vec::new() });
        open.lanes += 1;
        open.touched.push((address, bytes));
        if open.lanes == lanes
            && let Some(open) = self.open.remove(&key)
        {
            self.close(pc, &open);
        }
    }

    /// The block in a slot has ended.
    pub(crate) fn flush(&mut self, slot: u32) {
        self.visits.retain(|key, _| key.0 != slot);
        let (ended, open) = std::mem::take(&mut self.open).into_iter().partition(|(key, _)| key.0 == slot);
        self.open = open;
        let ended: FxHashMap<(u32, u32, u32, u32), Open> = ended;
        for (key, open) in ended {
            self.close(key.2, &open);
        }
    }

    fn close(&mut self, pc: u32, open: &Open) {
        let sum = self.sums.entry(pc).or_default();
        sum.warps += 1;
        if open.shared {
            let words: FxHashSet<u64> = open
                .touched
                .iter()
                .flat_map(|(at, bytes)| at / 4..(at + u64::from(*bytes)).div_ceil(4))
                .collect();
            let mut banks = [0u64; BANKS as usize];
            words.iter().for_each(|word| banks[(word % BANKS) as usize] += 1);
            sum.transactions += banks.into_iter().max().unwrap_or(0);
            sum.least += (words.len() as u64).div_ceil(BANKS);
        } else {
            let sectors: FxHashSet<u64> = open
                .touched
                .iter()
                .flat_map(|(at, bytes)| at / SECTOR..(at + u64::from(*bytes)).div_ceil(SECTOR))
                .collect();
            let bytes: FxHashSet<u64> =
                open.touched.iter().flat_map(|(at, bytes)| *at..at + u64::from(*bytes)).collect();
            sum.transactions += sectors.len() as u64;
            sum.least += (bytes.len() as u64).div_ceil(SECTOR);
        }
    }

    /// For each access in the text, in order of lines.
    pub(crate) fn finish(self, code: &Code) -> Vec<Counters> {
        let mut out: Vec<Counters> = self
            .sums
            .into_iter()
            .map(|(pc, sum)| {
                let instruction = &code.instructions[pc as usize];
                let line = instruction.line as usize;
                let text = code.text.lines().nth(line.saturating_sub(1)).unwrap_or_default();
                Counters {
                    line,
                    source: (instruction.place != NONE)
                        .then(|| code.places[instruction.place as usize].clone()),
                    instruction: text.trim().to_string(),
                    warps: sum.warps,
                    transactions: sum.transactions,
                    least: sum.least,
                }
            })
            .collect();
        out.sort_by_key(|counters| counters.line);
        out
    }
}
