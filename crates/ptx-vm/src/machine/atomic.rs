//! Atomics: one memory operation that reads, computes and writes.

use super::Machine;
use super::lane::Halt;
use crate::code::{Access, AtomicOp, Flags, Instruction, Op};
use crate::races::Kind;
use crate::types::Type;
use crate::{float, integer};

/// What an atomic or a reduction makes of two values.
pub(super) fn combine(op: AtomicOp, kind: Type, old: u64, new: u64, flush: bool) -> u64 {
    let flags = Flags {
        width: kind.bits() as u8,
        signed: kind.signed(),
        format: kind.format().unwrap_or_default(),
        flush,
        ..Flags::default()
    };
    let f = match (op, kind.format().is_some(), kind.packed()) {
        (AtomicOp::Add, false, _) => integer::add,
        (AtomicOp::Add, true, false) => float::add,
        (AtomicOp::Add, true, true) => float::add_halves,
        (AtomicOp::Min, false, _) => integer::minimum,
        (AtomicOp::Max, false, _) => integer::maximum,
        (AtomicOp::Min, true, false) => float::minimum,
        (AtomicOp::Max, true, false) => float::maximum,
        (AtomicOp::Min, true, true) => float::minimum_halves,
        (AtomicOp::Max, true, true) => float::maximum_halves,
        (AtomicOp::And, ..) => integer::and,
        (AtomicOp::Or, ..) => integer::or,
        (AtomicOp::Xor, ..) => integer::xor,
        (AtomicOp::Exchange | AtomicOp::CompareExchange, ..) => return new,
        (AtomicOp::Increment, ..) => return if old >= new { 0 } else { old + 1 },
        (AtomicOp::Decrement, ..) => return if old == 0 || old > new { new } else { old - 1 },
    };
    f(old, new, flags)
}

impl Machine<'_> {
    pub(super) fn atomic(
        &mut self,
        thread: usize,
        instruction: &Instruction,
        op: AtomicOp,
        kind: Type,
        access: Access,
    ) -> Result<(), Halt> {
        let at = self.address(thread, instruction, access.space)?;
        let (bytes, count) = (usize::from(access.bytes), usize::from(access.count));
        let found = self.locate(thread, at, (bytes * count) as u64, (bytes * count) as u64)?;
        self.expect_writable(found)?;
        self.expect_written(thread, found, bytes * count, at.1)?;
        self.note(thread, instruction, found, access, Kind::Atomic, at.1)?;
        // In global memory the addition of f32 flushes subnormal numbers: PTX ISA, atom.
        let flush = kind == Type::F32 && matches!(found, super::access::Found::Global(..));
        let returns = matches!(instruction.op, Op::Atomic { returns: true, .. });
        for element in 0..count {
            let (source, destination) = if element == 0 {
                (instruction.sources[1], instruction.destination)
            } else {
                let destination = instruction.more_destinations.get(element - 1);
                (instruction.more_sources[element - 1], destination.copied().unwrap_or(crate::code::NONE))
            };
            let place = found.plus(element * bytes);
            let old = self.fetch(thread, place, bytes);
            let value = self.read(thread, source)?;
            if op == AtomicOp::CompareExchange {
                let new = self.read(thread, instruction.sources[2])?;
                if old == value {
                    self.put(thread, place, bytes, new);
                }
            } else {
                self.put(thread, place, bytes, combine(op, kind, old, value, flush));
            }
            if returns {
                self.write(thread, destination, old);
            }
        }
        Ok(())
    }
}
