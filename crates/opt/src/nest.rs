//! Puts a branch into the one that decides it: `if c { ..; y } else { false }` right before `if` on its result becomes
//! `if c { ..; if y { .. } }`.
//!
//! Conditions joined by `&&` come like that when the second one has effects. Nobody then asks twice, and no value waits
//! in between. What waits for others, or works together with them, stays where it is.

use crate::Target;
use crate::edit::{Edit, Editor, Step, edit};
use vyre_ir::{Effect, Inst, Op, Program, SideTable, Value};

/// Nests branches in what decides them.
pub fn nest(p: &mut Program, _: &Target) -> bool {
    let mut uses = SideTable::new(0u32);
    p.walk(p.body, &mut |inst| p.insts[inst].args.iter().for_each(|&arg| uses[arg] += 1));
    edit(p, &mut Nest { uses })
}

struct Nest {
    uses: SideTable<Value, u32>,
}

impl Edit for Nest {
    fn before(&mut self, _: &mut Editor<'_>, _: Inst) -> Step {
        Step::Keep
    }

    fn after(&mut self, e: &mut Editor<'_>, inst: Inst) -> Step {
        let Some(decides) = self.decides(e, inst) else { return Step::Keep };
        let sides = e.p.insts[decides].regions.clone();
        e.p.insts[decides].results.clear();
        let mut ends = sides.iter().map(|&side| {
            let end = *e.p.regions[side].insts.last().expect("a region ends in a yield");
            std::mem::take(&mut e.p.insts[end].args)[0]
        });
        let condition = ends.next().expect("a branch has a side");
        ends.for_each(drop);
        e.p.insts[inst].args[0] = condition;
        let insts = &mut e.p.regions[sides[0]].insts;
        insts.insert(insts.len() - 1, inst);
        Step::Drop
    }
}

impl Nest {
    /// The branch right before a branch that gives nothing but its condition, and false on its other side.
    fn decides(&self, e: &Editor<'_>, inst: Inst) -> Option<Inst> {
        let p = &*e.p;
        let data = &p.insts[inst];
        let decides = *e.lists.last()?.last()?;
        let other = &p.insts[decides];
        let fits = data.op == Op::If
            && other.op == Op::If
            && data.results.is_empty()
            && other.results[..] == data.args[..]
            && self.uses[data.args[0]] == 1
            && p.regions[data.regions[1]].insts.len() == 1
            && p.splat_constant(p.yielded(other.regions[1])[0]) == Some(0);
        (fits && is_alone(p, inst)).then_some(decides)
    }
}

/// Whether nothing in a branch has to do with other invocations.
fn is_alone(p: &Program, branch: Inst) -> bool {
    let mut alone = true;
    p.walk(p.insts[branch].regions[0], &mut |inst| {
        alone &= !matches!(p.effect(&p.insts[inst]), Effect::Syncs | Effect::Converges);
    });
    alone
}
