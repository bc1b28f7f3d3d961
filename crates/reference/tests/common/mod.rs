//! Short ways to build and run small programs.
#![allow(dead_code)]

use vyre_ir::{Access, Buffer, BufferDecl, Builder, Memory, Op, Program, Scalar, Type, Value};
use vyre_reference::{Bytes, Error, Options, Stats, run};

/// A buffer of u32 bound from outside, sized at run time.
pub fn storage(b: &mut Builder, name: &str) -> Buffer {
    declare(b, name, Memory::Storage, Scalar::U32.into(), 0)
}

/// A read-write buffer.
pub fn declare(b: &mut Builder, name: &str, memory: Memory, element: Type, count: u64) -> Buffer {
    let binding = b.p.buffers.len() as u32;
    let name = name.into();
    let access = Access::ReadWrite;
    b.buffer(BufferDecl { name, group: 0, binding, memory, access, element, count, ..BufferDecl::default() })
}

/// Stores a u32 for this invocation at `local_index`.
pub fn put(b: &mut Builder, to: Buffer, value: Value) {
    let index = b.index(Op::LocalIndex);
    b.store(Op::Store, to, index, value);
}

/// Runs with u32 buffers, workgroup and private ones given as empty lists, and gives the buffers back.
pub fn run_words(p: &Program, groups: [u32; 3], buffers: &[&[u32]]) -> Vec<Vec<u32>> {
    try_words(p, groups, buffers, &Options::default()).expect("the program runs").0
}

pub fn try_words(
    p: &Program,
    groups: [u32; 3],
    buffers: &[&[u32]],
    options: &Options<'_>,
) -> Result<(Vec<Vec<u32>>, Stats), Error> {
    let mut bytes: Vec<Vec<u8>> =
        buffers.iter().map(|words| words.iter().flat_map(|w| w.to_le_bytes()).collect()).collect();
    let mut bound: Vec<Bytes> = (p.buffers.values().zip(&mut bytes))
        .map(|(decl, bytes)| match decl.memory.is_bound() {
            true if decl.access.writes() => Bytes::Write(bytes),
            true => Bytes::Read(bytes),
            false => Bytes::Unbound,
        })
        .collect();
    let stats = run(p, groups, &mut bound, options)?;
    let word = |b: &[u8]| u32::from_le_bytes(b.try_into().unwrap());
    Ok((bytes.iter().map(|b| b.chunks_exact(4).map(word).collect()).collect(), stats))
}
