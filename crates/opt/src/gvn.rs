//! Value numbering: a pure instruction equal to one that is visible here is that one.
//!
//! Visibility is nesting and order, so the table only has to forget what a region added when the region ends.
//! Loads of memory that nobody writes are pure and numbered too.

use crate::Target;
use crate::edit::{Edit, Editor, Step, edit};
use rustc_hash::{FxBuildHasher, FxHashMap};
use smallvec::SmallVec;
use std::hash::BuildHasher;
use std::sync::Arc;
use vyre_ir::dialect::{Call, Law};
use vyre_ir::{Effect, Inst, Program, Region, Value};

/// Merges equal pure instructions.
pub fn gvn(p: &mut Program, _: &Target) -> bool {
    edit(p, &mut Numbering::default())
}

#[derive(Default)]
struct Numbering {
    /// By the hash of operation, attribute, operands and type. Instructions are compared before they are
    /// merged, so a clash of hashes only costs a chance.
    seen: FxHashMap<u64, Inst>,
    /// What the open regions changed in the table, to be undone.
    undo: Vec<(u64, Option<Inst>)>,
    /// Lengths of `undo` where the open regions began.
    regions: Vec<usize>,
}

impl Edit for Numbering {
    fn before(&mut self, e: &mut Editor<'_>, inst: Inst) -> Step {
        let data = &e.p.insts[inst];
        if e.p.effect(data) != Effect::Pure {
            return Step::Keep;
        }
        let args = ordered(e.p, inst);
        // Where operation, attribute and operands leave open what the results are, there is one.
        let ty = e.p.ty(data.results[0]);
        let key = FxBuildHasher.hash_one((data.op, &data.attr, &args[..], ty));
        if let Some(&other) = self.seen.get(&key)
            && (e.p.insts[other].op, &e.p.insts[other].attr) == (data.op, &data.attr)
            && e.p.ty(e.p.insts[other].results[0]) == ty
            && ordered(e.p, other) == args
        {
            for i in 0..e.p.insts[inst].results.len() {
                e.alias(e.p.insts[inst].results[i], e.p.insts[other].results[i]);
            }
            return Step::Drop;
        }
        self.undo.push((key, self.seen.insert(key, inst)));
        Step::Keep
    }

    fn enter(&mut self, _: &mut Editor<'_>, _: Region) {
        self.regions.push(self.undo.len());
    }

    fn leave(&mut self, _: &mut Editor<'_>, _: Region) {
        let start = self.regions.pop().expect("pushed on entry");
        for (key, before) in self.undo.drain(start..).rev() {
            match before {
                Some(inst) => self.seen.insert(key, inst),
                None => self.seen.remove(&key),
            };
        }
    }
}

/// Operands, those that may be exchanged in a fixed order.
fn ordered(p: &Program, inst: Inst) -> SmallVec<[Value; 4]> {
    let data = &p.insts[inst];
    let mut args = SmallVec::from_slice(&data.args);
    let lawful = |call: &Arc<Call>| call.def.as_ref().is_some_and(|def| def.laws.contains(&Law::Commutative));
    let commutes = data.op.info().commutes || p.call(data).is_some_and(lawful);
    if commutes && args[1] < args[0] {
        args.swap(0, 1);
    }
    args
}
