//! How many invocations a gang has.
//!
//! Wide gangs hide latency and share what is uniform; too wide ones spill registers. A program that has to do with
//! subgroups has gangs of their size, since a gang is what a subgroup is here.

use super::build::build;
use super::{Form, pressure};
use crate::order::is_about_subgroups;
use crate::{GANG_SIZE, SUBGROUP, fission};
use vyre_driver::BackendError;
use vyre_ir::Program;

/// The width that is tried first: two vectors of four for each number of 32 bits.
const USUAL: u32 = 8;

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
        let plan = fission::plan(p, gang, checked)?;
        Ok(Choice { form: build(p, &plan), scratch_bytes: plan.frame.bytes })
    };
    let mut subgroups = false;
    p.walk(p.body, &mut |inst| subgroups |= is_about_subgroups(p.insts[inst].op));
    if subgroups {
        return with(SUBGROUP);
    }
    let invocations = p.workgroup_invocations();
    let alone = checked || asked.is_none() && (invocations < 4 || p.size() >= GANG_SIZE);
    let choice = match asked {
        _ if alone => return with(1),
        Some(gang) => with(gang),
        None if invocations < USUAL as u64 => with(4),
        None => with(USUAL),
    };
    match choice {
        // Gangs need more memory.
        Err(BackendError::OutOfMemory { .. }) => with(1),
        Ok(usual) if asked.is_none() => {
            let width = pressure::width(pressure::pressure(&usual.form)).min(wide(invocations));
            if width == usual.form.width { Ok(usual) } else { with(width) }
        }
        choice => choice,
    }
}

/// The widest gang that a workgroup fills.
fn wide(invocations: u64) -> u32 {
    match invocations {
        16.. => 16,
        8.. => 8,
        _ => 4,
    }
}
