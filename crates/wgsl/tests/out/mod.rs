//! What the tests of the exporter share. Not each of them uses all of it.

#![allow(dead_code)]

use vyre_ir::{Access, Buffer, BufferDecl, Builder, Memory, Op, Program, Scalar, Type, Value};
use vyre_wgsl::export::{
    self,
    device::{self, Features},
};

/// A device that has everything.
pub const EVERYTHING: Features = Features {
    f16: true,
    f64: true,
    i16: true,
    i64: true,
    i64_atomics: true,
    i64_atomic_min_max: true,
    f32_atomics: true,
    subgroups: true,
    subgroup_barrier: true,
    clears_workgroup_memory: false,
    fused_f32: true,
    fused_f64: true,
    rounds_u32: true,
    long_loops: true,
    loop_results: true,
};

/// The program in every language, and as SPIR-V for such a device.
pub fn outputs(p: &Program) -> [(&'static str, Result<String, vyre_ir::Diagnostic>); 5] {
    let words = device::module(p, &EVERYTHING, &|_| false)
        .and_then(|m| device::spirv(p, &m, &device::FloatControls::default()));
    [
        ("device", words.map(|words| format!("{} words", words.len()))),
        ("WGSL", export::wgsl(p, &|_| false)),
        ("SPIR-V", export::spirv(p, &|_| false).map(|bytes| format!("{} bytes", bytes.len()))),
        ("MSL", export::msl(p, &|_| false)),
        ("HLSL", export::hlsl(p, &|_| false)),
    ]
}

/// Declares a buffer that is read and written, at the next binding.
pub fn buffer(b: &mut Builder, name: &str, memory: Memory, element: Type, count: u64) -> Buffer {
    let binding = b.p.buffers.len() as u32;
    let (name, access) = (name.into(), Access::ReadWrite);
    b.buffer(BufferDecl { name, group: 0, binding, memory, access, element, count, ..BufferDecl::default() })
}

/// A value of any type that is not a constant.
pub fn unknown(b: &mut Builder, ty: Type) -> Value {
    if ty.scalar == Scalar::Bool {
        let words = unknown(b, ty.with(Scalar::U32));
        let zero = b.bits(ty.with(Scalar::U32), 0);
        return b.op(Op::Lt, &[zero, words]);
    }
    let from = buffer(b, &format!("input_{}", b.p.buffers.len()), Memory::Storage, ty, 0);
    let index = b.axis(Op::GlobalId, 0);
    b.load(Op::Load, from, index, ty)
}
