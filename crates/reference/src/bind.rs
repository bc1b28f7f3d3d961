//! Checks the bindings and fixes everything about a run that does not change from workgroup to workgroup.

use crate::Bytes;
use crate::codes;
use crate::memory::{Home, Layout};
use vyre_driver::{Binding, BindingPlan};
use vyre_ir::diagnostic::counted;
use vyre_ir::{Diagnostic, Entity, Memory, Program};

/// The sizes of a run.
pub(crate) struct Shape {
    /// Invocations of a workgroup.
    pub invocations: usize,
    /// Invocations of a subgroup.
    pub subgroup_size: u32,
    /// Workgroups of the grid.
    pub workgroups: [u32; 3],
    /// Elements of each buffer.
    pub lengths: Vec<u32>,
    /// Where each buffer lives.
    pub layout: Layout,
}

pub(crate) fn bind(
    program: &Program,
    workgroups: [u32; 3],
    buffers: &[Bytes<'_>],
    subgroup_size: u32,
) -> Result<Shape, Diagnostic> {
    if !(1..=128).contains(&subgroup_size) {
        return Err(Diagnostic::new(
            codes::D301,
            format!("a subgroup has 1 to 128 invocations, not {subgroup_size}"),
        ));
    }
    if buffers.len() != program.buffers.len() {
        let (want, got) = (program.buffers.len(), buffers.len());
        return Err(Diagnostic::new(
            codes::B301,
            format!("the program has {}, {got} are given", counted(want as u64, "buffer")),
        ));
    }
    let [x, y, z] = program.workgroup_size.map(|n| n as u128);
    let Some(invocations) = u32::try_from(x * y * z).ok().filter(|n| *n > 0) else {
        return Err(Diagnostic::new(
            codes::D302,
            format!("a workgroup of {x} x {y} x {z} invocations cannot run"),
        ));
    };
    let (mut lengths, mut homes) = (Vec::new(), Vec::new());
    let (mut workgroup_bytes, mut private_bytes) = (0u64, 0u64);
    // What the host provides, and how much of it, is what the driver tells every backend.
    let plan = BindingPlan::build(program).map_err(|e| e.diagnostics().swap_remove(0))?;
    let mut bindings: Vec<&Binding> = plan.bindings.iter().collect();
    bindings.sort_by_key(|b| b.buffer_index);
    for (((id, decl), bytes), b) in program.buffers.iter().zip(buffers).zip(bindings) {
        let (element, declared) = (b.element_size as u64, b.static_byte_len.unwrap_or(0));
        let len = match (b.is_bound(), bytes) {
            (false, _) => declared,
            (_, Bytes::Unbound) => {
                return Err(Diagnostic::new(codes::B302, format!("buffer `{}` is not bound", decl.name)));
            }
            (_, Bytes::Read(_)) if decl.access.writes() => {
                let message =
                    format!("the program writes buffer `{}`, which is bound for reading", decl.name);
                return Err(Diagnostic::new(codes::B303, message));
            }
            (_, Bytes::Read(bytes)) => visible(&decl.name, bytes.len() as u64, declared)?,
            (_, Bytes::Tracked { bytes, written }) if written.len() < bytes.len().div_ceil(8) => {
                let message = format!("buffer `{}` needs one tracking bit for each byte", decl.name);
                return Err(Diagnostic::new(codes::B305, message));
            }
            (_, Bytes::Write(bytes) | Bytes::Tracked { bytes, .. }) => {
                visible(&decl.name, bytes.len() as u64, declared)?
            }
        };
        lengths.push(u32::try_from(len / element).unwrap_or(u32::MAX));
        let place = |total: &mut u64| {
            let offset = *total;
            *total = total.checked_add(len).filter(|n| *n <= crate::WORKGROUP_BYTES)?;
            Some((offset as usize, len as usize))
        };
        homes.push(match decl.memory {
            Memory::Workgroup => {
                let (offset, len) = place(&mut workgroup_bytes).ok_or_else(|| too_large(&decl.name))?;
                Home::Workgroup { offset, len }
            }
            Memory::Private => {
                let (offset, len) = place(&mut private_bytes).ok_or_else(|| too_large(&decl.name))?;
                Home::Private { offset, len }
            }
            _ => Home::Bound { buffer: id.index(), len: len as usize },
        });
    }
    let private_total = private_bytes.saturating_mul(invocations as u64);
    if private_total > crate::WORKGROUP_BYTES {
        let message = format!(
            "private memory of {invocations} invocations takes {private_total} bytes, more than {}",
            crate::WORKGROUP_BYTES
        );
        return Err(
            Diagnostic::new(codes::D303, message).fix("Use smaller private arrays or a smaller workgroup.")
        );
    }
    let layout = Layout {
        homes,
        workgroup_bytes: workgroup_bytes as usize,
        private_bytes: private_bytes as usize,
        invocations: invocations as usize,
    };
    Ok(Shape { invocations: invocations as usize, subgroup_size, workgroups, lengths, layout })
}

/// The bytes of a bound buffer that the program sees.
fn visible(name: &str, bound: u64, declared: u64) -> Result<u64, Diagnostic> {
    match declared {
        0 => Ok(bound),
        _ if bound < declared => {
            let message = format!("buffer `{name}` needs {declared} bytes, {bound} are bound");
            Err(Diagnostic::new(codes::B304, message))
        }
        _ => Ok(declared),
    }
}

fn too_large(name: &str) -> Diagnostic {
    let message = format!("buffer `{name}` brings a workgroup over {} bytes", crate::WORKGROUP_BYTES);
    Diagnostic::new(codes::D303, message)
}
