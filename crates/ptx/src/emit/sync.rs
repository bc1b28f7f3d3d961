//! Barriers: of the workgroup, of the active lanes of a subgroup, and of the grid.
//!
//! Blocks wait for each other by one word that all of them add to, as cooperative groups of CUDA do: the first block adds
//! what makes all the additions of a round flip the highest bit, and each waits until that bit differs from what it
//! found. What the grid's first invocation tells the others goes through one of two words behind that one, by turns:
//! a block that is a round ahead writes the other one. The additions release, the loads acquire, and barriers of
//! the block before and after pass that on to its other threads.

use super::Emitter;
use super::code::{Class, Operand};
use super::position::Fixed;
use crate::kernel::Param;
use vyre_ir::{Inst, InstData, Op, Scalar};

impl Emitter<'_> {
    pub fn sync(&mut self, data: &InstData) {
        match data.op {
            Op::WorkgroupBarrier | Op::StorageBarrier => self.workgroup_barrier(),
            Op::SubgroupBarrier => {
                let active = self.active;
                self.code.line(format_args!("bar.warp.sync {active}"));
            }
            Op::GridSync => self.grid_sync(),
            Op::GridUniform => self.grid_uniform(data),
            _ => unreachable!("{:?} is no barrier", data.op),
        }
    }

    fn workgroup_barrier(&mut self) {
        self.code.line(format_args!("bar.sync 0"));
    }

    pub fn uniform_load(&mut self, inst: Inst, data: &InstData) {
        self.workgroup_barrier();
        self.load(inst, data);
        self.workgroup_barrier();
    }

    fn grid_sync(&mut self) {
        let word = self.barrier();
        let arrival = self.arrival();
        let after = self.code.label();
        self.workgroup_barrier();
        if let Some(first) = self.first_thread() {
            self.code.line(format_args!("@!{first} bra {after}"));
        }
        let [found, now] = [(); 2].map(|()| self.code.reg(Class::Word));
        self.code.line(format_args!("atom.add.release.gpu.global.u32 {found}, [{word}], {arrival}"));
        let spin = self.code.label();
        self.code.place(spin);
        self.code.line(format_args!("ld.acquire.gpu.global.u32 {now}, [{word}]"));
        let differ = self.code.op(Class::Word, "xor.b32", &[found.into(), now.into()]);
        let done = self.code.op(Class::Pred, "setp.lt.s32", &[differ, Operand::word(0)]);
        self.code.line(format_args!("@{done} bra {after}"));
        self.code.line(format_args!("nanosleep.u32 32"));
        self.code.line(format_args!("bra {spin}"));
        self.code.place(after);
        self.workgroup_barrier();
        if let Some(turn) = self.turn {
            self.code.op_to(turn, "xor.b32", &[turn.into(), Operand::word(4)]);
        }
    }

    fn grid_uniform(&mut self, data: &InstData) {
        let s = self.p.ty(data.results[0]).scalar;
        let x = self.get(data.args[0]);
        let turn = self.turn.expect("the program tells something");
        let word = self.barrier();
        let slot = self.code.op(Class::Long, "mad.wide.u32", &[turn.into(), Operand::word(1), word]);
        let sent = match s {
            Scalar::Bool => self.convert(s, Scalar::U32, x),
            _ => self.bitcast(s, Scalar::U32, x),
        };
        let mut sender = self.first_block();
        if let Some(first) = self.first_thread() {
            sender = self.code.op(Class::Pred, "and.pred", &[sender, first]);
        }
        self.code.line(format_args!("@{sender} st.relaxed.gpu.global.u32 [{slot}+4], {sent}"));
        self.grid_sync();
        let got = self.code.reg(Class::Word);
        self.code.line(format_args!("ld.relaxed.gpu.global.u32 {got}, [{slot}+4]"));
        let result = match s {
            Scalar::Bool => self.convert(Scalar::U32, s, got.into()),
            _ => self.bitcast(Scalar::U32, s, got.into()),
        };
        self.set(data.results[0], result);
    }

    fn barrier(&mut self) -> Operand {
        self.fixed(Fixed::Barrier, |e| e.pointer(Param::Barrier))
    }

    /// Whether the thread is the first of its block; `None` if it is the only one.
    fn first_thread(&mut self) -> Option<Operand> {
        if self.p.workgroup_invocations() == 1 {
            return None;
        }
        Some(self.fixed(Fixed::First, |e| {
            let index = e.local_index();
            e.code.op(Class::Pred, "setp.eq.u32", &[index, Operand::word(0)])
        }))
    }

    /// Whether the block is the first of its launch.
    fn first_block(&mut self) -> Operand {
        self.fixed(Fixed::FirstBlock, |e| {
            let [x, y, z] = [0, 1, 2].map(|axis| e.special("ctaid", axis));
            let some = e.code.op(Class::Word, "or.b32", &[x, y]);
            let some = e.code.op(Class::Word, "or.b32", &[some, z]);
            e.code.op(Class::Pred, "setp.eq.u32", &[some, Operand::word(0)])
        })
    }

    /// What a block adds to the word by which blocks wait for each other.
    fn arrival(&mut self) -> Operand {
        self.fixed(Fixed::Arrival, |e| {
            // Blocks that are not wanted have left.
            let [x, y, z] = [0, 1, 2].map(|axis| match e.options.gated {
                true => e.wanted(axis),
                false => e.special("nctaid", axis),
            });
            let count = e.code.op(Class::Word, "mul.lo.u32", &[x, y]);
            let count = e.code.op(Class::Word, "mul.lo.u32", &[count, z]);
            // 2^31 less the others' ones.
            let rest = e.code.op(Class::Word, "sub.u32", &[Operand::word(0x8000_0001), count]);
            let first = e.first_block();
            e.select(Scalar::U32, &[first, rest, Operand::word(1)])
        })
    }
}
