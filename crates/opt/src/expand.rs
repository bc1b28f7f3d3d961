//! Replaces operations that the target lacks by their rows' expansions.

use crate::Target;
use crate::rewrite::{Copier, Values, rewrite};
use vyre_ir::{Effect, Inst, InstData, Program, Value};

/// Rewrites until no operation is left that the target lacks and that has an expansion.
pub fn expand(p: &mut Program, target: &Target) -> bool {
    let mut changed = false;
    // An expansion may use operations that have one themselves.
    while lacks_any(p, target) {
        *p = rewrite(p, &mut |copy: &mut Copier<'_>, inst: Inst, args: &[Value]| {
            let data = &copy.from.insts[inst];
            let expand = data.op.info().expand.filter(|_| lacks(copy.from, data, target))?;
            copy.b.loc = data.loc.derived("expand");
            Some(Values::from_slice(&[expand(&mut copy.b, args)]))
        });
        changed = true;
    }
    changed
}

fn lacks_any(p: &Program, target: &Target) -> bool {
    let mut found = false;
    p.walk(p.body, &mut |inst| found |= lacks(p, &p.insts[inst], target));
    found
}

fn lacks(p: &Program, inst: &InstData, target: &Target) -> bool {
    let info = inst.op.info();
    debug_assert!(info.expand.is_none() || info.effect == Effect::Pure, "only pure rows have an expansion");
    info.expand.is_some() && !(target.native)(inst.op, p.sig(inst).operand)
}
