//! Programs compiled for a device.

use crate::backend::{CompileOptions, VyreBackend};
use crate::binding::{Binding, BindingPlan, BindingRole, bind_error};
use crate::cache::pipeline::Pipeline;
use crate::cache::{CacheSource, PipelineCache};
use crate::codes;
use crate::config::{DispatchConfig, check_options};
use crate::device::{Device, Opened, lock};
use crate::error::BackendError;
use crate::form::{Form, Made, Purpose, Runs, make};
use crate::placement::Placement;
use crate::profile::DeviceProfile;
use crate::resident::{Resident, ResidentOptions};
use crate::spans::{self, TARGET};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Instant;
use vyre_ir::dialect::{self, DialectRegistry};
use vyre_ir::{Buffer, BufferDecl, Diagnostic, Entity, Program};
use vyre_opt::queue::has_queue;
use vyre_opt::stages::Costs;

/// A program compiled for a device. Clones are the same program.
#[derive(Clone)]
pub struct Compiled {
    pub(crate) device: Device,
    pub(crate) kernel: Arc<Kernel>,
}

/// What clones share.
pub(crate) struct Kernel {
    /// The verified program as it was given, for recovery.
    written: Program,
    /// The legal program.
    pub program: Arc<Program>,
    pub plan: BindingPlan,
    pub options: CompileOptions,
    pub purpose: Purpose,
    /// Made anew after a loss of the device.
    form: RwLock<Form>,
    /// Memory of each persistent buffer, by place in the plan.
    pub persistent: Vec<(usize, Resident)>,
    times: CompileTimes,
    source: CacheSource,
}

/// How long compiling took, in nanoseconds. What was not done, because the cache had it, took 0.
#[derive(Copy, Clone, Default, PartialEq, Eq, Debug)]
pub struct CompileTimes {
    /// Optimizing and legalizing the program.
    pub optimize_ns: u64,
    /// Making code.
    pub codegen_ns: u64,
    /// Looking into the cache, and loading what was there or keeping what was made.
    pub cache_ns: u64,
}

impl Device {
    /// Links a program's calls with the dialects of this moment, verifies it, makes it legal for the device, and
    /// compiles it. Of `config`, what changes code counts: workgroup size, checked mode, the promise of `unchecked`, fast math.
    ///
    /// # Errors
    /// [`BackendError::InvalidProgram`] with all that the verifier found, [`BackendError::Unsupported`] for what the
    /// device cannot do, [`BackendError::CompileFailed`], [`BackendError::DeviceLost`].
    pub fn compile(&self, program: &Program, config: &DispatchConfig) -> Result<Compiled, BackendError> {
        if has_queue(program) {
            let message = format!("program `{}` handles the items of a work queue", program.name);
            return Err(bind_error(codes::D036, message, "Run it with a `WorkQueue`."));
        }
        self.compile_for(program, config, Purpose::Grid(config.grid_sync))
    }

    pub(crate) fn compile_for(
        &self,
        program: &Program,
        config: &DispatchConfig,
        purpose: Purpose,
    ) -> Result<Compiled, BackendError> {
        let span = spans::compile(&program.name, self.id()).entered();
        let options = config.compile_options();
        let (written, plan) = self.checked(program, config)?;
        // Held until recovery knows of the program, so that it is compiled again in any case.
        let backend = self.inner.opened()?;
        let made = make(&self.inner.cache(), &**backend, &written, &options, purpose);
        let Made { program, form, times, source } = self.inner.judge(&backend, made)?;
        span.record("source", source.name());
        self.inner.metrics.compiles.add(1);
        let persistent = self.persistent(&backend, &program, &plan)?;
        let form = RwLock::new(form);
        let kernel =
            Arc::new(Kernel { written, program, plan, options, purpose, form, persistent, times, source });
        let mut kernels = lock(&self.inner.kernels);
        kernels.retain(|other| other.strong_count() > 0);
        kernels.push(Arc::downgrade(&kernel));
        Ok(Compiled { device: self.clone(), kernel })
    }

    /// Compiles a program into the cache, so that [`Device::compile`] has it at once.
    ///
    /// # Errors
    /// As [`Device::compile`].
    pub fn prepare(&self, program: &Program, config: &DispatchConfig) -> Result<(), BackendError> {
        let span = spans::compile(&program.name, self.id()).entered();
        let (written, _) = self.checked(program, config)?;
        let backend = self.inner.opened()?;
        let purpose = Purpose::Grid(config.grid_sync);
        let made = make(&self.inner.cache(), &**backend, &written, &config.compile_options(), purpose);
        span.record("source", self.inner.judge(&backend, made)?.source.name());
        Ok(())
    }

    /// The program as it is compiled, after a look at whether it can be.
    fn checked(
        &self,
        program: &Program,
        config: &DispatchConfig,
    ) -> Result<(Program, BindingPlan), BackendError> {
        check_options(&config.compile_options())?;
        let invalid = |errors| BackendError::InvalidProgram { errors };
        // Nothing asks for the registry without a call: building it costs more than compiling a small program.
        let link = tracing::debug_span!(target: TARGET, "link").entered();
        let mut program = match dialect::has_calls(program) {
            true => dialect::link(program, &DialectRegistry::global()).map_err(invalid)?,
            false => program.clone(),
        };
        drop(link);
        program.workgroup_size = config.workgroup_size.unwrap_or(program.workgroup_size);
        let verify = tracing::debug_span!(target: TARGET, "verify", instructions = program.size()).entered();
        vyre_ir::verify::verify(&program).map_err(invalid)?;
        drop(verify);
        let plan = BindingPlan::build(&program)?;
        check_limits(self.id(), self.profile(), &program, &plan)?;
        Ok((program, plan))
    }

    /// Memory for the persistent buffers of a program.
    fn persistent(
        &self,
        backend: &Opened<'_>,
        program: &Program,
        plan: &BindingPlan,
    ) -> Result<Vec<(usize, Resident)>, BackendError> {
        let buffers = plan.bindings.iter().enumerate().filter(|(_, b)| b.role == BindingRole::Persistent);
        let allocate = |(place, b): (usize, &Binding)| {
            let Some(bytes) = b.static_byte_len else {
                let message = format!(
                    "persistent buffer `{}` of program `{}` is sized at run time",
                    b.name, program.name
                );
                let what = Diagnostic::new(codes::D022, message).fix("Declare how many elements it has.");
                return Err(BackendError::Unsupported { backend: self.id(), what: Box::new(what) });
            };
            let placement = Placement::of(b, &program.buffers[Buffer::new(b.buffer_index)]);
            let options = ResidentOptions { name: b.name.clone(), bytes, journaled: false, placement };
            Ok((place, self.allocate_in(backend, options)?))
        };
        buffers.map(allocate).collect()
    }
}

impl Compiled {
    /// The legal program that runs.
    pub fn program(&self) -> &Program {
        &self.kernel.program
    }

    /// The program's interface, before any input is known.
    pub fn plan(&self) -> &BindingPlan {
        &self.kernel.plan
    }

    /// The device it is compiled for.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// How long compiling took.
    pub fn times(&self) -> CompileTimes {
        self.kernel.times
    }

    /// Whether it was compiled, or where it was found.
    pub fn source(&self) -> CacheSource {
        self.kernel.source
    }

    /// What about the compiled program is not as good or as fast as it should be, and why; `None` if there is nothing.
    pub fn notice(&self) -> Option<String> {
        self.kernel.form.read().unwrap_or_else(PoisonError::into_inner).notice()
    }

    /// What a program that waits for its grid costs where it runs as stages; `None` if it never does.
    pub fn stages(&self) -> Option<Costs> {
        let form = self.kernel.form.read().unwrap_or_else(PoisonError::into_inner);
        form.stages().map(|stages| stages.costs)
    }

    /// Blocks of stages.
    pub(crate) fn blocks(&self) -> u32 {
        let form = self.kernel.form.read().unwrap_or_else(PoisonError::into_inner);
        let control = form.stages().and_then(|stages| stages.control.as_ref());
        control.map_or(0, |control| control.blocks.len() as u32)
    }

    /// The memory of the persistent buffer at that place of the plan.
    pub(crate) fn own_memory(&self, place: usize) -> Option<&Resident> {
        self.kernel.persistent.iter().find(|(at, _)| *at == place).map(|(_, resident)| resident)
    }

    /// The memory of a persistent buffer: zero at first, then what dispatches of this program leave there.
    pub fn persistent(&self, name: &str) -> Option<&Resident> {
        let mut all = self.kernel.persistent.iter();
        all.find(|(place, _)| self.kernel.plan.bindings[*place].name == name).map(|(_, resident)| resident)
    }
}

impl Kernel {
    /// What runs a grid of so many workgroups. `_backend` is what it was compiled by; it is held so that it stays that.
    pub fn runs(&self, _backend: &Opened<'_>, workgroups: [u32; 3]) -> Result<Runs, BackendError> {
        self.form.read().unwrap_or_else(PoisonError::into_inner).runs(workgroups)
    }

    /// The buffer of a binding.
    pub fn decl(&self, b: &Binding) -> &BufferDecl {
        &self.program.buffers[Buffer::new(b.buffer_index)]
    }

    /// Compiles the program for a new device.
    pub fn compile_again(
        &self,
        cache: &PipelineCache<Pipeline>,
        backend: &dyn VyreBackend,
    ) -> Result<(), BackendError> {
        let span = spans::compile(&self.program.name, backend.id()).entered();
        let made = make(cache, backend, &self.written, &self.options, self.purpose)?;
        span.record("source", made.source.name());
        *self.form.write().unwrap_or_else(PoisonError::into_inner) = made.form;
        Ok(())
    }
}

/// What the device's limits say about a program, before anything is compiled.
pub(crate) fn check_limits(
    backend: &'static str,
    profile: &DeviceProfile,
    program: &Program,
    plan: &BindingPlan,
) -> Result<(), BackendError> {
    let limits = profile.limits;
    let unsupported = |what: Diagnostic| BackendError::Unsupported { backend, what: Box::new(what) };
    let invocations = program.workgroup_invocations();
    let too_wide = program.workgroup_size.iter().zip(limits.workgroup_size).any(|(&n, limit)| n > limit);
    if too_wide || invocations > limits.invocations_per_workgroup as u64 {
        let [x, y, z] = program.workgroup_size;
        let message = format!(
            "a workgroup of {x} x {y} x {z} has {invocations} invocations; the device takes {}, along x, y, z at most {:?}",
            limits.invocations_per_workgroup, limits.workgroup_size
        );
        return Err(unsupported(Diagnostic::new(codes::D020, message).fix("Use a smaller workgroup.")));
    }
    let shared = program.buffers.values().filter(|b| b.memory == vyre_ir::Memory::Workgroup);
    let bytes = shared.fold(0u64, |n, b| n.saturating_add(b.static_bytes().unwrap_or(u64::MAX)));
    if bytes > limits.workgroup_memory_bytes {
        let message = format!(
            "the program uses {bytes} bytes of workgroup memory; the device has {}",
            limits.workgroup_memory_bytes
        );
        return Err(unsupported(
            Diagnostic::new(codes::D021, message).fix("Use smaller workgroup variables."),
        ));
    }
    let (uniform, storage): (Vec<&Binding>, Vec<&Binding>) =
        plan.bindings.iter().filter(|b| b.is_bound()).partition(|b| b.role == BindingRole::Uniform);
    let counts = [
        (storage.len(), "storage", limits.buffers_per_stage),
        (uniform.len(), "uniform", limits.uniform_buffers_per_stage),
    ];
    for (has, what, limit) in counts {
        if has as u64 > limit as u64 {
            let message = format!("the program has {has} {what} buffers; the device takes {limit}");
            let what = Diagnostic::new(codes::D026, message).fix("Put several buffers into one.");
            return Err(unsupported(what));
        }
    }
    Ok(())
}

pub(crate) fn elapsed(start: Instant) -> u64 {
    start.elapsed().as_nanos() as u64
}
