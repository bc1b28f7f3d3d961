//! The backend as the driver layer sees it.

use crate::adapters::{self, Found};
use crate::executable::{Made, WgpuExecutable};
use crate::memory::WgpuMemory;
use crate::opened::Opened;
use crate::{ID, stored, submission};
use std::sync::Arc;
use vyre_driver::{
    BackendCapability, BackendError, BackendPrecedence, BackendProbe, BackendRegistration, Cancel, Command,
    CompileOptions, DeviceMemory, DeviceProfile, Executable, MemoryRequest, Submitted, VyreBackend,
    inventory,
};
use vyre_ir::Program;
use vyre_opt::Target;
use vyre_wgsl::export;

inventory::submit! { BackendRegistration { id: ID, acquire: || open(0) } }
inventory::submit! { BackendProbe { id: ID, probe: adapters::profiles, hardware: adapters::may_be_hardware, open } }
inventory::submit! { BackendCapability { id: ID, dispatches: true } }
// Behind what is made for one maker's devices.
inventory::submit! { BackendPrecedence { id: ID, rank: 200 } }

fn open(index: usize) -> Result<Box<dyn VyreBackend>, BackendError> {
    Ok(Box::new(WgpuBackend::open(index, Shaders::Best)?))
}

/// How programs are handed to the device.
#[derive(Copy, Clone, PartialEq, Eq, Default, Debug)]
pub enum Shaders {
    /// As SPIR-V made here where the device takes it, which keeps drivers from rearranging float arithmetic; else as
    /// naga modules.
    #[default]
    Best,
    /// As naga modules, which is what devices get that do not take SPIR-V.
    Modules,
}

/// An open device.
pub struct WgpuBackend {
    opened: Arc<Opened>,
    found: Found,
    shaders: Shaders,
}

impl WgpuBackend {
    /// Opens the device of that number.
    ///
    /// # Errors
    /// [`BackendError::Unavailable`] when there is none, or it cannot be opened.
    pub fn open(index: usize, shaders: Shaders) -> Result<WgpuBackend, BackendError> {
        WgpuBackend::of(adapters::adapter(index)?, shaders)
    }

    fn of(found: Found, shaders: Shaders) -> Result<WgpuBackend, BackendError> {
        let opened = Arc::new(Opened::new(found.adapter.clone(), shaders == Shaders::Best)?);
        Ok(WgpuBackend { opened, found, shaders })
    }

    /// Ends the device as if it were pulled out: what uses it from now on fails with [`BackendError::DeviceLost`].
    pub fn destroy(&self) {
        self.destroyer()();
    }

    /// What [`WgpuBackend::destroy`] does, for who has given the backend away.
    pub fn destroyer(&self) -> impl Fn() + Send + Sync + use<> {
        let (device, loss) = (self.opened.device.clone(), self.opened.loss.clone());
        move || {
            // Before wgpu says it, which is when all work is done.
            loss.tell("it was destroyed");
            device.destroy();
        }
    }
}

impl VyreBackend for WgpuBackend {
    fn id(&self) -> &'static str {
        ID
    }

    fn profile(&self) -> &DeviceProfile {
        &self.opened.profile
    }

    fn target(&self) -> Option<Target> {
        Some(Target { name: "naga", native: export::native, ..Target::VECTOR })
    }

    fn compile(
        &self,
        program: &Arc<Program>,
        options: &CompileOptions,
    ) -> Result<Arc<dyn Executable>, BackendError> {
        if options.checked {
            return Err(BackendError::no_checked_mode(ID));
        }
        let made = Made::of(&self.opened, program)?;
        Ok(Arc::new(WgpuExecutable::new(&self.opened, program, made, None)?))
    }

    fn allocate(&self, request: &MemoryRequest<'_>) -> Result<Arc<dyn DeviceMemory>, BackendError> {
        Ok(Arc::new(WgpuMemory::allocate(&self.opened, request)?))
    }

    fn submit(&self, commands: &mut [Command<'_>], cancel: &Cancel) -> Result<Submitted, BackendError> {
        submission::submit(&self.opened, commands, cancel)
    }

    fn device_lost(&self) -> Option<String> {
        self.opened.lost()
    }

    fn reopen(&self) -> Result<Box<dyn VyreBackend>, BackendError> {
        Ok(Box::new(WgpuBackend::of(adapters::again(&self.found)?, self.shaders)?))
    }

    fn metrics(&self) -> Vec<(&'static str, u64)> {
        let hal = self.opened.device.get_internal_counters().hal;
        let read = |counter: &wgpu::wgt::InternalCounter| counter.read().max(0) as u64;
        vec![
            ("wgpu buffers", read(&hal.buffers)),
            ("wgpu buffer bytes", read(&hal.buffer_memory)),
            ("wgpu bind groups", read(&hal.bind_groups)),
            ("wgpu bind group layouts", read(&hal.bind_group_layouts)),
            ("wgpu pipelines", read(&hal.compute_pipelines)),
            ("wgpu shader modules", read(&hal.shader_modules)),
            ("wgpu command encoders", read(&hal.command_encoders)),
            ("wgpu memory allocations", read(&hal.memory_allocations)),
        ]
    }

    fn code_version(&self) -> String {
        let Opened { adapter, features, limits, spirv, .. } = &*self.opened;
        let info = adapter.get_info();
        let words = limits.max_immediate_size / 4;
        let build = concat!("vyre-wgpu ", env!("CARGO_PKG_VERSION"), " ", env!("VYRE_SOURCES"));
        format!("{build}; {info:?}; {features:?}; {words} words; {spirv:?}")
    }

    unsafe fn load(
        &self,
        program: &Arc<Program>,
        code: &[u8],
        _: &CompileOptions,
    ) -> Result<Option<Arc<dyn Executable>>, BackendError> {
        if self.opened.spirv.is_none() {
            return Ok(None);
        }
        let Some((made, cached)) = stored::decode(program, code) else { return Ok(None) };
        Ok(Some(Arc::new(WgpuExecutable::new(&self.opened, program, made, Some(cached))?)))
    }
}
