//! PTX from programs: what NVIDIA's display driver takes, written by hand.
//!
//! Pure: no device, no file, no clock. A program comes legal for [`target`], and leaves as one kernel of text.

pub mod arch;
pub mod capability;
pub mod kernel;

pub use arch::Arch;
pub use kernel::{Kernel, Param};

use vyre_ir::{Diagnostic, Op, Program, Scalar};
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
    /// Whether instructions say which source line they come from.
    pub lines: bool,
}

impl Options {
    /// Checked, not gated, with lines.
    pub fn new(arch: Arch) -> Options {
        Options { arch, unchecked: false, gated: false, lines: true }
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
    }
}

fn native(_op: Op, _scalar: Scalar) -> bool {
    false
}

/// The program's kernel.
///
/// # Errors
/// What it needs that the device has not, with its place.
pub fn emit(_program: &Program, _options: &Options) -> Result<Kernel, Diagnostic> {
    unimplemented!()
}
