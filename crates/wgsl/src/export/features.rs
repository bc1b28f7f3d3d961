//! What a device may lack, and programs that need it.
//!
//! A program is refused at the first instruction that needs what is not there. Code that stands for an instruction may
//! need more than the program says (the bits of an f64 pass through a u64), so the types of the module are looked at
//! as well once it is made.

use super::device::Features;
use super::scan::{Needs, Uses, at, is_atomic, is_subgroup};
use crate::codes;
use vyre_ir::{Diagnostic, Entity, Inst, InstData, Memory, Op, Program, Scalar};

impl Features {
    /// What the languages can say. Which of it there is, their writers know; f32 sums are loops, since most devices
    /// lack them.
    pub(super) const TEXT: Features = Features {
        f16: true,
        f64: true,
        i16: true,
        i64: true,
        i64_atomics: true,
        i64_atomic_min_max: true,
        f32_atomics: false,
        fused_f32: true,
        fused_f64: true,
        rounds_u32: true,
        long_loops: true,
        loop_results: true,
        subgroups: true,
        subgroup_barrier: true,
        clears_workgroup_memory: false,
    };

    /// What lacks for values of a type.
    fn lacks_scalar(&self, bytes: u32, is_float: bool) -> Option<&'static str> {
        let (has, name) = match (bytes, is_float) {
            (2, true) => (self.f16, "16-bit floats (f16)"),
            (8, true) => (self.f64, "64-bit floats (f64)"),
            (2, false) => (self.i16, "16-bit integers (i16, u16)"),
            (8, false) => (self.i64, "64-bit integers (i64, u64)"),
            _ => return None,
        };
        (!has).then_some(name)
    }

    /// What lacks for 64-bit atomic operations on a buffer.
    fn lacks_atomic(&self, uses: Uses, memory: Memory, ignored: bool) -> Option<&'static str> {
        let simple = ignored && memory.is_bound() && uses.extrema_only();
        match simple {
            _ if self.i64_atomics => None,
            false => Some("atomic operations on 64-bit integers (i64 atomics)"),
            true if self.i64_atomic_min_max => None,
            true => Some("atomic minimum and maximum of 64-bit integers (i64 atomic min/max)"),
        }
    }
}

/// Refuses a program that needs what the device lacks.
pub(super) fn check(p: &Program, needs: &Needs, has: &Features) -> Result<(), Diagnostic> {
    let mut lacking = None;
    p.walk(p.body, &mut |inst| {
        let data = &p.insts[inst];
        lacking = lacking.or_else(|| lacks(p, needs, has, data).map(|what| (inst, what)));
    });
    lacking.map_or(Ok(()), |(inst, what): (Inst, &str)| {
        let message = format!("`{}` needs {what}, which this device does not have", p.insts[inst].op.name());
        Err(at(p, inst, Diagnostic::new(codes::E010, message)))
    })
}

fn lacks(p: &Program, needs: &Needs, has: &Features, data: &InstData) -> Option<&'static str> {
    let scalars = data.args.iter().chain(&data.results).map(|&v| p.ty(v).scalar);
    if let Some(what) =
        scalars.filter(|s| *s != Scalar::BF16).find_map(|s| has.lacks_scalar(s.bytes(), s.is_float()))
    {
        return Some(what);
    }
    if data.op == Op::SubgroupBarrier && !has.subgroup_barrier {
        return Some("barriers of subgroups (subgroup barrier)");
    }
    if is_subgroup(data.op) && !has.subgroups {
        return Some("subgroup operations (subgroups)");
    }
    let buffer = p.buffer_of(data).filter(|_| is_atomic(data.op))?;
    let wide = p.accessed(data).is_some_and(|ty| ty.bytes() == 8);
    let ignored = data.results.iter().all(|&v| !needs.used[v]);
    wide.then(|| has.lacks_atomic(needs.buffers[buffer.index()], p.buffers[buffer].memory, ignored))?
}

/// Refuses a module with types that the device lacks.
pub(super) fn check_types(p: &Program, module: &naga::Module, has: &Features) -> Result<(), Diagnostic> {
    let scalars = module.types.iter().filter_map(|(_, ty)| ty.inner.scalar());
    let what = scalars
        .filter(|s| s.kind != naga::ScalarKind::Bool)
        .find_map(|s| has.lacks_scalar(s.width as u32, s.kind == naga::ScalarKind::Float));
    what.map_or(Ok(()), |what| {
        let message = format!("`{}` needs {what} for a step of it, which this device does not have", p.name);
        Err(Diagnostic::new(codes::E010, message).in_source(p.source.as_ref()))
    })
}
