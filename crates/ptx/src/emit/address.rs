//! Where an access goes, and whether it is in bounds.
//!
//! An index is an unsigned word. In global memory it is multiplied into an address of 64 bits by one instruction; in
//! workgroup and private memory addresses have 32 bits. What is added to an index as a constant goes into the
//! instruction's offset, where that cannot differ: the sum does not wrap, or what it wraps to is not in bounds.

use super::code::{Class, Guard, Operand};
use super::{Emitter, is_dead};
use std::fmt;
use vyre_ir::{Buffer, Inst, InstData, Memory, Op, Program, Type, Value};
use vyre_opt::analysis::Fit;

/// A place in memory, as an instruction names it.
#[derive(Copy, Clone, Debug)]
pub struct Address {
    /// `global`, `shared`, `local`.
    pub space: &'static str,
    base: Operand,
    offset: i64,
}

impl Address {
    /// So many bytes behind.
    pub fn plus(self, bytes: u32) -> Address {
        Address { offset: self.offset + bytes as i64, ..self }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.offset {
            0 => write!(f, "[{}]", self.base),
            offset => write!(f, "[{}+{offset}]", self.base),
        }
    }
}

/// What is to be done about an access that may be out of bounds.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Bounds {
    /// It is in bounds, always or if a register is true.
    In(Guard),
    /// It never is.
    Out,
}

/// Offsets of instructions have 24 bits with a sign; a margin is left for lanes.
const OFFSETS: i64 = (1 << 23) - 64;

impl Emitter<'_> {
    /// Whether an access is in bounds without a look at its index: always, or because buffers fit.
    pub fn is_inside(&self, inst: Inst) -> bool {
        let ranges = &self.known.ranges;
        self.options.unchecked || ranges.in_bounds(inst) || self.fits.is_some() && ranges.fit(inst).is_some()
    }

    /// When an access is in bounds.
    pub fn bounds(&mut self, inst: Inst, data: &InstData, buffer: Buffer, ty: Type) -> Bounds {
        let always = Bounds::In(Guard::ALWAYS);
        if self.is_inside(inst) {
            self.rely(inst);
            return always;
        }
        let index = self.get(data.args[0]);
        if let Some(total) = self.p.buffers[buffer].static_bytes() {
            // How many indices are in bounds.
            let size = ty.scalar.bytes() as u64;
            let count = (total / size + 1).saturating_sub(ty.lanes as u64);
            return match index.bits() {
                _ if count == 0 => Bounds::Out,
                Some(index) if index < count => always,
                Some(_) => Bounds::Out,
                None if count > u32::MAX as u64 => always,
                None => {
                    let limit = Operand::word(count as u32);
                    let inside = self.code.op(Class::Pred, "setp.lt.u32", &[index, limit]);
                    self.inside(inside)
                }
            };
        }
        let (last, any) = self.last(buffer, ty.scalar.bytes(), ty.lanes as u32);
        let inside = match any {
            None if index.bits() == Some(0) => return always,
            None => self.code.op(Class::Pred, "setp.le.u32", &[index, last]),
            Some(any) => self.code.op(Class::Pred, "setp.le.and.u32", &[index, last, any]),
        };
        self.inside(inside)
    }

    /// Notes what makes an access in bounds, if it is the sizes of buffers.
    fn rely(&mut self, inst: Inst) {
        let (Some(relied), Some(fit)) = (&mut self.fits, self.known.ranges.fit(inst)) else { return };
        // Of those that differ in this alone, the most says all.
        match relied.iter_mut().find(|other| Fit { plus: fit.plus, ..**other } == fit) {
            Some(other) => other.plus = other.plus.max(fit.plus),
            None => relied.push(fit),
        }
    }

    fn inside(&mut self, condition: Operand) -> Bounds {
        Bounds::In(Guard(Some(self.code.in_register(condition))))
    }

    /// The place of an access of scalars of so many bytes.
    pub fn address(&mut self, buffer: Buffer, index: Value, bytes: u32) -> Address {
        let (index, ahead) = self.index(buffer, index, bytes);
        let offset = ahead * bytes as i64 + self.known.layout.offset[buffer] as i64;
        let pointer = index.and_then(|index| self.pointers.get(&Pointer { index, buffer, bytes }));
        if let Some(&pointer) = pointer {
            return Address { space: "global", base: pointer.into(), offset };
        }
        let (space, base, class) = match self.p.buffers[buffer].memory {
            Memory::Workgroup => ("shared", self.shared(), Class::Word),
            Memory::Private => ("local", self.local(), Class::Word),
            _ => ("global", self.base(buffer), Class::Long),
        };
        let index = index.map_or(Operand::word(0), |index| self.get(index));
        if let Some(constant) = index.bits() {
            let offset = offset + constant as i64 * bytes as i64;
            if offset.abs() < OFFSETS {
                return Address { space, base, offset };
            }
            let name = if class == Class::Long { "add.s64" } else { "add.u32" };
            let far = self.code.op(class, name, &[base, Operand::Bits(class, offset as u64)]);
            return Address { space, base: far, offset: 0 };
        }
        let size = Operand::word(bytes);
        let base = match class {
            Class::Long => self.far(index, size, base),
            _ => self.code.op(class, "mad.lo.u32", &[index, size, base]),
        };
        Address { space, base, offset }
    }

    /// The address of an element in global memory. ptxas makes one instruction of the two, but several of `mad.wide`
    /// where two addresses have the same product.
    fn far(&mut self, index: Operand, size: Operand, base: Operand) -> Operand {
        let distance = self.code.op(Class::Long, "mul.wide.u32", &[index, size]);
        self.code.op(Class::Long, "add.s64", &[base, distance])
    }

    /// An index as another one, unless it is a constant, and what is to be added to that.
    pub fn index(&self, buffer: Buffer, index: Value, bytes: u32) -> (Option<Value>, i64) {
        match self.p.splat_constant(index) {
            Some(constant) => (None, constant as u32 as i64),
            None => {
                let (index, ahead) = self.split(buffer, index, bytes);
                (Some(index), ahead)
            }
        }
    }

    /// An index as another one and what is to be added to it, not modulo 2^32.
    fn split(&self, buffer: Buffer, index: Value, bytes: u32) -> (Value, i64) {
        let p = self.p;
        let Some((rest, constant)) = sum(p, index) else { return (index, 0) };
        let ahead = constant as i32 as i64;
        let safe = match ahead {
            0.. => self.is_below(rest, (1 << 32) - ahead as u64),
            // If the sum was negative, it has wrapped beyond the buffer.
            _ => p.buffers[buffer].static_bytes().is_some_and(|total| total < (bytes as u64) << 31),
        };
        let fits = (ahead * bytes as i64).abs() < OFFSETS / 2;
        if safe && fits { (rest, ahead) } else { (index, 0) }
    }

    /// The pointers that a loop moves along with its counters, at their first places: those into global memory that every
    /// turn uses, of counters that do not wrap. Instructions with other offsets share them when ptxas unrolls the loop.
    pub fn open_pointers(&mut self, data: &InstData) -> Vec<(Pointer, i64)> {
        let p = self.p;
        let body = data.regions[0];
        let mut moved: Vec<(Pointer, i64)> = Vec::new();
        // ptxas unrolls no others.
        let mut innermost = true;
        p.walk(body, &mut |inst| innermost &= p.insts[inst].op != Op::Loop);
        if !innermost {
            return moved;
        }
        for &inst in &p.regions[body].insts {
            let access = &p.insts[inst];
            let (Some(buffer), Some(ty)) = (p.buffer_of(access), p.accessed(access)) else { continue };
            if !p.buffers[buffer].memory.is_bound()
                || is_dead(access, self.known.needs)
                || moved.len() == POINTERS
            {
                continue;
            }
            let bytes = ty.scalar.bytes();
            let (index, _) = self.split(buffer, access.args[0], bytes);
            let Some(i) = p.regions[body].params.iter().position(|&param| param == index) else { continue };
            let Some((counter, step)) = sum(p, p.yielded(body)[1 + i]) else { continue };
            let pointer = Pointer { index, buffer, bytes };
            let known = moved.iter().any(|(other, _)| *other == pointer);
            if counter != index || known || !self.is_below(index, (1 << 32) - step as u64) {
                continue;
            }
            let (first, base) = (self.get(data.args[i]), self.base(buffer));
            let size = Operand::word(bytes);
            let reg = self.code.reg(Class::Long);
            let place = self.far(first, size, base);
            self.code.mov(reg, place);
            self.pointers.insert(pointer, reg);
            moved.push((pointer, step as i64 * bytes as i64));
        }
        moved
    }

    /// Moves the pointers of a loop on.
    pub fn move_pointers(&mut self, moved: &[(Pointer, i64)]) {
        for (pointer, distance) in moved {
            let reg = self.pointers[pointer];
            self.code.op_to(reg, "add.s64", &[reg.into(), Operand::long(*distance as u64)]);
        }
    }
}

/// An index that counts in a loop, and the place of that index in a buffer.
#[derive(Copy, Clone, PartialEq, Eq, Hash, Debug)]
pub struct Pointer {
    index: Value,
    buffer: Buffer,
    bytes: u32,
}

/// How many pointers a loop moves: each takes two registers.
const POINTERS: usize = 4;

/// A value and a constant of which an index is the sum.
fn sum(p: &Program, index: Value) -> Option<(Value, u32)> {
    let data = p.producer(index).filter(|data| data.op == Op::Add)?;
    match (p.splat_constant(data.args[0]), p.splat_constant(data.args[1])) {
        (_, Some(n)) => Some((data.args[0], n as u32)),
        (Some(n), _) => Some((data.args[1], n as u32)),
        _ => None,
    }
}
