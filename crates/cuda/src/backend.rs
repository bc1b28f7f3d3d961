//! The backend as the driver layer sees it.

use crate::executable::CudaExecutable;
use crate::memory::CudaMemory;
use crate::opened::Opened;
use crate::{ID, device, submission};
use std::sync::Arc;
use vyre_driver::{
    BackendCapability, BackendError, BackendPrecedence, BackendProbe, BackendRegistration, Cancel, Command,
    CompileOptions, DeviceMemory, DeviceProfile, Executable, MemoryRequest, Submitted, VyreBackend,
    inventory,
};
use vyre_ir::Program;
use vyre_opt::Target;

inventory::submit! { BackendRegistration { id: ID, acquire: || open(0) } }
inventory::submit! { BackendProbe { id: ID, probe: device::profiles, hardware: device::may_be_hardware, open } }
inventory::submit! { BackendCapability { id: ID, dispatches: true } }
// Before what is made for every maker's devices.
inventory::submit! { BackendPrecedence { id: ID, rank: 150 } }

fn open(index: usize) -> Result<Box<dyn VyreBackend>, BackendError> {
    Ok(Box::new(CudaBackend { opened: Opened::get(index)? }))
}

/// An open device.
pub struct CudaBackend {
    pub opened: Arc<Opened>,
}

impl VyreBackend for CudaBackend {
    fn id(&self) -> &'static str {
        ID
    }

    fn profile(&self) -> &DeviceProfile {
        &self.opened.description.profile
    }

    fn target(&self) -> Option<Target> {
        Some(vyre_ptx::target())
    }

    fn compile(
        &self,
        program: &Arc<Program>,
        options: &CompileOptions,
    ) -> Result<Arc<dyn Executable>, BackendError> {
        if options.checked {
            return Err(BackendError::no_checked_mode(ID));
        }
        Ok(Arc::new(CudaExecutable::compile(&self.opened, program, options)?))
    }

    fn allocate(&self, request: &MemoryRequest<'_>) -> Result<Arc<dyn DeviceMemory>, BackendError> {
        Ok(Arc::new(CudaMemory::allocate(&self.opened, request)?))
    }

    fn submit(&self, commands: &mut [Command<'_>], cancel: &Cancel) -> Result<Submitted, BackendError> {
        submission::submit(&self.opened, commands, cancel)
    }

    fn device_lost(&self) -> Option<String> {
        self.opened.context.lost()
    }

    fn reopen(&self) -> Result<Box<dyn VyreBackend>, BackendError> {
        open(self.opened.index)
    }

    fn metrics(&self) -> Vec<(&'static str, u64)> {
        let mut list = self.opened.counters.list();
        list.push(("cuda peer devices", self.opened.description.peers.len() as u64));
        list
    }

    fn code_version(&self) -> String {
        let build = concat!("vyre-cuda ", env!("CARGO_PKG_VERSION"), " ", env!("VYRE_SOURCES"));
        let (arch, (major, minor)) =
            (self.opened.description.arch, self.opened.description.compute_capability);
        let (ptx_major, ptx_minor) = arch.version;
        let driver = self.opened.driver().version;
        format!("{build}; {arch}, PTX {ptx_major}.{ptx_minor}, for {major}.{minor}, by driver {driver}")
    }

    unsafe fn load(
        &self,
        program: &Arc<Program>,
        code: &[u8],
        _: &CompileOptions,
    ) -> Result<Option<Arc<dyn Executable>>, BackendError> {
        let loaded = CudaExecutable::load(&self.opened, program, code)?;
        Ok(loaded.map(|executable| Arc::new(executable) as Arc<dyn Executable>))
    }
}
