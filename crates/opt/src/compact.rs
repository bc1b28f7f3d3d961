//! Numbers everything in program order and leaves behind what does not run any more.

use crate::Target;
use crate::rewrite::{Copier, rewrite};
use vyre_ir::{Inst, Program, Value};

/// Copies the program without its garbage. Never a change of the program.
pub fn compact(p: &mut Program, _: &Target) -> bool {
    *p = rewrite(p, &mut |_: &mut Copier<'_>, _: Inst, _: &[Value]| None);
    false
}
