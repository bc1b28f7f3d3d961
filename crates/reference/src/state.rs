//! The values and memory of a workgroup, and what a step does to them for a set of invocations.
//!
//! Nothing here decides who runs what: that is the schedule's part.

use crate::decode::{Code, Id, Place, Step};
use crate::lockstep::Active;
use crate::memory::{Memory, Own};
use crate::subgroup;

/// The state of a workgroup.
pub(crate) struct State<'r, 'b> {
    /// Shared cells, then one run of cells for each slot.
    pub cells: Vec<u64>,
    memory: Memory<'r, 'b>,
    subgroup_size: usize,
}

/// Cells before a workgroup starts.
pub(crate) fn fresh_cells(code: &Code) -> Vec<u64> {
    let mut cells = vec![0; code.cells];
    cells[..code.shared.len()].copy_from_slice(&code.shared);
    cells
}

impl<'r, 'b> State<'r, 'b> {
    pub fn new(code: &Code, memory: Memory<'r, 'b>) -> Self {
        State { cells: fresh_cells(code), memory, subgroup_size: code.subgroup_size }
    }

    /// Goes on with another workgroup: what belongs to one is exchanged for what belongs to the other.
    pub fn exchange(&mut self, cells: &mut Vec<u64>, own: &mut Own) {
        std::mem::swap(&mut self.cells, cells);
        std::mem::swap(self.memory.own(), own);
    }

    /// The place in the grid of the workgroup that runs.
    pub fn workgroup(&mut self) -> [u32; 3] {
        self.memory.own().id
    }

    /// Prepares for the first step of a workgroup.
    pub fn start_workgroup(&mut self, code: &Code, workgroup: [u32; 3]) {
        self.memory.start_workgroup(workgroup);
        for (place, id) in code.workgroup_id.into_iter().zip(workgroup) {
            self.cells[place.at(0)] = id as u64;
        }
        for &(id, place) in &code.ids {
            for i in 0..code.invocations {
                let index = i as u32;
                let local = |axis: u8| code.local_id(index)[axis as usize];
                let value = match id {
                    Id::Local(axis) => local(axis),
                    Id::Global(axis) => {
                        let (group, size) = (workgroup[axis as usize], code.workgroup_size[axis as usize]);
                        group.wrapping_mul(size).wrapping_add(local(axis))
                    }
                    Id::LocalIndex => index,
                    Id::SubgroupLane => index % code.subgroup_size as u32,
                    Id::Subgroup => index / code.subgroup_size as u32,
                };
                self.cells[place.at(i)] = value as u64;
            }
        }
    }

    /// The first invocation whose access by a step is out of bounds, with the index and the bytes of the buffer.
    pub fn outside(&self, step: &Step, active: Active<'_>) -> Option<(u32, u32, u64)> {
        let (access, index) = match *step {
            Step::Load { access, index, .. }
            | Step::Store { access, index, .. }
            | Step::Atomic { access, index, .. }
            | Step::CompareExchange { access, index, .. } => (access, index),
            _ => return None,
        };
        let at = |i: u32| self.cells[index.at(i as usize)];
        let found = active.list.iter().copied().find(|&i| !self.memory.holds(access, at(i)))?;
        Some((found, at(found) as u32, self.memory.bytes(access.buffer) as u64))
    }

    /// Performs a step that is not control flow.
    pub fn perform(&mut self, step: &Step, active: Active<'_>) {
        let State { cells, memory, subgroup_size } = self;
        match *step {
            Step::Eval { eval, sig, arity, args: [a, b, c], out } => match arity {
                1 => map(cells, active, [a], out, |v| eval(sig, v)),
                2 => map(cells, active, [a, b], out, |v| eval(sig, v)),
                _ => map(cells, active, [a, b, c], out, |v| eval(sig, v)),
            },
            Step::Expand { op, sig, arity, args, out } => map(cells, active, args, out, |v| {
                vyre_ir::eval::evaluate(op, sig, &v[..arity as usize])
                    .expect("the verifier admits evaluable rows only")
            }),
            Step::Call { function, ref args, out } => {
                let mut values = vec![0; args.len()];
                active.each(|i| {
                    for (value, place) in values.iter_mut().zip(args) {
                        *value = cells[place.at(i)];
                    }
                    cells[out.at(i)] = function(&values);
                });
            }
            Step::Move { from, out } => map(cells, active, [from], out, |v| v[0]),
            Step::Load { access, index, out } => active.each(|i| {
                let value = memory.load(access, i, cells[index.at(i)]);
                for (out, bits) in out.into_iter().zip(value).take(access.lanes as usize) {
                    cells[out.at(i)] = bits;
                }
            }),
            Step::Store { access, index, value } => active.each(|i| {
                memory.store(access, i, cells[index.at(i)], value.map(|place| cells[place.at(i)]));
            }),
            Step::Atomic { access, eval, sig, index, value, out } => active.each(|i| {
                let operand = cells[value.at(i)];
                let old = memory.update(access, i, cells[index.at(i)], |old| eval(sig, &[old, operand]));
                cells[out.at(i)] = old.unwrap_or(0);
            }),
            Step::CompareExchange { access, index, expected, new, old, exchanged } => active.each(|i| {
                let (want, put) = (cells[expected.at(i)], cells[new.at(i)]);
                let change = |old| if old == want { put } else { old };
                let found = memory.update(access, i, cells[index.at(i)], change);
                cells[old.at(i)] = found.unwrap_or(0);
                cells[exchanged.at(i)] = (found == Some(want)) as u64;
            }),
            Step::Subgroup { what, args, out } => {
                subgroup::perform(cells, active, *subgroup_size, what, args, out);
            }
            Step::Barrier { .. }
            | Step::GridSync(_)
            | Step::Branch(_)
            | Step::Join
            | Step::Enter
            | Step::Repeat { .. }
            | Step::End => unreachable!("control flow is the schedule's"),
        }
    }
}

fn map<const N: usize>(
    cells: &mut [u64],
    active: Active<'_>,
    args: [Place; N],
    out: Place,
    f: impl Fn(&[u64; N]) -> u64,
) {
    active.each(|i| cells[out.at(i)] = f(&args.map(|place| cells[place.at(i)])));
}
