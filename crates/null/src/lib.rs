//! A backend for tests of what stands above backends: programs run on the interpreter, but memory is apart from the
//! host's, calls fail when a plan says so, and all that is done is written down.
//!
//! It is not registered: a test makes one with [`NullBackend::new`] and gives it to `vyre_driver::Device::new`.
//!
//! Calls of `compile`, `allocate` and `submit` are counted from 0 on, also over the devices that are opened after a
//! loss; [`FaultPlan`] says which of them fail. What belongs to a device that is gone is known again: to use it is an
//! error that [`Log::problems`] keeps, whatever becomes of the call.

mod commands;
mod fault;
mod log;

pub use fault::{Fault, FaultPlan, Latch};
pub use log::Log;

use commands::{NullExecutable, NullMemory};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use vyre_driver::{
    BackendError, Cancel, Command, CompileOptions, DeviceKind, DeviceMemory, DeviceProfile, Executable,
    HostMemory, Limits, MemoryRequest, Submitted, VyreBackend, submit_on_host,
};
use vyre_ir::Program;
use vyre_opt::Target;
use vyre_reference::Interpreted;

/// The backend's id.
pub const ID: &str = "null";

/// Why the device is lost.
const LOSS: &str = "it fell off the bus";

/// What the device says it is, and does.
#[derive(Clone, Debug)]
pub struct NullOptions {
    /// Whether it works in the host's memory. If not, all that a program uses is copied to it and back.
    pub host_memory: bool,
    /// How many workgroups can wait for each other. If any can, programs that wait for their grid run whole, and work
    /// queues drain themselves.
    pub waiting_workgroups: u64,
    /// Whether a run can be stopped.
    pub supports_cancel: bool,
    /// What it takes at most.
    pub limits: Limits,
    /// Bytes of memory that it has.
    pub memory_bytes: u64,
    /// How long it says that each submission took.
    pub times: Submitted,
}

impl Default for NullOptions {
    fn default() -> NullOptions {
        NullOptions {
            host_memory: false,
            waiting_workgroups: 0,
            supports_cancel: true,
            limits: Limits {
                workgroup_size: [1024, 1024, 64],
                invocations_per_workgroup: 1024,
                workgroups_per_dimension: 65535,
                storage_binding_bytes: 1 << 20,
                workgroup_memory_bytes: 16 << 10,
                buffers_per_stage: 8,
                uniform_binding_bytes: 1 << 10,
                uniform_buffers_per_stage: 4,
            },
            memory_bytes: 16 << 20,
            times: Submitted::default(),
        }
    }
}

/// The backend.
pub struct NullBackend {
    options: NullOptions,
    profile: DeviceProfile,
    log: Log,
    /// How many devices were opened before this one.
    generation: u64,
    lost: AtomicBool,
}

impl NullBackend {
    /// A device that does what `options` say and fails as `plan` says.
    pub fn new(options: NullOptions, plan: FaultPlan) -> NullBackend {
        NullBackend::opened(options, Log::new(plan), 0)
    }

    /// What is done to this device and to those opened after it is lost; it outlives them.
    pub fn log(&self) -> Log {
        self.log.clone()
    }

    fn opened(options: NullOptions, log: Log, generation: u64) -> NullBackend {
        let profile = DeviceProfile {
            subgroup_size: 8,
            supports_subgroup_ops: true,
            supports_subgroup_shuffle: true,
            supports_f16: true,
            supports_bf16: true,
            supports_f64: true,
            supports_i64: true,
            supports_grid_sync: options.waiting_workgroups > 0,
            supports_persistent_threads: options.waiting_workgroups > 0,
            supports_cancel: options.supports_cancel,
            host_memory: options.host_memory,
            ..DeviceProfile::new(ID, DeviceKind::Software, "null".into(), "null".into(), options.limits)
        };
        NullBackend { options, profile, log, generation, lost: AtomicBool::new(false) }
    }

    /// Writes down a call and gives the fault that is planned for it. Nothing but the loss is said of a lost device.
    fn begin(&self, call: String) -> Result<Option<Fault>, BackendError> {
        let fault = self.log.begin(call);
        if self.lost.load(Ordering::Acquire) {
            return Err(self.loss());
        }
        Ok(fault)
    }

    fn loss(&self) -> BackendError {
        BackendError::DeviceLost { backend: ID, reason: LOSS.into() }
    }

    /// What a fault makes of a call that has been done.
    fn strike(&self, fault: Fault, bytes: u64, what: &str) -> BackendError {
        match fault {
            Fault::OutOfMemory => {
                BackendError::OutOfMemory { requested: bytes, available: Some(0), what: what.into() }
            }
            Fault::DeviceLost => {
                self.lost.store(true, Ordering::Release);
                self.loss()
            }
            Fault::Timeout => BackendError::Timeout { seconds: 0.0, stopped: self.options.supports_cancel },
            Fault::CompileFailed => {
                BackendError::CompileFailed { backend: ID, log: "the plan says so".into() }
            }
            Fault::Panic => panic!("the plan says so"),
            Fault::WrongSize | Fault::Slow(_) => {
                BackendError::Internal { what: "this fault is no failure".into() }
            }
        }
    }
}

impl VyreBackend for NullBackend {
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
        let unchecked = if options.unchecked { " unchecked" } else { "" };
        let gated = if options.gated { " gated" } else { "" };
        let fault = self.begin(format!("compile {}{unchecked}{gated}", program.name))?;
        if options.checked {
            return Err(BackendError::no_checked_mode(ID));
        }
        match fault {
            Some(Fault::Slow(latch)) => latch.pass(None),
            Some(fault) if fault.can_strike("compile") => return Err(self.strike(fault, 0, "code")),
            _ => {}
        }
        let program = Interpreted::new(program, options);
        let waiting = self.options.waiting_workgroups;
        Ok(Arc::new(NullExecutable::new(program, waiting, self.generation, self.log.clone())))
    }

    fn allocate(&self, request: &MemoryRequest<'_>) -> Result<Arc<dyn DeviceMemory>, BackendError> {
        let MemoryRequest { mut bytes, placement, what } = *request;
        let fault = self.begin(format!("allocate {bytes} aligned to {} for {what}", placement.alignment))?;
        match fault {
            Some(Fault::Slow(latch)) => latch.pass(None),
            Some(Fault::WrongSize) => bytes += 16,
            Some(fault) if fault.can_strike("allocate") => return Err(self.strike(fault, bytes, what)),
            _ => {}
        }
        let available = self.options.memory_bytes.saturating_sub(self.log.live_bytes());
        if bytes > available {
            let (requested, available) = (bytes, Some(available));
            return Err(BackendError::OutOfMemory { requested, available, what: what.into() });
        }
        let memory = HostMemory::allocate(&MemoryRequest { bytes, ..*request })?;
        Ok(Arc::new(NullMemory::new(memory, self.generation, self.log.clone())))
    }

    /// A fault strikes after all has been done: that is when it does the most harm.
    fn submit(&self, commands: &mut [Command<'_>], cancel: &Cancel) -> Result<Submitted, BackendError> {
        let fault = self.begin(commands::text(commands))?;
        if let Some(Fault::Slow(latch)) = &fault {
            latch.pass(Some(cancel));
        }
        let deaf = Cancel::default();
        let cancel = if self.options.supports_cancel { cancel } else { &deaf };
        let mut inner = commands::inner(commands, self.generation, self.options.host_memory, &self.log)?;
        let done = submit_on_host(&mut inner, cancel, &mut Interpreted::launch);
        match fault {
            Some(fault) if fault.can_strike("submit") => Err(self.strike(fault, 0, "a submission")),
            _ => done.map(|_| self.options.times),
        }
    }

    fn device_lost(&self) -> Option<String> {
        self.lost.load(Ordering::Acquire).then(|| LOSS.into())
    }

    fn reopen(&self) -> Result<Box<dyn VyreBackend>, BackendError> {
        self.log.reopen()?;
        let (options, log) = (self.options.clone(), self.log.clone());
        Ok(Box::new(NullBackend::opened(options, log, self.generation + 1)))
    }

    fn shutdown(&self) {
        self.log.shut_down();
    }

    fn metrics(&self) -> Vec<(&'static str, u64)> {
        vec![("calls", self.log.calls().len() as u64)]
    }
}
