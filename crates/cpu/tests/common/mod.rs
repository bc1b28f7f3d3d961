//! Running a small program on the backend, without the driver's dispatch around it, in gangs of every size.
#![allow(dead_code)] // each test file uses a part

use vyre_driver::{AlignedBytes, BackendError, Cancel, HostBytes, HostLaunch};
use vyre_ir::{Access, Buffer, BufferDecl, Builder, Memory, Program, Scalar, Type};

/// A storage buffer sized at run time.
pub fn storage(b: &mut Builder, name: &str, element: impl Into<Type>, access: Access) -> Buffer {
    let binding = b.p.buffers.len() as u32;
    b.buffer(BufferDecl {
        name: name.into(),
        group: 0,
        binding,
        memory: Memory::Storage,
        access,
        element: element.into(),
        count: 0,
        ..BufferDecl::default()
    })
}

/// A workgroup or private buffer.
pub fn own(b: &mut Builder, memory: Memory, element: Scalar, count: u64) -> Buffer {
    b.buffer(BufferDecl {
        name: format!("own{}", b.p.buffers.len()),
        group: 0,
        binding: 0,
        memory,
        access: Access::ReadWrite,
        element: element.into(),
        count,
        ..BufferDecl::default()
    })
}

/// Runs a program on buffers of bytes, one for each bound buffer in order; they are changed in place.
pub fn try_run(p: &Program, workgroups: [u32; 3], buffers: &mut [Vec<u8>]) -> Result<(), BackendError> {
    run_until(p, workgroups, buffers, &Cancel::default())
}

/// As [`try_run`], until asked to stop. All gangs must give the same.
pub fn run_until(
    p: &Program,
    workgroups: [u32; 3],
    buffers: &mut [Vec<u8>],
    cancel: &Cancel,
) -> Result<(), BackendError> {
    let inputs = buffers.to_vec();
    run_in_gangs(p, 1, workgroups, buffers, cancel)?;
    for gang in [4, 8, 16] {
        let mut copies = inputs.clone();
        run_in_gangs(p, gang, workgroups, &mut copies, cancel)?;
        for (i, (copy, expected)) in copies.iter().zip(buffers.iter()).enumerate() {
            assert!(
                copy == expected,
                "buffer {i} differs in gangs of {gang}: {copy:?}, not {expected:?}\n{p}"
            );
        }
    }
    Ok(())
}

/// Runs a program in gangs of a size.
pub fn run_in_gangs(
    p: &Program,
    gang: u32,
    workgroups: [u32; 3],
    buffers: &mut [Vec<u8>],
    cancel: &Cancel,
) -> Result<(), BackendError> {
    let kernel = vyre_cpu::compile_in_gangs(p, gang)?;
    let mut copies: Vec<AlignedBytes> =
        buffers.iter().map(|b| AlignedBytes::copy_of(b, "a test").expect("memory")).collect();
    let mut rest = copies.iter_mut();
    let memory = p.buffers.values().map(|decl| {
        if !decl.memory.is_bound() {
            return HostBytes::Unbound;
        }
        match rest.next() {
            Some(bytes) if decl.access.writes() => HostBytes::Write(bytes),
            Some(bytes) => HostBytes::Read(bytes),
            None => HostBytes::Unbound,
        }
    });
    let memory = memory.collect();
    let result = kernel.launch(&mut HostLaunch { workgroups, only: None, drain: None, memory, cancel });
    for (buffer, copy) in buffers.iter_mut().zip(&copies) {
        buffer.copy_from_slice(copy);
    }
    result
}

/// Runs a program on buffers of u32.
pub fn run_u32(p: &Program, workgroups: [u32; 3], buffers: &[Vec<u32>]) -> Vec<Vec<u32>> {
    let mut bytes: Vec<Vec<u8>> =
        buffers.iter().map(|b| b.iter().flat_map(|x| x.to_le_bytes()).collect()).collect();
    try_run(p, workgroups, &mut bytes).unwrap_or_else(|e| panic!("{e}\n{p}"));
    bytes
        .iter()
        .map(|b| b.chunks_exact(4).map(|c| u32::from_le_bytes(c.try_into().expect("4 bytes"))).collect())
        .collect()
}
