//! Buffers as module variables, and plain accesses to them.
//!
//! A buffer is an array of its unit: the scalar of all its accesses where there is one that naga has, the unsigned
//! integer of their width where they differ in type only, else 32-bit words. Every access checks its index against the
//! length, unless the index is known to be inside: a constant, a value with a small enough bound, or an access
//! that was proven before. A load outside reads an element that is there and drops it (no branch, so loads of a loop can
//! be issued together): the last, or, where the buffer may be empty, what pads its memory. A store outside is branched
//! around.

use super::code::{Code, Val};
use super::interface::{Interface, read_only};
use super::lower::Target;
use super::scan::{Scalars, Uses, at};
use super::types;
use crate::codes;
use naga::{AddressSpace, ArraySize, Expression, Handle, Span, Statement, TypeInner};
use std::num::NonZeroU32;
use vyre_ir::{Buffer, BufferDecl, Diagnostic, Memory, Op, Program, Scalar, Type};

type Expr = Handle<Expression>;

/// A buffer in the module.
pub(super) struct Plan {
    /// Its name in the module.
    pub name: String,
    /// The variable, as an expression.
    pub global: Expr,
    /// What the array is of.
    pub unit: Scalar,
    /// Whether the units are atomic.
    pub atomic: bool,
    buffer: Buffer,
    interface: Interface,
    /// Size in bytes, when it is not known at run time only.
    bytes: Option<u64>,
    element_bytes: u32,
    /// What the length is counted in at run time, in bytes.
    counted: u32,
    /// What it surely has, in bytes, when it is sized at run time.
    certain: u32,
    /// Whether the units come in rows of four, as uniform memory wants them.
    rows: bool,
    /// The length in what is counted, where it is known at run time only.
    units: Option<Val>,
    /// The last index, or the number of indices, at which an access of (width, lanes) is inside.
    limits: Vec<((u32, u8), Val)>,
}

/// What is known about an access before it runs.
#[derive(Copy, Clone)]
pub(super) enum Check {
    /// It is inside.
    Inside,
    /// It is outside.
    Outside,
    /// It is inside when the index is at most this, which itself is inside.
    AtMost(Val),
    /// It is inside when the index is below this. Index 0 may be read all the same if `readable`.
    Below { limit: Val, readable: bool },
}

impl Plan {
    /// Declares the buffer in the module.
    pub fn new(
        code: &mut Code,
        p: &Program,
        buffer: Buffer,
        uses: Uses,
        target: &Target<'_>,
        binding: Option<naga::ResourceBinding>,
    ) -> Result<Plan, Diagnostic> {
        let decl = &p.buffers[buffer];
        let refuse = |message: String| {
            let message = Diagnostic::new(codes::E002, message).in_source(p.source.as_ref());
            match uses.first {
                Some(inst) => at(p, inst, message),
                None => message,
            }
        };
        let interface = target.interface;
        let memory = interface.memory(decl);
        let (unit, atomic) = unit(decl, memory, uses, target)
            .map_err(|why| refuse(format!("buffer `{}` {why}", decl.name)))?;
        let unit_bytes = unit.bytes() as u64;
        let bytes = decl.static_bytes();
        let rows = memory == Memory::Uniform;
        if bytes.is_none() && rows {
            return Err(refuse(format!("uniform buffer `{}` is sized at run time", decl.name))
                .fix("Declare its count, or make it a read-only storage buffer."));
        }
        let counted = interface.counted_bytes(decl, uses, unit);
        if bytes.is_none() && counted > 4 && !decl.element.bytes().is_multiple_of(counted) {
            let message = format!(
                "buffer `{}` has to be an array of {unit}, from whose length the number of {} elements does not follow",
                decl.name, decl.element
            );
            return Err(refuse(message).fix(format!("Declare its element as {unit}, or its count.")));
        }
        let size =
            match bytes {
                None => ArraySize::Dynamic,
                Some(bytes) => {
                    let units = if rows { bytes.div_ceil(16) } else { bytes.div_ceil(unit_bytes) };
                    let units = u32::try_from(units).ok().and_then(NonZeroU32::new);
                    ArraySize::Constant(units.ok_or_else(|| {
                        refuse(format!("buffer `{}` has more than 2^32 elements", decl.name))
                    })?)
                }
            };
        let scalar = types::scalar(unit);
        let base = match (rows, atomic) {
            (true, _) => TypeInner::Vector { size: naga::VectorSize::Quad, scalar },
            (false, true) => TypeInner::Atomic(scalar),
            (false, false) => TypeInner::Scalar(scalar),
        };
        let base = code.insert_type(base);
        let stride = if rows { 16 } else { unit.bytes() };
        let ty = code.insert_type(TypeInner::Array { base, size, stride });
        let load = naga::StorageAccess::LOAD;
        let space = match memory {
            Memory::Uniform => AddressSpace::Uniform,
            Memory::Workgroup => AddressSpace::WorkGroup,
            Memory::Private => AddressSpace::Private,
            Memory::Storage | Memory::Persistent if read_only(decl) => AddressSpace::Storage { access: load },
            Memory::Storage | Memory::Persistent => {
                AddressSpace::Storage { access: load | naga::StorageAccess::STORE }
            }
        };
        let name = super::lower::identifier(&decl.name);
        let variable = naga::GlobalVariable {
            name: Some(name.clone()),
            space,
            binding,
            ty,
            init: None,
            memory_decorations: naga::MemoryDecorations::empty(),
        };
        let variable = code.module.global_variables.append(variable, Span::UNDEFINED);
        Ok(Plan {
            name,
            global: code.declare(Expression::GlobalVariable(variable)),
            unit,
            atomic,
            buffer,
            interface,
            bytes,
            element_bytes: decl.element.bytes(),
            counted,
            certain: interface.certain_bytes(decl),
            rows,
            units: None,
            limits: Vec::new(),
        })
    }

    /// The length of a buffer that is sized at run time, in what is counted.
    fn units(&mut self, code: &mut Code) -> Val {
        let name = format!("{}_length", self.name);
        let (interface, buffer, counted) = (self.interface, (self.buffer, self.global), self.counted);
        *self.units.get_or_insert_with(|| code.at_start(|code| interface.units(code, buffer, counted, &name)))
    }

    /// The number of elements.
    pub fn length(&mut self, code: &mut Code) -> Val {
        if let Some(bytes) = self.bytes {
            return Val::u32((bytes / self.element_bytes as u64) as u32);
        }
        let units = self.units(code);
        let (counted, element) = (self.counted, self.element_bytes);
        code.at_start(|code| {
            if element.is_multiple_of(counted) {
                return code.op(Op::Div, &[units, Val::u32(element / counted)]);
            }
            let bytes = code.op(Op::Mul, &[units, Val::u32(counted)]);
            code.op(Op::Div, &[bytes, Val::u32(element)])
        })
    }

    /// What is known of an access to `lanes` scalars of `width` bytes.
    pub fn check(&mut self, code: &mut Code, width: u32, lanes: u8, index: Val) -> Check {
        if let Some(bytes) = self.bytes {
            let Some(last) = (bytes / width as u64).checked_sub(lanes as u64) else { return Check::Outside };
            return match index.same_bits() {
                _ if index.max <= last => Check::Inside,
                Some(_) => Check::Outside,
                None => Check::AtMost(Val::u32(last as u32)),
            };
        }
        if let Some(index) = index.same_bits() {
            let end = (index + lanes as u64) * width as u64;
            if end > u32::MAX as u64 * self.unit.bytes().min(self.counted) as u64 {
                return Check::Outside; // beyond the greatest length; naga rejects such an index
            }
        }
        let access = width * lanes as u32;
        let certain = self.certain >= access;
        if certain && index.max + lanes as u64 <= (self.certain / width) as u64 {
            return Check::Inside;
        }
        let readable = self.interface.readable_bytes() >= access;
        let wrap = |limit| if certain { Check::AtMost(limit) } else { Check::Below { limit, readable } };
        if let Some((_, limit)) = self.limits.iter().find(|(access, _)| *access == (width, lanes)) {
            return wrap(*limit);
        }
        let units = self.units(code);
        let (counted, name) = (self.counted, &self.name);
        let limit = code.at_start(|code| {
            let count = match (width, counted) {
                (w, u) if w > u => code.op(Op::Div, &[units, Val::u32(w / u)]),
                (w, u) if w < u => code.op(Op::Mul, &[units, Val::u32(u / w)]),
                _ => units,
            };
            let limit = match (certain, lanes) {
                (true, _) => code.op(Op::Sub, &[count, Val::u32(lanes as u32)]),
                (false, 1) => count,
                (false, _) => {
                    let others = Val::u32(lanes as u32 - 1);
                    let count = code.op(Op::Max, &[count, others]);
                    code.op(Op::Sub, &[count, others])
                }
            };
            code.name(limit, &format!("{name}_{}", if certain { "last" } else { "limit" }));
            limit
        });
        self.limits.push(((width, lanes), limit));
        wrap(limit)
    }

    /// A pointer to a unit.
    pub fn pointer(&self, code: &mut Code, unit: Val) -> Expr {
        if !self.rows {
            return access(code, self.global, unit);
        }
        let row = code.op(Op::Shr, &[unit, Val::u32(2)]);
        let column = code.op(Op::And, &[unit, Val::u32(3)]);
        let row = access(code, self.global, row);
        access(code, row, column)
    }

    /// Reads `ty` at a scalar index that is inside.
    pub fn load(&self, code: &mut Code, ty: Type, index: Val, how: Read) -> Val {
        let lanes: Vec<Val> = (0..ty.lanes as u32)
            .map(|lane| {
                let index = code.op(Op::Add, &[index, Val::u32(lane)]);
                self.load_scalar(code, ty.scalar, index, how)
            })
            .collect();
        code.compose(ty, &lanes)
    }

    /// Writes a value at a scalar index that is inside.
    pub fn store(&self, code: &mut Code, value: Val, index: Val) {
        for lane in 0..value.ty.lanes {
            let scalar = code.extract(value, lane);
            let index = code.op(Op::Add, &[index, Val::u32(lane as u32)]);
            self.store_scalar(code, scalar, index);
        }
    }

    fn load_scalar(&self, code: &mut Code, scalar: Scalar, index: Val, how: Read) -> Val {
        match (scalar.bytes(), self.unit.bytes()) {
            (8, 4) => {
                let first = code.op(Op::Mul, &[index, Val::u32(2)]);
                let low = self.read(code, first, how);
                let second = code.op(Op::Add, &[first, Val::u32(1)]);
                let high = self.read(code, second, how);
                let bits = code.join_words(low, high);
                code.bitcast(bits, scalar)
            }
            (width @ (1 | 2), 4) => {
                let (word, shift) = place_in_word(code, index, width);
                let word = self.read(code, word, how);
                let bits = code.op(Op::Shr, &[word, shift]);
                code.value_in_word(bits, scalar)
            }
            _ => {
                let bits = self.read(code, index, how);
                code.bitcast(bits, scalar)
            }
        }
    }

    fn store_scalar(&self, code: &mut Code, value: Val, index: Val) {
        match (value.ty.scalar.bytes(), self.unit.bytes()) {
            (8, 4) => {
                let bits = code.bitcast(value, Scalar::U64);
                let words = code.words(bits);
                let first = code.op(Op::Mul, &[index, Val::u32(2)]);
                for (i, word) in words.into_iter().enumerate() {
                    let unit = code.op(Op::Add, &[first, Val::u32(i as u32)]);
                    self.write(code, unit, word);
                }
            }
            (width @ (1 | 2), 4) => {
                let bits = code.word_of(value);
                let (word, shift) = place_in_word(code, index, width);
                let bits = code.op(Op::Shl, &[bits, shift]);
                let mask = code.op(Op::Shl, &[Val::u32(value.ty.scalar.mask() as u32), shift]);
                let keep = code.op(Op::Not, &[mask]);
                self.insert(code, word, keep, bits);
            }
            _ => {
                let bits = code.bitcast(value, self.unit);
                self.write(code, index, bits);
            }
        }
    }

    /// Replaces the bits of a word that `keep` does not have. Where invocations may write its other parts at the same
    /// time the two steps are atomic: each touches its own part only, so any order of them ends in the same word.
    fn insert(&self, code: &mut Code, word: Val, keep: Val, bits: Val) {
        let pointer = self.pointer(code, word);
        if !self.atomic {
            let old = code.read(self.unit, pointer);
            let kept = code.op(Op::And, &[old, keep]);
            let new = code.op(Op::Or, &[kept, bits]);
            return code.assign(pointer, new);
        }
        for (fun, operand) in [(naga::AtomicFunction::And, keep), (naga::AtomicFunction::InclusiveOr, bits)] {
            let value = code.get(operand);
            code.statement(Statement::Atomic { pointer, fun, value, result: None });
        }
    }

    fn read(&self, code: &mut Code, unit: Val, how: Read) -> Val {
        let pointer = self.pointer(code, unit);
        match how {
            Read::Plain => {
                let value = code.read(self.unit, pointer);
                code.name(value, &format!("{}_value", self.name));
                value
            }
            Read::Uniformly => {
                let ty = code.ty(self.unit.into());
                let result = code.declare(Expression::WorkGroupUniformLoadResult { ty });
                code.statement(Statement::WorkGroupUniformLoad { pointer, result });
                Val::expr(self.unit, result)
            }
        }
    }

    fn write(&self, code: &mut Code, unit: Val, value: Val) {
        let pointer = self.pointer(code, unit);
        code.assign(pointer, value);
    }
}

/// How a unit is read.
#[derive(Copy, Clone, PartialEq, Eq)]
pub(super) enum Read {
    /// As memory is.
    Plain,
    /// Between barriers, the same for the whole workgroup.
    Uniformly,
}

/// The word that holds a scalar of 1 or 2 bytes, and its shift in that.
fn place_in_word(code: &mut Code, index: Val, bytes: u32) -> (Val, Val) {
    let in_word = 4 / bytes;
    let word = code.op(Op::Div, &[index, Val::u32(in_word)]);
    let place = code.op(Op::Rem, &[index, Val::u32(in_word)]);
    (word, code.op(Op::Shl, &[place, Val::u32((bytes * 8).trailing_zeros())]))
}

/// A part of an array or row. naga computes the byte offsets of its constant indices in 32 bits and stops at an
/// overflow, so one that may be out of those (behind a check that fails) goes as if it were not constant.
fn access(code: &mut Code, base: Expr, index: Val) -> Expr {
    const GREATEST: u64 = u32::MAX as u64 / 16;
    match index.same_bits().filter(|i| *i < GREATEST) {
        Some(index) => code.emit(Expression::AccessIndex { base, index: index as u32 }),
        None => {
            let index = code.get(index);
            code.emit(Expression::Access { base, index })
        }
    }
}

/// What the array is of, and whether that is atomic; or why there is no such array.
fn unit(
    decl: &BufferDecl,
    memory: Memory,
    uses: Uses,
    target: &Target<'_>,
) -> Result<(Scalar, bool), String> {
    let rows = memory == Memory::Uniform;
    let fits =
        |s: Scalar| !types::is_carried(s) && (!rows || s.bytes() == 4) && target.interface.divides(decl, s);
    let width = |s: Scalars| s.iter().map(Scalar::bytes).reduce(|a, b| if a == b { a } else { 0 });
    let width_of_all = width(uses.scalars).unwrap_or(0);
    if uses.scalars.is_empty() {
        return Ok((Some(target.interface.unused(decl)).filter(|s| fits(*s)).unwrap_or(Scalar::U32), false));
    }
    if let Some(width) = width(uses.atomics) {
        return match (width, width_of_all) {
            (4 | 8, all) if all == width => {
                let sums = target.has.f32_atomics && memory.is_bound() && uses.sums_only();
                let only = uses.atomics.only().filter(|s| s.is_int() || sums);
                Ok((only.unwrap_or(if width == 4 { Scalar::U32 } else { Scalar::U64 }), true))
            }
            (4, _) => Ok((Scalar::U32, true)),
            _ => Err("has atomic accesses that are not of 32 bits, and others of another width".into()),
        };
    }
    let shared = decl.memory != Memory::Private;
    let (only, first) = (uses.scalars.only(), uses.scalars.iter().next().expect("it is not empty"));
    let carried = uses.scalars.iter().any(types::is_carried);
    let bits = (only.is_none() && width_of_all != 0 && !carried).then(|| types::bits_type(first));
    Ok(match only.filter(|s| fits(*s)).or(bits.filter(|s| fits(*s))) {
        Some(unit) => (unit, false),
        None => (Scalar::U32, shared && uses.stores.iter().any(|s| s.bytes() < 4)),
    })
}
