//! The interpreter as the backend `cpu-ref`: never chosen unless named, and given programs as they were written.

use crate::codes;
use crate::drain;
use crate::{Bytes, Error, Options, WORKGROUP_BYTES, run};
use std::sync::Arc;
use vyre_driver::{
    BackendCapability, BackendError, BackendPrecedence, BackendProbe, BackendRegistration, Cancel, Command,
    CompileOptions, DeviceKind, DeviceMemory, DeviceProfile, Executable, HostBytes, HostLaunch, HostMemory,
    Limits, MemoryRequest, Submitted, VyreBackend, inventory, submit_on_host,
};
use vyre_ir::Program;
use vyre_opt::Target;

/// The backend's id.
pub const ID: &str = "cpu-ref";

inventory::submit! { BackendRegistration { id: ID, acquire } }
inventory::submit! { BackendProbe { id: ID, probe: || Ok(vec![profile()]), hardware: || true, open: |_| acquire() } }
inventory::submit! { BackendCapability { id: ID, dispatches: true } }
// The last of all: nothing is slower.
inventory::submit! { BackendPrecedence { id: ID, rank: 1000 } }

struct Interpreter {
    profile: DeviceProfile,
    seed: Option<u64>,
}

/// The environment variable that says in which order the items of work queues are handled.
const SEED: &str = "VYRE_SEED";

/// A program that the interpreter runs as it is: an executable for backends that are not about speed.
pub struct Interpreted {
    program: Arc<Program>,
    checked: bool,
    seed: Option<u64>,
}

fn acquire() -> Result<Box<dyn VyreBackend>, BackendError> {
    Ok(open(seed(std::env::var(SEED).ok().as_deref())?))
}

/// The interpreter, handling the items of work queues in the order that a seed gives; without one, first in, first out.
/// As a backend that is chosen by name it takes the seed from the environment variable `VYRE_SEED`.
pub fn open(seed: Option<u64>) -> Box<dyn VyreBackend> {
    Box::new(Interpreter { profile: profile(), seed })
}

fn seed(setting: Option<&str>) -> Result<Option<u64>, BackendError> {
    let Some(text) = setting.map(str::trim).filter(|text| !text.is_empty()) else { return Ok(None) };
    let seed = text.parse().map_err(|_| BackendError::Unavailable {
        reason: format!("{SEED} is `{text}`, which is no seed"),
        fix: format!("Set {SEED} to a number below 2^64, or unset it."),
    });
    seed.map(Some)
}

fn profile() -> DeviceProfile {
    let driver = concat!("vyre ", env!("CARGO_PKG_VERSION")).into();
    // Whatever another backend runs, the oracle must run too.
    let limits = Limits {
        workgroup_size: [1 << 16; 3],
        invocations_per_workgroup: 1 << 16,
        workgroups_per_dimension: u32::MAX,
        storage_binding_bytes: u64::MAX,
        workgroup_memory_bytes: WORKGROUP_BYTES,
        buffers_per_stage: u32::MAX,
        uniform_binding_bytes: u64::MAX,
        uniform_buffers_per_stage: u32::MAX,
    };
    DeviceProfile {
        subgroup_size: Options::default().subgroup_size,
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
        ..DeviceProfile::new(ID, DeviceKind::Oracle, "reference interpreter".into(), driver, limits)
    }
}

impl VyreBackend for Interpreter {
    fn id(&self) -> &'static str {
        ID
    }

    fn profile(&self) -> &DeviceProfile {
        &self.profile
    }

    fn target(&self) -> Option<Target> {
        None
    }

    fn compile(
        &self,
        program: &Arc<Program>,
        options: &CompileOptions,
    ) -> Result<Arc<dyn Executable>, BackendError> {
        Ok(Arc::new(Interpreted { seed: self.seed, ..Interpreted::new(program, options) }))
    }

    fn allocate(&self, request: &MemoryRequest<'_>) -> Result<Arc<dyn DeviceMemory>, BackendError> {
        HostMemory::allocate(request)
    }

    fn submit(&self, commands: &mut [Command<'_>], cancel: &Cancel) -> Result<Submitted, BackendError> {
        submit_on_host(commands, cancel, &mut Interpreted::launch)
    }

    fn device_lost(&self) -> Option<String> {
        None
    }

    fn reopen(&self) -> Result<Box<dyn VyreBackend>, BackendError> {
        Ok(open(self.seed))
    }
}

impl Executable for Interpreted {
    fn waiting_workgroups(&self) -> u64 {
        u64::MAX
    }
}

impl Interpreted {
    /// Of a verified program with its calls linked.
    pub fn new(program: &Arc<Program>, options: &CompileOptions) -> Interpreted {
        Interpreted { program: program.clone(), checked: options.checked, seed: None }
    }

    /// Runs it, for [`submit_on_host`].
    ///
    /// # Errors
    /// [`BackendError::InvalidProgram`], [`BackendError::InvalidInput`] and [`BackendError::Unsupported`] for what the
    /// interpreter refuses, [`BackendError::Timeout`] when it was asked to stop.
    pub fn launch(&self, launch: &mut HostLaunch<'_>) -> Result<(), BackendError> {
        match launch.drain {
            None => self.run(launch),
            Some(queue) => {
                let invocations = self.program.workgroup_invocations();
                drain::drain(&queue, invocations, self.seed, launch, &|launch| self.run(launch))
            }
        }
    }

    fn run(&self, launch: &mut HostLaunch<'_>) -> Result<(), BackendError> {
        let mut buffers: Vec<Bytes> = (launch.memory.iter_mut())
            .map(|memory| match memory {
                HostBytes::Unbound => Bytes::Unbound,
                HostBytes::Read(bytes) => Bytes::Read(bytes),
                HostBytes::Write(bytes) => Bytes::Write(bytes),
            })
            .collect();
        let cancel = launch.cancel;
        let [nx, ny, _] = launch.workgroups.map(u64::from);
        let only = launch.only.map(|only| only.map(u64::from)).map(|[x, y, z]| [(z * ny + y) * nx + x]);
        let options = Options {
            cancelled: &|| cancel.requested(),
            checked: self.checked,
            workgroups: only.as_ref().map(|only| &only[..]),
            ..Options::default()
        };
        match run(&self.program, launch.workgroups, &mut buffers, &options) {
            Ok(_) => Ok(()),
            Err(Error::OutOfBounds(access)) => Err(BackendError::OutOfBounds { access }),
            // The driver knows the limit and says it.
            Err(Error::Cancelled | Error::StepLimit(_)) => Err(BackendError::stopped()),
            Err(Error::Invalid(what)) => Err(match what.code {
                code if [codes::D304, codes::D307, codes::D309].contains(&code) => {
                    BackendError::InvalidProgram { errors: vec![what] }
                }
                code if code.name().starts_with('B') => BackendError::InvalidInput { what: Box::new(what) },
                _ => BackendError::Unsupported { backend: ID, what: Box::new(what) },
            }),
        }
    }
}
