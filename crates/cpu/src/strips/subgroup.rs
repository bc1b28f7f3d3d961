//! Subgroup operations: the gang is the subgroup, and the lanes of the mask are the active ones.

use super::Worker;
use crate::form::Var;
use crate::subgroup;
use smallvec::SmallVec;
use vyre_ir::{Op, Sig};

impl Worker<'_> {
    #[inline(never)]
    pub fn subgroup(&mut self, op: Op, sig: Sig, outs: &[Var], args: &[Var], mask: Option<Var>) {
        let width = self.lanes.width;
        let active: SmallVec<[usize; 16]> =
            (0..width).filter(|&lane| self.lanes.is_active(mask, lane)).collect();
        if active.is_empty() {
            return;
        }
        let value = |lane: usize| self.lanes.get(args[0], lane);
        if op == Op::SubgroupBallot {
            for (&out, word) in outs.iter().zip(subgroup::ballot(&active, value)) {
                (0..width).for_each(|lane| self.lanes.set(out, lane, word));
            }
            return;
        }
        let other = |lane: usize| self.lanes.get(args[1], lane);
        let results = subgroup::results(op, sig.operand, &active, value, other);
        let uniform = !self.lanes.is_varying(outs[0]);
        let count = if uniform { 1 } else { active.len() };
        for (&lane, &bits) in active.iter().zip(&results).take(count) {
            self.lanes.set(outs[0], lane, bits);
        }
    }
}
