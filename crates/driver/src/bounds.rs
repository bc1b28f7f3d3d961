//! What a checked run says of an access out of bounds. Every backend finds out who, where and how far; the words are
//! made here and nowhere else.

use crate::codes;
use std::fmt;
use vyre_ir::diagnostic::counted;
use vyre_ir::{Attr, BufferDecl, Diagnostic, Inst, Op, Program, Type};

/// An access out of bounds that ended a checked run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OutOfBounds {
    /// The program.
    pub program: String,
    /// The buffer.
    pub buffer: String,
    /// The index as the access counts: in scalars of `accessed`.
    pub index: u32,
    /// What was loaded, stored or changed.
    pub accessed: Type,
    /// How many scalars of `accessed` the buffer holds.
    pub length: u64,
    /// Global id of the invocation.
    pub invocation: [u32; 3],
    /// The workgroup it is in.
    pub workgroup: [u32; 3],
    /// All of this in words, with the place in the source.
    pub diagnostic: Diagnostic,
}

/// Who does an access, as a backend knows it.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct Accessor {
    /// The workgroup.
    pub workgroup: [u32; 3],
    /// Which invocation of it.
    pub local: [u32; 3],
}

impl OutOfBounds {
    /// For an access of the program at an index of its buffer, which has so many bytes.
    ///
    /// # Panics
    /// When the instruction accesses no buffer.
    pub fn new(program: &Program, inst: Inst, index: u32, bytes: u64, by: Accessor) -> OutOfBounds {
        let data = &program.insts[inst];
        let Attr::Buffer(buffer) = data.attr else { panic!("`{}` accesses no buffer", data.op.name()) };
        let decl: &BufferDecl = &program.buffers[buffer];
        let accessed = program.accessed(data).expect("what accesses a buffer accesses it as some type");
        let length = bytes / accessed.scalar.bytes() as u64;
        let axes = [0, 1, 2].map(|axis| {
            let first = by.workgroup[axis].wrapping_mul(program.workgroup_size[axis]);
            first.wrapping_add(by.local[axis])
        });
        let verb = match data.op {
            Op::Load => "loads".into(),
            Op::Store => "stores".into(),
            op => format!("does `{}` of", op.name()),
        };
        let ([x, y, z], [gx, gy, gz]) = (axes, by.workgroup);
        let message = format!(
            "program `{}` {verb} {accessed} at index {index} of {} buffer `{}`, which holds {} of {}, in invocation \
             {x},{y},{z} of workgroup {gx},{gy},{gz}",
            program.name,
            decl.memory.name(),
            decl.name,
            counted(length, "scalar"),
            accessed.scalar,
        );
        let diagnostic = Diagnostic::new(codes::D040, message)
            .at(data.loc, "out of bounds")
            .fix("Compare the index with the buffer's length first, or bind a larger buffer.")
            .in_source(program.source.as_ref());
        OutOfBounds {
            program: program.name.clone(),
            buffer: decl.name.clone(),
            index,
            accessed,
            length,
            invocation: axes,
            workgroup: by.workgroup,
            diagnostic,
        }
    }
}

impl fmt::Display for OutOfBounds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.diagnostic.fmt(f)
    }
}
