//! What a backend implements: identity, what legal means to it, compile, launch. The rest is written once above it.

use crate::error::BackendError;
use crate::profile::DeviceProfile;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use vyre_ir::Program;
use vyre_opt::Target;

/// A device opened through a backend.
pub trait VyreBackend: Send + Sync {
    /// The backend's stable id.
    fn id(&self) -> &'static str;

    /// What the device is and can do.
    fn profile(&self) -> &DeviceProfile;

    /// What a program must look like before [`VyreBackend::compile`] takes it; `None` for as it was written.
    fn target(&self) -> Option<Target>;

    /// Compiles a verified, legal program.
    fn compile(
        &self,
        program: &Arc<Program>,
        options: &CompileOptions,
    ) -> Result<Arc<dyn Executable>, BackendError>;
}

/// What changes the code that is made.
#[derive(Clone, Default, PartialEq, Eq, Hash, Debug)]
pub struct CompileOptions {
    /// Stop with the first access out of bounds instead of reading 0.
    pub checked: bool,
}

/// A program compiled for a device.
pub trait Executable: Send + Sync {
    /// Runs it to the end.
    fn launch(&self, launch: &mut Launch<'_>) -> Result<(), BackendError>;
}

/// One run: grid, memory, and a way to stop it.
pub struct Launch<'a> {
    /// Workgroups along x, y, z.
    pub workgroups: [u32; 3],
    /// Memory of each buffer, in the order of `Program::buffers`.
    pub memory: Vec<LaunchMemory<'a>>,
    /// Asks the run to stop.
    pub cancel: &'a Cancel,
}

/// Memory of one buffer during a run.
pub enum LaunchMemory<'a> {
    /// The buffer is not bound: workgroup or private memory.
    Unbound,
    /// Read only; any alignment.
    Read(&'a [u8]),
    /// Read and written; aligned to 16 bytes.
    Write(&'a mut [u8]),
}

/// A flag that asks a run to stop; a run looks at it at least once in every turn of a loop.
#[derive(Default, Debug)]
pub struct Cancel {
    flag: AtomicU32,
}

impl Cancel {
    /// Asks the run to stop.
    pub fn request(&self) {
        self.flag.store(1, Ordering::Relaxed);
    }
    /// Whether it was asked.
    pub fn requested(&self) -> bool {
        self.flag.load(Ordering::Relaxed) != 0
    }
    /// Where generated code reads the flag: a u32 that is 0 until the run is to stop. Valid as long as `self`.
    pub fn address(&self) -> *const u32 {
        self.flag.as_ptr()
    }
}
