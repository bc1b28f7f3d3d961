//! Who runs kernels: vyre's device and its peers, seen the same way by what measures them.

use crate::error::BenchError;
use crate::kernels::{Kernel, Work};

/// A way to run kernels.
pub trait Runner {
    /// What it is, with versions and what it was compiled for.
    fn about(&self) -> String;

    /// Compiles a kernel and brings its data to where it works on them.
    ///
    /// # Errors
    /// What it cannot do.
    fn load(&self, kernel: &Kernel, work: &Work) -> Result<Box<dyn Loaded>, BenchError>;
}

/// A kernel with its data.
pub trait Loaded {
    /// Runs it once, on what the run before left, from call to completion.
    ///
    /// # Errors
    /// What went wrong.
    fn run(&mut self) -> Result<(), BenchError>;

    /// All buffers, in the order of bindings.
    ///
    /// # Errors
    /// What went wrong.
    fn read(&mut self) -> Result<Vec<Vec<u32>>, BenchError>;
}

/// Someone else who runs kernels.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Peer {
    /// Rust on all processors.
    Rayon,
    /// The same WGSL through wgpu on Vulkan in software.
    Lavapipe,
    /// OpenCL on the processor.
    Pocl,
}

impl Peer {
    /// All of them.
    pub const ALL: [Peer; 3] = [Peer::Rayon, Peer::Lavapipe, Peer::Pocl];

    /// As the table has it.
    pub fn name(self) -> &'static str {
        match self {
            Peer::Rayon => "rayon",
            Peer::Lavapipe => "lavapipe",
            Peer::Pocl => "PoCL",
        }
    }

    /// Finds it on this machine.
    ///
    /// # Errors
    /// Why it is not there.
    pub fn open(self) -> Result<Box<dyn Runner>, String> {
        match self {
            #[cfg(feature = "rayon")]
            Peer::Rayon => Ok(Box::new(crate::rayon::Rayon)),
            #[cfg(feature = "wgpu")]
            Peer::Lavapipe => Ok(Box::new(crate::wgpu::Wgpu::open()?)),
            #[cfg(feature = "opencl")]
            Peer::Pocl => Ok(Box::new(crate::opencl::OpenCl::open()?)),
            #[allow(unreachable_patterns, reason = "not when a feature is off")]
            Peer::Rayon => Err(not_built("rayon")),
            #[allow(unreachable_patterns, reason = "not when a feature is off")]
            Peer::Lavapipe => Err(not_built("wgpu")),
            #[allow(unreachable_patterns, reason = "not when a feature is off")]
            Peer::Pocl => Err(not_built("opencl")),
        }
    }
}

#[allow(dead_code, reason = "when all features are on")]
fn not_built(feature: &str) -> String {
    format!("vyre was built without the feature `{feature}` of vyre-bench")
}
