//! Who runs kernels: vyre's device and its peers, seen the same way by what measures them.

use crate::error::BenchError;
use crate::kernels::{Case, Kernel, Mode, Work};
use std::sync::atomic::{AtomicU32, Ordering};
use vyre::Device;

/// A way to run kernels.
pub trait Runner {
    /// What it is, with versions and what it was compiled for.
    fn about(&self) -> String;

    /// Does what comes before the first run of a case, on these data.
    ///
    /// # Errors
    /// What it cannot do.
    fn load(&self, case: &Case, work: &Work) -> Result<Box<dyn Loaded>, BenchError>;
}

/// A case with its data.
pub trait Loaded {
    /// Runs it once, from call to completion; resident data are what the run before left.
    ///
    /// # Errors
    /// What went wrong.
    fn run(&mut self) -> Result<(), BenchError>;

    /// All buffers, in the order of bindings, as the last run left them.
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
    /// The same WGSL through wgpu on the device's own adapter.
    Wgpu,
    /// The same without any checks of accesses, divisors and loops.
    Unchecked,
    /// The device itself, each run timed by it.
    Timed,
}

impl Peer {
    /// All of them.
    pub const ALL: [Peer; 6] =
        [Peer::Rayon, Peer::Lavapipe, Peer::Pocl, Peer::Wgpu, Peer::Unchecked, Peer::Timed];

    /// Those that a device is measured against when nothing else is said.
    pub fn of(device: &Device) -> &'static [Peer] {
        if on_wgpu(device) { &Peer::ALL[3..] } else { &Peer::ALL[..3] }
    }

    /// As the table has it.
    pub fn name(self) -> &'static str {
        match self {
            Peer::Rayon => "rayon",
            Peer::Lavapipe => "lavapipe",
            Peer::Pocl => "PoCL",
            Peer::Wgpu => "wgpu",
            Peer::Unchecked => "wgpu-unchecked",
            Peer::Timed => "vyre-timed",
        }
    }

    /// Finds it on this machine.
    ///
    /// # Errors
    /// Why it is not there.
    pub fn open(self, device: &Device) -> Result<Box<dyn Runner>, String> {
        match self {
            #[cfg(feature = "rayon")]
            Peer::Rayon => Ok(Box::new(crate::rayon::Rayon)),
            #[cfg(feature = "wgpu")]
            Peer::Lavapipe => Ok(Box::new(crate::wgpu::Wgpu::lavapipe()?)),
            #[cfg(feature = "opencl")]
            Peer::Pocl => Ok(Box::new(crate::opencl::OpenCl::open()?)),
            #[cfg(feature = "wgpu")]
            Peer::Wgpu | Peer::Unchecked => {
                Ok(Box::new(crate::wgpu::Wgpu::of(device.profile(), self == Peer::Wgpu)?))
            }
            Peer::Timed => Ok(Box::new(crate::Ours { device: device.clone(), timed: true })),
            #[allow(unreachable_patterns, reason = "not when a feature is off")]
            Peer::Rayon => Err(not_built("rayon")),
            #[allow(unreachable_patterns, reason = "not when a feature is off")]
            Peer::Lavapipe | Peer::Wgpu | Peer::Unchecked => Err(not_built("wgpu")),
            #[allow(unreachable_patterns, reason = "not when a feature is off")]
            Peer::Pocl => Err(not_built("opencl")),
        }
    }
}

/// The kernel of a case, for who runs it on data in place only.
pub fn only_resident(case: &Case) -> Result<&'static Kernel, BenchError> {
    match case.mode {
        Mode::Resident => Ok(case.kernel),
        _ => Err(BenchError::Peer("is measured on data in place only".into())),
    }
}

/// Whether plain wgpu code could use the same device.
pub fn on_wgpu(device: &Device) -> bool {
    device.id() == "wgpu"
}

/// A number that no call gave before, for [`Kernel::variant`](crate::Kernel::variant).
pub fn fresh() -> u32 {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    // Other ones in other processes, whose caches may be on disk.
    let process = std::process::id() << 12;
    (process + COUNT.fetch_add(1, Ordering::Relaxed)) & 0x0fff_ffff
}

#[allow(dead_code, reason = "when all features are on")]
fn not_built(feature: &str) -> String {
    format!("vyre was built without the feature `{feature}` of vyre-bench")
}
