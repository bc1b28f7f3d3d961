//! Blocks of several workgroups, where no result depends on which workgroup an invocation is in.
//!
//! A multiprocessor takes so many blocks and so many threads: with small workgroups it is full of blocks before it is
//! full of threads, and has less to do while memory is waited for. So neighbors along x become one block, as few as fill
//! it best. The invocations are the same: only as many are merged as divide the workgroups of the grid, and a grid all of
//! whose workgroups run at once stays as it is, since fewer blocks would only leave multiprocessors idle.

use crate::executable::{Facts, Loaded};
use crate::library::Failure;
use smallvec::SmallVec;

/// How the workgroups of a kernel are merged.
#[derive(Debug)]
pub struct Merging {
    /// How many workgroups can be one block, each number with more threads on a multiprocessor than those before.
    steps: SmallVec<[u32; 4]>,
    /// How many workgroups the device runs at once, each as a block.
    at_once: u64,
}

impl Merging {
    /// What the driver says of a kernel. The context is the thread's.
    pub fn of(loaded: &Loaded, facts: &Facts) -> Result<Merging, Failure> {
        if facts.merges <= 1 {
            return Ok(Merging { steps: SmallVec::new(), at_once: u64::MAX });
        }
        let at_once = loaded.at_once(facts)?;
        Ok(Merging { steps: steps(facts.merges, |n| Ok(n as u64 * loaded.blocks(facts, n)?))?, at_once })
    }

    /// How many workgroups of a grid are one block.
    pub fn factor(&self, workgroups: [u32; 3]) -> u32 {
        let count = workgroups.iter().fold(1u64, |n, &axis| n.saturating_mul(axis.into()));
        if count <= self.at_once {
            return 1;
        }
        let divides = |n: &&u32| workgroups[0].is_multiple_of(**n);
        self.steps.iter().rev().find(divides).copied().unwrap_or(1)
    }
}

/// The powers of two up to a number with each of which more workgroups run at once than with those before.
fn steps(most: u32, workgroups: impl Fn(u32) -> Result<u64, Failure>) -> Result<SmallVec<[u32; 4]>, Failure> {
    let mut steps = SmallVec::new();
    let mut best = workgroups(1)?;
    for n in (1..=most.ilog2()).map(|log| 1 << log) {
        let found = workgroups(n)?;
        if found > best {
            best = found;
            steps.push(n);
        }
    }
    Ok(steps)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Workgroups of 16 on a multiprocessor for 1536 threads and 16 blocks, by warps.
    #[test]
    fn only_what_fills_more_is_a_step() {
        let blocks = |n: u32| (1536 / (16 * n).next_multiple_of(32)).min(16);
        let found = steps(16, |n| Ok(u64::from(n * blocks(n)))).unwrap();
        // 16 workgroups, then 32, 64 and 96 in 12 blocks of 8: as many as in 6 of 16.
        assert_eq!(found[..], [2, 4, 8]);
        assert!(steps(1, |_| Ok(7)).unwrap().is_empty());
        assert!(steps(8, |_| Ok(7)).unwrap().is_empty());
    }

    #[test]
    fn the_largest_step_that_divides() {
        let merging = Merging { steps: SmallVec::from_slice(&[2, 8]), at_once: 100 };
        for (workgroups, factor) in [
            ([104, 1, 1], 8),
            ([108, 1, 1], 2),
            ([101, 1, 1], 1),
            ([100, 1, 1], 1),
            ([8, 13, 1], 8),
            ([1, 8, 800], 1),
            ([2, u32::MAX, u32::MAX], 2),
            ([0, 1, 1], 1),
        ] {
            assert_eq!(merging.factor(workgroups), factor, "{workgroups:?}");
        }
    }
}
