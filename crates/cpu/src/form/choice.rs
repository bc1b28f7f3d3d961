//! How many invocations a gang has.
//!
//! Wide gangs hide latency and share what is uniform; too wide ones spill registers. A program that has to do with
//! subgroups has gangs of their size, since a gang is what a subgroup is here.

use super::build::build;
use super::{Form, pressure};
use crate::order::is_about_subgroups;
use crate::{GANG_SIZE, SUBGROUP, plan};
use vyre_driver::BackendError;
use vyre_ir::Program;

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

/// The widest gang that a workgroup fills.
pub(crate) fn widest(p: &Program) -> u32 {
    match p.workgroup_invocations() {
        16.. => 16,
        8.. => 8,
        4.. => 4,
        _ => 1,
    }
}
