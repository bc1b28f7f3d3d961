//! Where buffers of workgroup and private memory lie in the one array that a kernel has of each.

use crate::codes;
use vyre_ir::{Buffer, Diagnostic, Memory, Op, Program, SideTable};
use vyre_opt::analysis::zeroing;
use vyre_opt::fission::mark_cuts;

/// The name of the array of workgroup memory.
pub(crate) const SHARED: &str = "workgroup_memory";
/// The name of the array of private memory.
pub(crate) const LOCAL: &str = "private_memory";

/// Bytes of shared memory that a module can declare.
const STATIC: u64 = 48 << 10;

/// Bytes of shared memory that a launch can ask for, by architecture. Source: CUDA C++ Programming Guide, maximum
/// amount of shared memory per thread block.
fn largest(sm: u32) -> u64 {
    match sm {
        70 => 96 << 10,
        80 => 163 << 10,
        90 | 100 => 227 << 10,
        _ => 99 << 10,
    }
}

/// Where buffers lie.
pub(crate) struct Layout {
    /// From which byte on, in the array of its memory.
    pub offset: SideTable<Buffer, u32>,
    /// Bytes of workgroup memory, a multiple of 16.
    pub shared: u32,
    /// Bytes of workgroup memory, from the first on, that must be zero at first.
    pub zeroed: u32,
    /// Bytes of private memory, a multiple of 16.
    pub local: u32,
}

impl Layout {
    /// Whether the launch has to ask for the workgroup memory.
    pub fn is_dynamic(&self) -> bool {
        self.shared as u64 > STATIC
    }
}

/// Lays out a program's memory. Each buffer begins at a multiple of 16; those that must be zero come first.
pub(crate) fn lay_out(p: &Program, sm: u32) -> Result<Layout, Diagnostic> {
    let needed = zeroing::needed(p, &mark_cuts(p, Op::syncs_workgroup));
    let mut offset = SideTable::new(0);
    let (mut shared, mut local, mut zeroed) = (0u64, 0u64, 0);
    for first in [true, false] {
        for (buffer, decl) in p.buffers.iter().filter(|(buffer, _)| needed[*buffer] == first) {
            let end = match decl.memory {
                Memory::Workgroup => &mut shared,
                Memory::Private => &mut local,
                _ => continue,
            };
            // What is beyond 32 bits is refused: private memory was by the scan.
            offset[buffer] = *end as u32;
            let bytes = decl.static_bytes().unwrap_or(0).checked_next_multiple_of(16);
            *end = end.saturating_add(bytes.unwrap_or(u64::MAX));
        }
        if first {
            zeroed = shared as u32;
        }
    }
    if shared > largest(sm) {
        let most = largest(sm);
        let message =
            format!("the program has {shared} bytes of workgroup memory, a block of sm_{sm} at most {most}");
        return Err(Diagnostic::new(codes::P002, message)
            .in_source(p.source.as_ref())
            .fix("Use smaller arrays in workgroup memory."));
    }
    Ok(Layout { offset, shared: shared as u32, zeroed, local: local as u32 })
}
