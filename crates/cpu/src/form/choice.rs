//! How many invocations a gang has.
//!
//! Wide gangs hide latency and share what is uniform; too wide ones spill registers. A program that has to do with
//! subgroups has gangs of their size, since a gang is what a subgroup is here.

use super::build::build;
use super::{Form, pressure};
use crate::order::is_about_subgroups;
use crate::{GANG_SIZE, SUBGROUP, plan};
use vyre_driver::BackendError;
use vyre_ir::{Op, Program, Rule, Value};
use vyre_opt::analysis::{Gang, Shape, shapes};

/// A program's form, and the bytes of scratch memory that a worker needs for it.
pub(crate) struct Choice {
    pub form: Form,
    pub scratch_bytes: u64,
}

/// The form of a program in gangs of the size that is asked for, else of the size that suits it. Code that reports
/// accesses runs one invocation after another, unless it has to do with subgroups.
///
/// # Errors
/// [`BackendError::OutOfMemory`] when a workgroup needs too much memory.
pub(crate) fn choose(p: &Program, asked: Option<u32>, checked: bool) -> Result<Choice, BackendError> {
    let with = |gang| {
        let plan = plan::plan(p, gang, checked)?;
        Ok(Choice { form: build(p, &plan), scratch_bytes: plan.frame.bytes })
    };
    let mut subgroups = false;
    p.walk(p.body, &mut |inst| subgroups |= is_about_subgroups(p.insts[inst].op));
    if subgroups {
        return with(SUBGROUP);
    }
    if checked || asked.is_none() && p.size() >= GANG_SIZE {
        return with(1);
    }
    let choice = match with(asked.unwrap_or_else(|| widest(p))) {
        Ok(wide) if asked.is_none() && parts_for_atomics(p, wide.form.width) => with(1),
        Ok(wide) if asked.is_none() => match pressure::widest(pressure::pressure(&wide.form)) {
            width if width < wide.form.width => with(width),
            _ => Ok(wide),
        },
        choice => choice,
    };
    match choice {
        // Gangs need more memory.
        Err(BackendError::OutOfMemory { .. }) => with(1),
        choice => choice,
    }
}

/// Whether invocations do atomics in loops that each leaves in a turn of its own: then what a gang does together is
/// little beside what each does alone. A breadth-first search of a Kronecker graph takes nine times as long in gangs of
/// 16. Loops over what counts up along the gang are left together but for the last turns; a histogram made in such
/// takes half the time in gangs.
fn parts_for_atomics(p: &Program, width: u32) -> bool {
    let is_atomic = |inst| matches!(p.insts[inst].op.info().rule, Rule::Atomic(_) | Rule::CompareExchange(_));
    let holds_atomics = |region| {
        let mut found = false;
        p.walk(region, &mut |inst| found |= is_atomic(inst));
        found
    };
    if width == 1 || !holds_atomics(p.body) {
        return false;
    }
    let shapes = shapes(p, Gang { width, axes: [0, 1, 2], subgroup: SUBGROUP });
    let is_apart = |again: Value| {
        let counted = p.producer(again).is_some_and(|data| {
            matches!(data.op.info().rule, Rule::Compare(_))
                && data.args.iter().all(|&arg| shapes[arg] != Shape::Varying)
        });
        shapes[again] == Shape::Varying && !counted
    };
    let mut found = false;
    p.walk(p.body, &mut |inst| {
        let data = &p.insts[inst];
        if data.op == Op::Loop && !found {
            found = is_apart(p.yielded(data.regions[0])[0]) && holds_atomics(data.regions[0]);
        }
    });
    found
}

/// The widest gang that a workgroup fills.
pub(crate) fn widest(p: &Program) -> u32 {
    match p.workgroup_invocations() {
        16.. => 16,
        8.. => 8,
        4.. => 4,
        _ => 1,
    }
}
