//! The backend as the driver sees it: this machine's processor.

use crate::pool::{self, Pool};
use crate::{Engine, ID, Kernel, SUBGROUP, compile_for, target};
use std::sync::Arc;
use vyre_driver::{
    BackendCapability, BackendError, BackendPrecedence, BackendProbe, BackendRegistration, Cancel, Command,
    CompileOptions, DeviceKind, DeviceMemory, DeviceProfile, Executable, HostMemory, Limits, MemoryRequest,
    Submitted, VyreBackend, available_host_bytes, inventory, submit_on_host,
};
use vyre_ir::Program;
use vyre_opt::Target;

inventory::submit! { BackendRegistration { id: ID, acquire } }
inventory::submit! { BackendProbe { id: ID, probe: || Ok(vec![profile(pool::threads()? as u32)]), hardware: || true, open: |_| acquire() } }
inventory::submit! { BackendCapability { id: ID, dispatches: true } }
// After every GPU.
inventory::submit! { BackendPrecedence { id: ID, rank: 100 } }

/// The processor.
struct Cpu {
    profile: DeviceProfile,
    engine: Engine,
}

fn acquire() -> Result<Box<dyn VyreBackend>, BackendError> {
    open(Engine::asked()?)
}

/// Opens the backend with an engine, whatever the environment says.
///
/// # Errors
/// [`BackendError::Unavailable`] when `VYRE_THREADS` is no number of threads.
pub fn open(engine: Engine) -> Result<Box<dyn VyreBackend>, BackendError> {
    let threads = Pool::get()?.threads as u32;
    Ok(Box::new(Cpu { profile: profile(threads), engine }))
}

impl VyreBackend for Cpu {
    fn id(&self) -> &'static str {
        ID
    }

    fn profile(&self) -> &DeviceProfile {
        &self.profile
    }

    fn target(&self) -> Option<Target> {
        Some(target())
    }

    fn compile(
        &self,
        program: &Arc<Program>,
        options: &CompileOptions,
    ) -> Result<Arc<dyn Executable>, BackendError> {
        Ok(Arc::new(compile_for(self.engine, program, options.checked)?))
    }

    fn code_version(&self) -> String {
        // Where Cranelift does not know the processor, nothing is compiled either.
        crate::version(self.engine).unwrap_or_default()
    }

    unsafe fn load(
        &self,
        program: &Arc<Program>,
        code: &[u8],
        _: &CompileOptions,
    ) -> Result<Option<Arc<dyn Executable>>, BackendError> {
        // SAFETY: the caller's promise. Optimizing changes no buffer, so the program has those of the code.
        let kernel = unsafe { Kernel::from_bytes(program, code) }?;
        Ok(kernel.map(|kernel| Arc::new(kernel) as Arc<dyn Executable>))
    }

    fn allocate(&self, request: &MemoryRequest<'_>) -> Result<Arc<dyn DeviceMemory>, BackendError> {
        HostMemory::allocate(request)
    }

    fn submit(&self, commands: &mut [Command<'_>], cancel: &Cancel) -> Result<Submitted, BackendError> {
        submit_on_host(commands, cancel, &mut Kernel::launch)
    }

    fn device_lost(&self) -> Option<String> {
        None
    }

    fn reopen(&self) -> Result<Box<dyn VyreBackend>, BackendError> {
        open(self.engine)
    }
}

fn profile(threads: u32) -> DeviceProfile {
    let driver = concat!("vyre-cpu ", env!("CARGO_PKG_VERSION"), ", Cranelift").into();
    let bytes = available_host_bytes().unwrap_or(u64::MAX);
    let limits = Limits {
        workgroup_size: [1024; 3],
        invocations_per_workgroup: 1024,
        workgroups_per_dimension: u32::MAX,
        storage_binding_bytes: bytes,
        workgroup_memory_bytes: 1 << 20,
        buffers_per_stage: 1024,
        uniform_binding_bytes: bytes,
        uniform_buffers_per_stage: 1024,
    };
    DeviceProfile {
        subgroup_size: SUBGROUP,
        supports_subgroup_ops: true,
        supports_subgroup_shuffle: true,
        supports_f16: true,
        supports_bf16: true,
        supports_f64: true,
        supports_i64: true,
        supports_cancel: true,
        supports_grid_sync: true,
        supports_persistent_threads: true,
        host_memory: true,
        compute_units: threads,
        ..DeviceProfile::new(ID, DeviceKind::Cpu, processor_name(), driver, limits)
    }
}

/// The processor's name as the system says it.
fn processor_name() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = info.lines().find_map(|l| l.strip_prefix("model name")?.split_once(':'));
    name.map_or_else(|| std::env::consts::ARCH.into(), |(_, name)| name.trim().into())
}
