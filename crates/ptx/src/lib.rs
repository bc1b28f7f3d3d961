//! PTX from programs: what NVIDIA's display driver takes, written by hand.
//!
//! Pure: no device, no file, no clock. A program comes legal for [`target`], and leaves as one kernel of text.

mod alignment;
pub mod arch;
pub mod capability;
pub mod codes;
mod emit;
pub mod kernel;
mod layout;
mod lines;
mod module;
mod name;
mod needs;

pub use arch::Arch;
pub use kernel::{Kernel, Param, UNCUT, fit};
pub use module::emit;
pub use needs::MERGED;

use vyre_ir::{Op, Scalar};
use vyre_opt::Target;

/// How a program is written.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct Options {
    /// For which devices.
    pub arch: Arch,
    /// Whether accesses are trusted to be in bounds; one that is not ends the device's context.
    pub unchecked: bool,
    /// Whether a kernel begins by asking whether it is wanted: see [`Param::Gate`].
    pub gated: bool,
    /// Whether each block is one workgroup, also where that makes no difference: see [`Kernel::merges`].
    pub keep_workgroups: bool,
    /// Whether instructions say which source line they come from.
    pub lines: bool,
}

impl Options {
    /// Checked, not gated, with lines, in blocks of any size.
    pub fn new(arch: Arch) -> Options {
        Options { arch, unchecked: false, gated: false, keep_workgroups: false, lines: true }
    }
}

/// What a program must look like.
pub fn target() -> Target {
    Target {
        name: "ptx",
        scalar_lanes: true,
        native,
        lowering: Some(vyre_ir::dialect::Target::Ptx),
        unroll: 512,
        branches: true,
    }
}

/// Mathematical functions have no instruction that gives the bits of their expansion; of what is asked for beside them,
/// there is an `fma` of every type that is computed in as it is.
fn native(op: Op, scalar: Scalar) -> bool {
    op == Op::Fma && matches!(scalar, Scalar::F16 | Scalar::F32 | Scalar::F64)
}
