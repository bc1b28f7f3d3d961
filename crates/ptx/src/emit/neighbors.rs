//! Scalars that are neighbors in memory, accessed together by one instruction of up to 16 bytes.
//!
//! Together go accesses of one region that are in bounds for sure, of which it is known how far they are apart and how
//! their place is aligned. All happen where the first load is, or the last store; in between nothing touches that memory
//! that they could not be exchanged with.

use super::address::{Address, Bounds};
use super::code::{Class, Guard};
use super::memory::{list, memory_type, stored, vector};
use super::{Emitter, Lanes, is_dead};
use smallvec::SmallVec;
use std::rc::Rc;
use vyre_ir::{Buffer, Effect, Inst, InstData, Op, Region, Scalar, Value};

/// Accesses that one instruction does, in the order of memory.
pub type Group = Rc<[Inst]>;

/// The most bytes of an instruction.
const BYTES: u32 = 16;

/// Accesses of a buffer that differ in what they add to an index.
struct Run {
    access: Access,
    /// By scalars from the index.
    members: SmallVec<[(i64, Inst); 8]>,
}

impl Run {
    /// Whether there is an access at a place.
    fn has(&self, at: i64) -> bool {
        self.members.iter().any(|(other, _)| *other == at)
    }
}

#[derive(Copy, Clone, PartialEq, Eq)]
struct Access {
    buffer: Buffer,
    scalar: Scalar,
    is_store: bool,
    /// None for constants.
    index: Option<Value>,
}

impl Emitter<'_> {
    /// Finds what goes together in a region.
    pub fn find_neighbors(&mut self, region: Region) {
        let p = self.p;
        let mut runs: Vec<Run> = Vec::new();
        for &inst in &p.regions[region].insts {
            let data = &p.insts[inst];
            let joins = self.joins(inst, data);
            let ends = |run: &Run| {
                let Access { buffer, is_store, .. } = run.access;
                match (joins, p.effect(data)) {
                    (Some((access, at)), _) => {
                        access.buffer == buffer
                            && (is_store || access.is_store)
                            && (access != run.access || run.has(at))
                    }
                    (None, Effect::Pure) => !data.regions.is_empty() && self.known.needs.written[buffer],
                    (None, Effect::Reads) => is_store && p.buffer_of(data).is_none_or(|read| read == buffer),
                    (None, _) => self.known.needs.written[buffer],
                }
            };
            let ended: Vec<Run> = runs.extract_if(.., |run| ends(run)).collect();
            ended.iter().for_each(|run| self.keep(run));
            if let Some((access, at)) = joins {
                match runs.iter_mut().find(|run| run.access == access && !run.has(at)) {
                    Some(run) => run.members.push((at, inst)),
                    None => runs.push(Run { access, members: SmallVec::from_slice(&[(at, inst)]) }),
                }
            }
        }
        runs.iter().for_each(|run| self.keep(run));
    }

    /// An access that can be done with others, and where it is.
    fn joins(&self, inst: Inst, data: &InstData) -> Option<(Access, i64)> {
        let p = self.p;
        let value = match data.op {
            Op::Load => data.results[0],
            Op::Store => data.args[1],
            _ => return None,
        };
        let (buffer, ty) = (p.buffer_of(data)?, p.ty(value));
        if !self.is_inside(inst) || ty.lanes > 1 || is_dead(data, self.known.needs) {
            return None;
        }
        let (scalar, is_store) = (ty.scalar, data.op == Op::Store);
        let (index, at) = self.index(buffer, data.args[0], scalar.bytes());
        Some((Access { buffer, scalar, is_store, index }, at))
    }

    /// Makes groups of a run.
    fn keep(&mut self, run: &Run) {
        let size = run.access.scalar.bytes();
        let mut members = run.members.clone();
        members.sort();
        let mut rest = &members[..];
        while let [(at, _), ..] = *rest {
            let exponent = match run.access.index {
                Some(index) => at.trailing_zeros().min(self.known.alignment.exponent(index)),
                None => at.trailing_zeros(),
            };
            let follow = |n: &usize| rest[..*n].iter().zip(at..).all(|((found, _), at)| *found == at);
            let fits = |n: &usize| {
                *n <= rest.len() && *n as u32 * size <= BYTES && 1 << exponent.min(4) >= *n && follow(n)
            };
            let count = [4, 2].into_iter().find(fits).unwrap_or(1);
            let (first, behind) = rest.split_at(count);
            if count > 1 {
                let group: Group = first.iter().map(|(_, inst)| *inst).collect();
                group.iter().for_each(|&inst| _ = self.groups.insert(inst, group.clone()));
            }
            rest = behind;
        }
    }

    /// Does what an access of a group has to do; whether it is of one.
    pub fn grouped(&mut self, inst: Inst, data: &InstData) -> bool {
        let Some(group) = self.groups.remove(&inst) else { return false };
        match data.op {
            Op::Load if group.is_empty() => {}
            Op::Load => {
                self.load_group(&group);
                // Nothing is left to be done for the others.
                let others = group.iter().filter(|other| **other != inst);
                others.for_each(|&other| _ = self.groups.insert(other, Group::from([])));
            }
            // The last one stores them all.
            _ if group.iter().any(|other| self.groups.contains_key(other)) => {}
            _ => self.store_group(&group),
        }
        true
    }
}

impl Emitter<'_> {
    fn load_group(&mut self, group: &[Inst]) {
        let p = self.p;
        let (kind, scalar, address) = self.place_of(group, "ld");
        let regs: Lanes = group.iter().map(|_| self.code.reg(Class::of(scalar)).into()).collect();
        let (vector, memory, list) = (vector(group.len() as u32), memory_type(scalar), list(&regs));
        self.code.line(format_args!("{kind}{vector}.{memory} {list}, {address}"));
        for (&inst, reg) in group.iter().zip(regs) {
            self.set(p.insts[inst].results[0], reg);
        }
    }

    fn store_group(&mut self, group: &[Inst]) {
        let (kind, scalar, address) = self.place_of(group, "st");
        let values: Lanes = group.iter().map(|&inst| self.get(self.p.insts[inst].args[1])).collect();
        let values = stored(&mut self.code, &values);
        let (vector, memory, list) = (vector(group.len() as u32), memory_type(scalar), list(&values));
        self.code.line(format_args!("{kind}{vector}.{memory} {address}, {list}"));
    }

    /// The instruction for a group without its width, what it accesses, and where.
    fn place_of(&mut self, group: &[Inst], name: &str) -> (String, Scalar, Address) {
        let p = self.p;
        let first = &p.insts[group[0]];
        let (buffer, ty) = (self.buffer(first), p.accessed(first).expect("it accesses memory"));
        for &inst in group {
            let bounds = self.bounds(inst, &p.insts[inst], buffer, ty);
            debug_assert_eq!(bounds, Bounds::In(Guard::ALWAYS));
        }
        let address = self.address(buffer, first.args[0], ty.scalar.bytes());
        (format!("{name}.{}", self.kind(first, &address)), ty.scalar, address)
    }
}
