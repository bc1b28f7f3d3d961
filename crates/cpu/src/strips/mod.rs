//! An interpreter of the [form](crate::form): what runs where no code can be made or placed.
//!
//! It is slower than code by the time that it takes to look at a statement, which the lanes of a gang share. Each
//! worker has the variables' memory behind its scratch memory, so nothing is allocated while it runs. It calls itself
//! for each level of nesting: [`Strips::stack`] says what a thread must have.

mod compute;
mod lanes;
mod memory;
mod subgroup;
#[cfg(test)]
mod tests;

use crate::context;
use crate::form::{Block, Exit, Form, Loop, On, Side, Stmt, Var};
use crate::meeting::{Meeting, STOP, meet};
use lanes::{Lanes, Layout};
use smallvec::SmallVec;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use vyre_ir::dialect::Reference;
use vyre_ir::{Buffer, Entity, Inst, Program};

/// Stack for a level of nesting, with room to spare also without optimization.
const STACK_PER_LEVEL: usize = 4 << 10;

/// Scratch memory before the variables is a multiple of this.
const ALIGN: u64 = 16;

/// A form that can be run.
pub(crate) struct Strips {
    form: Form,
    layout: Layout,
    /// Bytes of scratch memory before the variables.
    scratch_bytes: u64,
    /// What the intrinsics that the form names call, with the numbers that come first.
    intrinsics: HashMap<usize, (Reference, Vec<u64>)>,
    /// Bytes of an element of each of the program's buffers.
    elements: Vec<u64>,
    depth: usize,
    /// The most that is moved at once.
    staged: usize,
}

/// `Err` of the status that ends a run.
type Flow = Result<(), u32>;

/// A workgroup on its way.
struct Worker<'a> {
    strips: &'a Strips,
    lanes: Lanes<'a>,
    words: *const u64,
    scratch: *mut u8,
    workgroup: [u32; 3],
    /// The variables that say who is reported.
    invocation: Option<[Var; 3]>,
}

impl Strips {
    /// The form of a program, for which a worker needs that much scratch memory.
    pub fn new(p: &Program, form: Form, scratch_bytes: u64) -> Strips {
        let mut strips = Strips {
            layout: Layout::new(&form, 0),
            form,
            scratch_bytes: scratch_bytes.next_multiple_of(ALIGN),
            intrinsics: HashMap::new(),
            elements: p.buffers.values().map(|decl| decl.element.bytes() as u64).collect(),
            depth: 0,
            staged: 0,
        };
        let body = std::mem::take(&mut strips.form.body);
        strips.look(p, &body, 1);
        strips.form.body = body;
        strips.layout = Layout::new(&strips.form, strips.staged);
        strips
    }

    /// Notes what a block needs, `depth` levels deep.
    fn look(&mut self, p: &Program, block: &Block, depth: usize) {
        self.depth = self.depth.max(depth);
        for stmt in block {
            match stmt {
                Stmt::Branch { sides, .. } => {
                    sides.iter().for_each(|side| self.look(p, &side.body, depth + 1))
                }
                Stmt::Loop(inner) => {
                    self.staged = self.staged.max(inner.params.len());
                    self.look(p, &inner.body, depth + 1);
                }
                Stmt::Intrinsic { inst, .. } => {
                    let call = p.call(&p.insts[*inst]).expect("the verifier checks attributes");
                    let def = call.def.as_ref().expect("the inliner links calls");
                    let function =
                        crate::native_function(def).expect("programs with other calls are refused");
                    let first = call.attributes.iter().map(|a| a.bits).collect();
                    self.intrinsics.insert(inst.index(), (function, first));
                }
                _ => {}
            }
        }
    }

    /// Bytes of scratch memory that a worker needs, aligned to 16 bytes and written before.
    pub fn bytes(&self) -> u64 {
        self.scratch_bytes + self.layout.bytes()
    }

    /// Bytes of stack that a run takes.
    pub fn stack(&self) -> usize {
        self.depth * STACK_PER_LEVEL
    }

    /// Runs the workgroups from `x` up to `end_x`; gives a status of [`context`].
    ///
    /// # Safety
    /// `words` must have the layout of [`context`] for the form's program, with memory as large as it says, and
    /// `scratch` be the start of [`Strips::bytes`] initialized bytes, aligned to 16, that nothing else uses meanwhile.
    pub unsafe fn run(&self, words: *const u64, scratch: *mut u8, x: u32, y: u32, z: u32, end_x: u32) -> u32 {
        // SAFETY: the caller's promise.
        let lanes = unsafe { self.layout.at(scratch.add(self.scratch_bytes as usize)) };
        let workgroup = [x, y, z];
        let mut worker = Worker { strips: self, lanes, words, scratch, workgroup, invocation: None };
        for x in x..end_x {
            worker.workgroup[0] = x;
            worker.invocation = None;
            let flow = worker.look_whether_to_stop().and_then(|()| worker.block(&self.form.body));
            if let Err(status) = flow {
                return status;
            }
        }
        context::DONE as u32
    }
}

impl Worker<'_> {
    fn block(&mut self, block: &Block) -> Flow {
        for stmt in block {
            match stmt {
                Stmt::Compute { out, op, sig, args } => {
                    compute::compute(&mut self.lanes, *out, *op, *sig, args)
                }
                Stmt::Load { outs, place } => self.load(outs, place)?,
                Stmt::Store { values, place } => self.store(values, place)?,
                Stmt::Atomic { op, outs, operands, place } => self.atomic(*op, outs, operands, place)?,
                Stmt::Branch { on, sides, outs } => self.branch(on, sides, outs)?,
                Stmt::Meet { out, value } => self.meet(*out, *value)?,
                Stmt::Loop(inner) => self.turns(inner)?,
                other => self.simple(other),
            }
        }
        Ok(())
    }

    /// Statements that neither hold others nor fail.
    #[inline(never)]
    fn simple(&mut self, stmt: &Stmt) {
        match *stmt {
            Stmt::Const { out, bits } => self.lanes.set(out, 0, bits),
            Stmt::Workgroup { out, axis } => self.lanes.set(out, 0, self.workgroup[axis as usize] as u64),
            Stmt::Workgroups { out, axis } => {
                self.lanes.set(out, 0, self.word(context::num_workgroups_offset(axis as usize)));
            }
            Stmt::Length { out, buffer } => {
                let [_, bytes] = self.buffer(buffer);
                let count = bytes / self.strips.elements[buffer.index()];
                self.lanes.set(out, 0, count.min(u32::MAX as u64));
            }
            Stmt::Ramp { out, base, stride } => {
                let first = self.lanes.first(base);
                for (lane, word) in self.lanes.all_mut::<u32>(out).iter_mut().enumerate() {
                    *word = first.wrapping_add(stride.wrapping_mul(lane as u32));
                }
            }
            Stmt::Any { out, mask } => {
                let any = self.lanes.all::<u32>(mask).iter().fold(0, |any, bit| any | bit);
                self.lanes.set(out, 0, any as u64);
            }
            Stmt::Zero { offset, bytes } => self.zero(offset, bytes),
            Stmt::Kept { out, slot, at } => self.kept(out, slot, at),
            Stmt::Keep { value, slot, at } => self.keep(value, slot, at),
            Stmt::Subgroup { op, sig, ref outs, ref args, mask } => self.subgroup(op, sig, outs, args, mask),
            Stmt::Intrinsic { out, inst, ref args, mask } => self.intrinsic(out, inst, args, mask),
            Stmt::Invocation { local } => self.invocation = Some(local),
            Stmt::Compute { .. }
            | Stmt::Load { .. }
            | Stmt::Store { .. }
            | Stmt::Atomic { .. }
            | Stmt::Branch { .. }
            | Stmt::Meet { .. }
            | Stmt::Loop(_) => unreachable!("done in `block`"),
        }
    }

    /// Waits for the other workgroups.
    #[inline(never)]
    fn meet(&mut self, out: Var, value: Var) -> Flow {
        let [x, y, z] = self.workgroup.map(u64::from);
        let at = self.word(context::MEETING) as *const Meeting;
        // SAFETY: the launch put the address of its meeting there, which lives as long as it does.
        let met = unsafe { meet(at, self.lanes.first(value).into(), x, y, z) };
        if met >= STOP {
            return Err(context::STOPPED as u32);
        }
        self.lanes.set(out, 0, met);
        Ok(())
    }

    fn intrinsic(&mut self, out: Var, inst: Inst, args: &[Var], mask: Option<Var>) {
        let (function, first) = &self.strips.intrinsics[&inst.index()];
        let mut words: SmallVec<[u64; 8]> = SmallVec::from_slice(first);
        let mask_bits = self.strips.form.ty(out).scalar.mask();
        let count = if self.lanes.is_varying(out) { self.lanes.width } else { 1 };
        for lane in (0..count).filter(|&lane| self.lanes.is_active(mask, lane)).collect::<SmallVec<[_; 16]>>()
        {
            words.truncate(first.len());
            words.extend(args.iter().map(|&arg| self.lanes.get(arg, lane)));
            self.lanes.set(out, lane, function(&words) & mask_bits);
        }
    }

    fn branch(&mut self, on: &On, sides: &[Side], outs: &[Var]) -> Flow {
        let side = match on {
            On::If(condition) => 1 - self.lanes.first(*condition) as usize,
            On::Switch(var, cases) => {
                let value = self.lanes.first(*var);
                let case = cases.iter().find(|(case, _)| *case == value);
                case.map_or(sides.len() - 1, |(_, side)| *side as usize)
            }
        };
        let side = &sides[side];
        self.block(&side.body)?;
        for (&out, &from) in outs.iter().zip(&side.yields) {
            self.lanes.copy(out, from);
        }
        Ok(())
    }

    fn turns(&mut self, inner: &Loop) -> Flow {
        let staged = self.strips.staged;
        self.lanes.copy_all(&inner.params, &inner.init, staged);
        if let Exit::Masked { active, first, .. } = &inner.exit {
            match first {
                Some(first) => self.lanes.copy(*active, *first),
                None => self.lanes.all_mut::<u32>(*active).fill(1),
            }
        }
        loop {
            self.block(&inner.body)?;
            if !self.goes_on(&inner.exit) {
                return Ok(());
            }
            if inner.watched {
                self.look_whether_to_stop()?;
            }
            self.lanes.copy_all(&inner.params, &inner.next, staged);
        }
    }

    /// Whether there is another turn; lanes that leave keep what they have.
    #[inline(never)]
    fn goes_on(&mut self, exit: &Exit) -> bool {
        match exit {
            Exit::While(again) => self.lanes.first(*again) != 0,
            Exit::Masked { active, again, together, kept, .. } => {
                let together = together.is_none_or(|var| self.lanes.first(var) != 0) as u64;
                let mut left = false;
                let mut any = false;
                for lane in 0..self.lanes.width {
                    let (was, stays) =
                        (self.lanes.get(*active, lane), self.lanes.get(*again, lane) & together);
                    left |= was & !stays != 0;
                    any |= was & stays != 0;
                }
                if left {
                    for kept in kept {
                        for lane in 0..self.lanes.width {
                            if self.lanes.get(*active, lane) & !(self.lanes.get(*again, lane) & together) != 0
                            {
                                self.lanes.set(kept.out, lane, self.lanes.get(kept.last, lane));
                            }
                        }
                    }
                    self.lanes.map2(*active, *active, *again, |was: bool, stays: bool| {
                        was & stays & (together == 1)
                    });
                }
                any
            }
        }
    }

    fn look_whether_to_stop(&self) -> Flow {
        let flag = self.word(context::CANCEL) as *mut u32;
        // SAFETY: the launch put the address of its flag there, which lives as long as it does.
        let stop = unsafe { AtomicU32::from_ptr(flag) }.load(Ordering::Relaxed);
        if stop == 0 { Ok(()) } else { Err(context::STOPPED as u32) }
    }

    /// The word of the launch at an offset in bytes.
    fn word(&self, offset: i32) -> u64 {
        // SAFETY: `run` asks for words of this layout.
        unsafe { *self.words.add(offset as usize / 8) }
    }

    /// Address and size of a bound buffer.
    fn buffer(&self, buffer: Buffer) -> [u64; 2] {
        let at = context::buffer_offset(buffer);
        [self.word(at), self.word(at + 8)]
    }
}
