//! Control-flow graphs, and the definitions that reach their blocks.

use crate::kernels::Random;
use std::collections::VecDeque;

/// Words of a set of definitions.
pub const WORDS: usize = 4;

/// A control-flow graph with what its blocks do to definitions. The successors of block `b` are
/// `offsets[b]..offsets[b + 1]`.
pub struct Flow {
    /// One more than there are blocks.
    pub offsets: Vec<u32>,
    /// The block that an edge leads to.
    pub successors: Vec<u32>,
    /// For each block the set of definitions it makes.
    pub made: Vec<u32>,
    /// For each block the set of definitions it overwrites.
    pub killed: Vec<u32>,
}

impl Flow {
    /// As of a long function: each block leads to the next one; one in four also some blocks ahead, as a branch, one in
    /// sixteen back, as a loop. One in sixteen makes a definition of one of 16 variables and overwrites the others of it.
    pub fn generate(blocks: u32) -> Flow {
        let mut random = Random::new();
        let (mut offsets, mut successors) = (vec![0], vec![]);
        let mut definitions = vec![];
        for block in 0..blocks {
            if block + 1 < blocks {
                successors.push(block + 1);
            }
            if random.below(4) == 0 {
                successors.push((block + 2 + random.below(30)).min(blocks - 1));
            }
            if random.below(16) == 0 {
                successors.push(block.saturating_sub(random.below(60)));
            }
            offsets.push(successors.len() as u32);
            definitions.push((random.below(16) == 0).then(|| random.below(WORDS as u32 * 32)));
        }
        let (mut made, mut killed) = (vec![], vec![]);
        for definition in definitions {
            let (mut makes, mut kills) = ([0u32; WORDS], [0u32; WORDS]);
            if let Some(definition) = definition {
                let bit = |set: &mut [u32; WORDS], i: u32| set[i as usize / 32] |= 1 << (i % 32);
                bit(&mut makes, definition);
                // Definitions of one variable are the same modulo 16.
                let others = (definition % 16..WORDS as u32 * 32).step_by(16);
                others.filter(|&other| other != definition).for_each(|other| bit(&mut kills, other));
            }
            made.extend(makes);
            killed.extend(kills);
        }
        Flow { offsets, successors, made, killed }
    }

    /// How many blocks there are.
    pub fn blocks(&self) -> u32 {
        self.offsets.len() as u32 - 1
    }

    /// The blocks that follow one.
    pub fn after(&self, block: u32) -> &[u32] {
        &self.successors[self.offsets[block as usize] as usize..self.offsets[block as usize + 1] as usize]
    }

    /// What leaves a block that these definitions reach.
    pub fn leaving(&self, block: u32, reaching: [u32; WORDS]) -> [u32; WORDS] {
        let at = block as usize * WORDS;
        std::array::from_fn(|w| self.made[at + w] | reaching[w] & !self.killed[at + w])
    }

    /// The definitions that reach each block, with a list of blocks that are to be looked at.
    pub fn reaching(&self) -> Vec<u32> {
        let mut sets = vec![[0; WORDS]; self.blocks() as usize];
        let mut waiting: VecDeque<u32> = (0..self.blocks()).collect();
        let mut waits = vec![true; self.blocks() as usize];
        while let Some(block) = waiting.pop_front() {
            waits[block as usize] = false;
            let leaving = self.leaving(block, sets[block as usize]);
            for &next in self.after(block) {
                let before = sets[next as usize];
                let joined: [u32; WORDS] = std::array::from_fn(|w| before[w] | leaving[w]);
                if joined != before {
                    sets[next as usize] = joined;
                    if !std::mem::replace(&mut waits[next as usize], true) {
                        waiting.push_back(next);
                    }
                }
            }
        }
        sets.concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loop_by_hand() {
        // 0 -> 1 -> 2 -> 1; 0 makes definition 1, 2 makes definition 17 of the same variable.
        let mut flow = Flow {
            offsets: vec![0, 1, 2, 3],
            successors: vec![1, 2, 1],
            made: vec![0; 3 * WORDS],
            killed: vec![0; 3 * WORDS],
        };
        flow.made[0] = 1 << 1;
        flow.made[2 * WORDS] = 1 << 17;
        flow.killed[2 * WORDS] = 1 << 1;
        let both = 1 << 1 | 1 << 17;
        assert_eq!(flow.reaching(), [0, 0, 0, 0, both, 0, 0, 0, both, 0, 0, 0]);
    }
}
