//! Atomic operations.
//!
//! They are relaxed, among the threads of the device in global memory, of the block in workgroup memory. Where nobody
//! needs the old value it is a reduction (`red`). The minimum and maximum of f32, which has no instruction, is a loop
//! around compare-and-exchange that ends without storing when nothing would change.

use super::Emitter;
use super::address::{Address, Bounds};
use super::code::{Class, Guard, Operand, Reg};
use super::memory::scope;
use vyre_ir::{Inst, InstData, Op, Scalar};

impl Emitter<'_> {
    pub fn atomic(&mut self, inst: Inst, data: &InstData) {
        let buffer = self.buffer(data);
        let ty = self.p.ty(data.args[1]);
        let s = ty.scalar;
        let used = self.known.needs.used[data.results[0]];
        let Bounds::In(guard) = self.bounds(inst, data, buffer, ty) else {
            return self.set(data.results[0], Operand::constant(s, 0));
        };
        let address = self.address(buffer, data.args[0], s.bytes());
        let mut x = self.get(data.args[1]);
        if s == Scalar::F32 && matches!(data.op, Op::AtomicMin | Op::AtomicMax) {
            let old = self.extreme(data.op, &address, guard, x);
            return self.set(data.results[0], old.into());
        }
        if data.op == Op::AtomicSub {
            x = self.integer(Op::Neg, s, &[x]);
        }
        let suffix = suffix(data.op, s);
        let place = format!("relaxed.{}.{}.{suffix}", scope(&address), address.space);
        // An exchange is no reduction, and without its old value a store.
        match (used, data.op) {
            (false, Op::AtomicExchange) => {
                let memory = suffix.trim_start_matches("exch.");
                let (scope, space) = (scope(&address), address.space);
                let x = self.as_bits(s, x);
                self.code.line(format_args!("{guard}st.relaxed.{scope}.{space}.{memory} {address}, {x}"));
            }
            (false, _) => self.code.line(format_args!("{guard}red.{place} {address}, {x}")),
            (true, _) => {
                let old = self.zeroed(s, guard);
                let x = if data.op == Op::AtomicExchange { self.as_bits(s, x) } else { x };
                self.code.line(format_args!("{guard}atom.{place} {old}, {address}, {x}"));
                self.set(data.results[0], old.into());
            }
        }
    }

    pub fn compare_exchange(&mut self, inst: Inst, data: &InstData) {
        let buffer = self.buffer(data);
        let ty = self.p.ty(data.args[1]);
        let s = ty.scalar;
        let Bounds::In(guard) = self.bounds(inst, data, buffer, ty) else {
            self.set(data.results[0], Operand::constant(s, 0));
            return self.set(data.results[1], Operand::constant(Scalar::Bool, 0));
        };
        let address = self.address(buffer, data.args[0], s.bytes());
        let (expected, new) = (self.get(data.args[1]), self.get(data.args[2]));
        let (expected, new) = (self.as_bits(s, expected), self.as_bits(s, new));
        let bits = if s.bytes() == 8 { Scalar::U64 } else { Scalar::U32 };
        let old = self.zeroed(bits, guard);
        self.exchange_if_equal(&address, guard, old, expected, new);
        let mut done = self.compare(Op::Eq, bits, old.into(), expected);
        if let Some(inside) = guard.0 {
            done = self.code.op(Class::Pred, "and.pred", &[done, inside.into()]);
        }
        let old = self.bitcast(bits, s, old.into());
        self.set(data.results[0], old);
        self.set(data.results[1], done);
    }

    fn exchange_if_equal(&mut self, at: &Address, guard: Guard, old: Reg, expected: Operand, new: Operand) {
        let width = if old.class == Class::Long { "b64" } else { "b32" };
        let (scope, space) = (scope(at), at.space);
        self.code.line(format_args!(
            "{guard}atom.relaxed.{scope}.{space}.cas.{width} {old}, {at}, {expected}, {new}"
        ));
    }

    /// The atomic minimum or maximum of f32; the old value.
    fn extreme(&mut self, op: Op, at: &Address, guard: Guard, x: Operand) -> Reg {
        let old = self.zeroed(Scalar::F32, guard);
        let [turn, after] = [(); 2].map(|()| self.code.label());
        if let Some(inside) = guard.0 {
            self.code.line(format_args!("@!{inside} bra {after}"));
        }
        let (scope, space) = (scope(at), at.space);
        let found = self.code.reg(Class::Word);
        self.code.line(format_args!("ld.relaxed.{scope}.{space}.u32 {found}, {at}"));
        self.code.place(turn);
        self.code.line(format_args!("mov.b32 {old}, {found}"));
        let update = op.info().update.expect("its row says by which operation");
        let new = self.join(update, Scalar::F32, old.into(), x);
        let new = self.bitcast(Scalar::F32, Scalar::U32, new);
        let same = self.compare(Op::Eq, Scalar::U32, new, found.into());
        self.code.line(format_args!("@{same} bra {after}"));
        let expected = self.bitcast(Scalar::F32, Scalar::U32, old.into());
        self.exchange_if_equal(at, Guard::ALWAYS, found, expected, new);
        let again = self.compare(Op::Ne, Scalar::U32, found.into(), expected);
        self.code.line(format_args!("@{again} bra {turn}"));
        self.code.place(after);
        old
    }

    /// A float as the integer of its bits.
    fn as_bits(&mut self, s: Scalar, x: Operand) -> Operand {
        if s == Scalar::F32 { self.bitcast(s, Scalar::U32, x) } else { x }
    }

    /// A register that is 0 unless what is guarded writes it.
    fn zeroed(&mut self, s: Scalar, guard: Guard) -> Reg {
        let reg = self.code.reg(Class::of(s));
        if guard != Guard::ALWAYS {
            self.code.mov(reg, Operand::constant(s, 0));
        }
        reg
    }
}

/// An operation and its type.
fn suffix(op: Op, s: Scalar) -> &'static str {
    let wide = s.bytes() == 8;
    match (op, s) {
        (Op::AtomicAdd, Scalar::F32) => "add.f32",
        (Op::AtomicAdd | Op::AtomicSub, _) if wide => "add.u64",
        (Op::AtomicAdd | Op::AtomicSub, _) => "add.u32",
        (Op::AtomicAnd, _) if wide => "and.b64",
        (Op::AtomicAnd, _) => "and.b32",
        (Op::AtomicOr, _) if wide => "or.b64",
        (Op::AtomicOr, _) => "or.b32",
        (Op::AtomicXor, _) if wide => "xor.b64",
        (Op::AtomicXor, _) => "xor.b32",
        (Op::AtomicMin, Scalar::I32) => "min.s32",
        (Op::AtomicMin, Scalar::I64) => "min.s64",
        (Op::AtomicMin, Scalar::U64) => "min.u64",
        (Op::AtomicMin, _) => "min.u32",
        (Op::AtomicMax, Scalar::I32) => "max.s32",
        (Op::AtomicMax, Scalar::I64) => "max.s64",
        (Op::AtomicMax, Scalar::U64) => "max.u64",
        (Op::AtomicMax, _) => "max.u32",
        (Op::AtomicExchange, _) if wide => "exch.b64",
        (Op::AtomicExchange, _) => "exch.b32",
        _ => unreachable!("{op:?} is no atomic operation on one operand"),
    }
}
