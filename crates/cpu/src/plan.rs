//! What is known of a program before its form is made: its pieces between barriers, and where values and memory are.
//!
//! [`vyre_opt::fission`] cuts the program for the level of the workgroup. What only depends on workgroup-wide values
//! is computed once for the workgroup ([`crate::scalars`]), before the piece it stands in; what lives from piece to
//! piece lies in the worker's [`Frame`].

use crate::frame::Frame;
use crate::order::Order;
use crate::scalars;
use vyre_driver::BackendError;
use vyre_ir::{Buffer, Memory, Op, Program, Rule, SideTable, Value};
use vyre_opt::analysis::zeroing;
use vyre_opt::fission::{Fission, Home, Level, PrivateUse, Step, again, fission, mark_cuts};

/// A program as workgroup-level steps.
pub(crate) struct Plan {
    pub steps: Vec<Step>,
    /// Where values are; a slot's place is an offset in the scratch memory, from which on there is for each lane an
    /// array with an element for each invocation.
    pub homes: SideTable<Value, Home>,
    pub private: SideTable<Buffer, PrivateCopies>,
    /// Bytes of the scalars that private memory is made of, if all accesses to it agree; else 0.
    pub interleaved: SideTable<Buffer, u32>,
    /// Where slots and memory lie in the worker's scratch.
    pub frame: Frame,
    /// Invocations that run in step where code allows; 1 for one after another.
    pub gang: u32,
    /// In which order invocations run.
    pub order: Order,
    /// Whether an access out of bounds ends the run.
    pub checked: bool,
}

/// How many copies of a private buffer there are.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub(crate) enum PrivateCopies {
    Unused,
    /// One, or one for each invocation of a gang, because a single piece that is run once uses it.
    One,
    /// One for each invocation.
    All,
}

/// Cuts a program.
///
/// # Errors
/// [`BackendError::OutOfMemory`] when a workgroup needs too much memory.
pub(crate) fn plan(p: &Program, gang: u32, checked: bool) -> Result<Plan, BackendError> {
    let cuts = mark_cuts(p, Op::syncs_workgroup);
    let scalar = scalars::find(p, &cuts, checked);
    let level = Level {
        cuts: &cuts,
        once: &scalar,
        known: &scalar,
        again: &|data| again(p, data),
        handed_over: &|_| None,
    };
    let Fission { steps, mut homes, intervals, same_home, accessed, private: uses } = fission(p, &level);
    let mut private = SideTable::new(PrivateCopies::Unused);
    for buffer in p.buffers.keys() {
        private[buffer] = match uses[buffer] {
            PrivateUse::None => PrivateCopies::Unused,
            PrivateUse::Once(_) => PrivateCopies::One,
            PrivateUse::Across => PrivateCopies::All,
        };
    }
    let zeroed = zeroing::needed(p, &cuts);
    let frame = Frame::new(p, &mut homes, intervals, &private, gang, &accessed, &zeroed)?;
    for value in p.values.keys() {
        if let Some(other) = same_home[value] {
            homes[value] = homes[other];
        }
    }
    let order = Order::of(p, &accessed);
    let interleaved = interleaved(p);
    Ok(Plan { steps, homes, private, interleaved, frame, gang, order, checked })
}

/// Bytes of the scalars that all accesses to a private buffer are of; 0 if they differ.
fn interleaved(p: &Program) -> SideTable<Buffer, u32> {
    let mut seen: SideTable<Buffer, Option<u32>> = SideTable::new(None);
    p.walk(p.body, &mut |inst| {
        let data = &p.insts[inst];
        let Some(buffer) = p.buffer_of(data) else { return };
        let accessed = match data.op.info().rule {
            Rule::Load => data.results[0],
            Rule::Store => data.args[1],
            _ => return,
        };
        let bytes = p.ty(accessed).scalar.bytes();
        seen[buffer] = Some(if seen[buffer].is_none_or(|before| before == bytes) { bytes } else { 0 });
    });
    let mut interleaved = SideTable::new(0);
    for (buffer, decl) in p.buffers.iter().filter(|(_, decl)| decl.memory == Memory::Private) {
        // What does not divide evenly would leave a rest that belongs to nobody.
        let even =
            |bytes: &u32| *bytes > 0 && decl.static_bytes().is_some_and(|n| n.is_multiple_of(*bytes as u64));
        interleaved[buffer] = seen[buffer].filter(even).unwrap_or(0);
    }
    interleaved
}
