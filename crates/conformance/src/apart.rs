//! A backend whose memory the driver takes to be apart from the host's: as on most GPUs, all that a program uses is copied
//! there and back, and work queues are drained without the host.

use std::sync::Arc;
use vyre_driver::{
    BackendError, Cancel, Command, CompileOptions, DeviceMemory, DeviceProfile, Executable, MemoryRequest,
    Submitted, VyreBackend,
};
use vyre_ir::Program;
use vyre_opt::Target;

struct Apart {
    inner: Box<dyn VyreBackend>,
    profile: DeviceProfile,
}

/// The backend, said to have memory of its own.
pub fn apart(inner: Box<dyn VyreBackend>) -> Box<dyn VyreBackend> {
    let profile = DeviceProfile { host_memory: false, ..inner.profile().clone() };
    Box::new(Apart { inner, profile })
}

impl VyreBackend for Apart {
    fn id(&self) -> &'static str {
        self.inner.id()
    }

    fn profile(&self) -> &DeviceProfile {
        &self.profile
    }

    fn target(&self) -> Option<Target> {
        self.inner.target()
    }

    fn compile(
        &self,
        program: &Arc<Program>,
        options: &CompileOptions,
    ) -> Result<Arc<dyn Executable>, BackendError> {
        self.inner.compile(program, options)
    }

    fn allocate(&self, request: &MemoryRequest<'_>) -> Result<Arc<dyn DeviceMemory>, BackendError> {
        self.inner.allocate(request)
    }

    fn submit(&self, commands: &mut [Command<'_>], cancel: &Cancel) -> Result<Submitted, BackendError> {
        self.inner.submit(commands, cancel)
    }

    fn device_lost(&self) -> Option<String> {
        self.inner.device_lost()
    }

    fn reopen(&self) -> Result<Box<dyn VyreBackend>, BackendError> {
        self.inner.reopen().map(apart)
    }
}
