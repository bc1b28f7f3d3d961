//! Turns a short branch without effects into its instructions and a select for each result.
//!
//! A divergent branch costs more than a few operations on every target that runs invocations side by side,
//! and a mispredicted one does elsewhere.

use crate::Target;
use crate::cost::{is_cheap, is_free};
use crate::edit::{Edit, Editor, Step, edit};
use vyre_ir::{Attr, Inst, Op, Program, Type};

/// Flattens short branches, the innermost first.
pub fn if_to_select(p: &mut Program, _: &Target) -> bool {
    edit(p, &mut Flatten)
}

/// How many instructions of both sides together, and selects, replace a branch.
///
/// In a gang that runs under masks a branch costs about 6 instructions by itself: a test, a jump, and blends of what it
/// gives. On scalars one that is mispredicted costs 15 to 20 cycles, in which a machine that starts several
/// instructions a cycle is through with more than 12.
const LIMIT: usize = 12;

struct Flatten;

impl Edit for Flatten {
    fn before(&mut self, _: &mut Editor<'_>, _: Inst) -> Step {
        Step::Keep
    }

    fn after(&mut self, e: &mut Editor<'_>, inst: Inst) -> Step {
        if e.p.insts[inst].op != Op::If || !is_short(e.p, inst) {
            return Step::Keep;
        }
        let regions = e.p.insts[inst].regions.clone();
        let sides = [regions[0], regions[1]].map(|region| {
            let mut insts = std::mem::take(&mut e.p.regions[region].insts);
            let end = insts.pop().expect("a region ends in a yield");
            insts.iter().for_each(|&inner| e.place(inner));
            e.p.insts[end].args.clone()
        });
        let (condition, loc) = (e.p.insts[inst].args[0], e.p.insts[inst].loc.derived("if_to_select"));
        let results = e.p.insts[inst].results.clone();
        for (&result, (&a, &b)) in results.iter().zip(sides[0].iter().zip(&sides[1])) {
            let ty = e.p.ty(result);
            let condition = match ty.lanes {
                1 => condition,
                n => {
                    let ty = Type::new(e.p.ty(condition).scalar, n);
                    e.make(Op::Compose, Attr::None, &[condition; 4][..n as usize], ty, loc)
                }
            };
            let value = e.make(Op::Select, Attr::None, &[condition, a, b], ty, loc);
            e.alias(result, value);
        }
        Step::Drop
    }
}

fn is_short(p: &Program, inst: Inst) -> bool {
    let mut cost = p.insts[inst].results.len();
    for &region in &p.insts[inst].regions {
        let (_, insts) = p.regions[region].insts.split_last().expect("a region ends in a yield");
        for &inner in insts {
            let data = &p.insts[inner];
            cost += !is_free(data) as usize;
            if cost > LIMIT || !is_cheap(p, data) {
                return false;
            }
        }
    }
    cost <= LIMIT
}
