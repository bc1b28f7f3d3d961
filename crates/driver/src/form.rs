//! What a compiled program runs as: as a whole, or, if it waits for its grid or handles the items of a work queue, as
//! stages.
//!
//! A work queue is drained by the backend where the device works in the host's memory, else by the program itself where its
//! workgroups can wait for each other, else by stages.
//!
//! A program that waits for its grid is compiled whole for a device that can wait, for grids of as many workgroups as
//! it says, and as stages for larger ones. Each stage, and the control program, is compiled as any program is,
//! through the same cache.

use crate::backend::{CompileOptions, DeviceMemory, Executable, MemoryRequest, VyreBackend};
use crate::binding::BindingPlan;
use crate::cache::pipeline::{Pipeline, pipeline};
use crate::cache::{CacheSource, PipelineCache};
use crate::codes;
use crate::compiled::{CompileTimes, check_limits, elapsed};
use crate::config::GridSync;
use crate::device::lock;
use crate::error::BackendError;
use crate::placement::Placement;
use crate::resident::allocate_checked;
use std::sync::{Arc, Mutex};
use std::time::Instant;
use vyre_ir::{Diagnostic, Program};
use vyre_opt::queue::{Queue, persistent, queue, threads};
use vyre_opt::split::{split, waits};
use vyre_opt::stages::{Scratch, Staged};

/// For what a program is compiled.
#[derive(Copy, Clone, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// For grids.
    Grid(GridSync),
    /// For the items of a work queue.
    Queue,
}

/// What a compiled program runs as.
#[derive(Clone)]
pub(crate) struct Form {
    whole: Option<Whole>,
    stages: Option<Arc<StagesCode>>,
}

#[derive(Clone)]
struct Whole {
    executable: Arc<dyn Executable>,
    /// Workgroups that it can have.
    limit: u64,
    /// How it drains a work queue.
    drains: Option<Drains>,
}

/// How a program drains a work queue.
#[derive(Copy, Clone)]
enum Drains {
    /// Window after window, in the host's memory, as the backend sees fit.
    OnHost(Queue),
    /// By itself.
    Alone(Persistent),
}

/// A program that drains a work queue by itself.
#[derive(Copy, Clone)]
pub(crate) struct Persistent {
    /// Where it finds the queue.
    pub queue: Queue,
    /// Workgroups that can wait for each other.
    limit: u64,
    /// Invocations of a workgroup.
    invocations: u64,
}

/// Stages with their code.
pub(crate) struct StagesCode {
    pub plan: Staged,
    pub stages: Vec<Arc<dyn Executable>>,
    pub control: Option<Arc<dyn Executable>>,
    /// Invocations of a workgroup.
    invocations: u64,
    /// Scratch memory of the last run.
    spare: Mutex<ScratchMemory>,
}

pub(crate) type ScratchMemory = Vec<Arc<dyn DeviceMemory>>;

/// What runs a launch.
pub(crate) enum Runs {
    Whole(Arc<dyn Executable>),
    Drain(Arc<dyn Executable>, Queue),
    Persistent(Arc<dyn Executable>, Persistent),
    Stages(Arc<StagesCode>),
}

/// What a compilation gives.
pub(crate) struct Made {
    /// The legal program.
    pub program: Arc<Program>,
    pub form: Form,
    pub times: CompileTimes,
    pub source: CacheSource,
}

/// Compiles a verified program.
pub(crate) fn make(
    cache: &PipelineCache<Pipeline>,
    backend: &dyn VyreBackend,
    written: &Program,
    options: &CompileOptions,
    purpose: Purpose,
) -> Result<Made, BackendError> {
    let mut compiler = Compiler { cache, backend, options, times: CompileTimes::default(), source: None };
    let (program, form) = match purpose {
        Purpose::Queue => (Arc::new(written.clone()), compiler.queue(written)?),
        Purpose::Grid(_) if !waits(written) => {
            let Pipeline { program, executable, .. } = compiler.pipeline(written)?;
            (program, Form::whole(executable, u64::MAX))
        }
        Purpose::Grid(wanted) => compiler.waiting(written, wanted)?,
    };
    let source = compiler.source.unwrap_or(CacheSource::Compiled);
    Ok(Made { program, form, times: compiler.times, source })
}

/// Compiles the parts of a program.
struct Compiler<'c> {
    cache: &'c PipelineCache<Pipeline>,
    backend: &'c dyn VyreBackend,
    options: &'c CompileOptions,
    /// Of all parts.
    times: CompileTimes,
    /// Where the part came from that was the most costly.
    source: Option<CacheSource>,
}

impl Compiler<'_> {
    fn pipeline(&mut self, program: &Program) -> Result<Pipeline, BackendError> {
        self.pipeline_with(program, self.options)
    }

    fn pipeline_with(
        &mut self,
        program: &Program,
        options: &CompileOptions,
    ) -> Result<Pipeline, BackendError> {
        let (made, times, source) = pipeline(self.cache, self.backend, program, options)?;
        self.times.optimize_ns += times.optimize_ns;
        self.times.codegen_ns += times.codegen_ns;
        self.times.cache_ns += times.cache_ns;
        self.source = self.source.max(Some(source));
        Ok(made)
    }

    /// A program that waits for its grid.
    fn waiting(&mut self, written: &Program, wanted: GridSync) -> Result<(Arc<Program>, Form), BackendError> {
        let profile = self.backend.profile();
        let (mut program, mut form) = (None, Form { whole: None, stages: None });
        if profile.supports_grid_sync && wanted != GridSync::Stages {
            let made = self.pipeline(written)?;
            let limit = made.executable.waiting_workgroups();
            form = Form::whole(made.executable, limit);
            program = Some(made.program);
            if limit == u64::MAX || wanted == GridSync::Native {
                return Ok((program.expect("it was just made"), form));
            }
        }
        if wanted == GridSync::Native {
            let message = format!("program `{}` waits for its grid, which the device cannot", written.name);
            let what = Diagnostic::new(codes::D034, message)
                .fix("Allow the program to run as stages: `GridSync::Fit`.");
            return Err(self.unsupported(what));
        }
        let start = Instant::now();
        let program = program.unwrap_or_else(|| {
            Arc::new(match self.backend.target() {
                Some(target) => vyre_opt::run(written, &target, self.options.passes()),
                None => written.clone(),
            })
        });
        let plan = split(&program).map_err(|what| self.unsupported(what))?;
        self.times.optimize_ns += elapsed(start);
        form.stages = Some(self.stages(plan, written.workgroup_invocations())?);
        Ok((program, form))
    }

    /// A program that handles the items of a work queue.
    fn queue(&mut self, written: &Program) -> Result<Form, BackendError> {
        let start = Instant::now();
        let profile = self.backend.profile();
        let has_threads = profile.supports_persistent_threads;
        let invalid = |what| BackendError::InvalidProgram { errors: vec![what] };
        let whole = |executable, drains| {
            let whole = Whole { executable, limit: u64::MAX, drains: Some(drains) };
            Form { whole: Some(whole), stages: None }
        };
        if has_threads && profile.supports_grid_sync && !profile.host_memory {
            let (program, queue) = persistent(written).map_err(invalid)?;
            self.times.optimize_ns += elapsed(start);
            self.check_limits(&program)?;
            let executable = self.pipeline(&program)?.executable;
            let limit = executable.waiting_workgroups();
            if limit > 0 {
                let invocations = program.workgroup_invocations();
                return Ok(whole(executable, Drains::Alone(Persistent { queue, limit, invocations })));
            }
        }
        let start = Instant::now();
        let on_host = has_threads && profile.host_memory;
        if on_host && self.backend.target().is_some() {
            let (stage, queue) = threads(written).map_err(invalid)?;
            self.times.optimize_ns += elapsed(start);
            return Ok(whole(self.pipeline(&stage)?.executable, Drains::OnHost(queue)));
        }
        let (plan, queue) = queue(written).map_err(invalid)?;
        self.times.optimize_ns += elapsed(start);
        if on_host {
            // An oracle gets the program as it was written.
            return Ok(whole(self.pipeline(&plan.stages[0])?.executable, Drains::OnHost(queue)));
        }
        Ok(Form { whole: None, stages: Some(self.stages(plan, written.workgroup_invocations())?) })
    }

    fn check_limits(&self, program: &Program) -> Result<(), BackendError> {
        let plan = BindingPlan::build(program)?;
        check_limits(self.backend.id(), self.backend.profile(), program, &plan)
    }

    fn stages(&mut self, plan: Staged, invocations: u64) -> Result<Arc<StagesCode>, BackendError> {
        if let Some(first) = plan.stages.first() {
            self.check_limits(first)?;
        }
        let options = CompileOptions { gated: plan.control.is_some(), ..self.options.clone() };
        let stages = plan.stages.iter().map(|stage| Ok(self.pipeline_with(stage, &options)?.executable));
        let stages = stages.collect::<Result<_, BackendError>>()?;
        let control = plan.control.as_ref().map(|control| Ok(self.pipeline(&control.program)?.executable));
        let control = control.transpose().map_err(|error: BackendError| error)?;
        Ok(Arc::new(StagesCode { plan, stages, control, invocations, spare: Mutex::default() }))
    }

    fn unsupported(&self, what: Diagnostic) -> BackendError {
        BackendError::Unsupported { backend: self.backend.id(), what: Box::new(what) }
    }
}

impl Form {
    fn whole(executable: Arc<dyn Executable>, limit: u64) -> Form {
        Form { whole: Some(Whole { executable, limit, drains: None }), stages: None }
    }

    /// What runs a grid of so many workgroups.
    ///
    /// # Errors
    /// [`BackendError::CooperativeLaunchTooLarge`] when there are no stages for it.
    pub fn runs(&self, workgroups: [u32; 3]) -> Result<Runs, BackendError> {
        let count = workgroups.iter().fold(1u64, |n, &axis| n.saturating_mul(axis.into()));
        match (&self.whole, &self.stages) {
            (Some(Whole { executable, drains: Some(drains), .. }), _) => Ok(match drains {
                Drains::OnHost(queue) => Runs::Drain(executable.clone(), *queue),
                Drains::Alone(program) => Runs::Persistent(executable.clone(), *program),
            }),
            (Some(whole), _) if count <= whole.limit => Ok(Runs::Whole(whole.executable.clone())),
            (_, Some(stages)) => Ok(Runs::Stages(stages.clone())),
            (Some(Whole { limit, .. }), None) => {
                Err(BackendError::CooperativeLaunchTooLarge { workgroups: count, limit: *limit })
            }
            (None, None) => Err(BackendError::Internal { what: "a program without code".into() }),
        }
    }

    /// The program's stages, if it has any.
    pub fn stages(&self) -> Option<&Staged> {
        self.stages.as_ref().map(|stages| &stages.plan)
    }

    /// What about its parts is not as good as it should be.
    pub fn notice(&self) -> Option<String> {
        let stages = self.stages.iter().flat_map(|code| code.stages.iter().chain(&code.control));
        let mut all = self.whole.iter().map(|whole| &whole.executable).chain(stages);
        all.find_map(|executable| executable.notice())
    }
}

impl Persistent {
    /// Workgroups for windows of up to so many items.
    pub fn workgroups(&self, items: u64) -> [u32; 3] {
        workgroups_for(items, self.invocations, self.limit)
    }
}

/// Workgroups of so many invocations for so many items, but no more than a limit.
fn workgroups_for(items: u64, invocations: u64, limit: u64) -> [u32; 3] {
    let workgroups = items.div_ceil(invocations).clamp(1, limit);
    [u32::try_from(workgroups).unwrap_or(u32::MAX), 1, 1]
}

impl StagesCode {
    /// Workgroups for windows of up to so many items of a queue.
    pub fn workgroups(&self, items: u64) -> [u32; 3] {
        workgroups_for(items, self.invocations, u64::MAX)
    }

    /// Memory that the stages need beside the program's, for a grid.
    ///
    /// # Errors
    /// `D035` for more than the device has in one buffer; out of memory.
    pub fn scratch(
        &self,
        backend: &dyn VyreBackend,
        workgroups: [u32; 3],
    ) -> Result<ScratchMemory, BackendError> {
        // Places in it are counted in words of 32 bits.
        let limit = backend.profile().limits.storage_binding_bytes.min(4 << 32);
        let sizes = self.plan.scratch.iter().map(|scratch| match self.size(scratch, workgroups) {
            Some(bytes) if bytes <= limit => Ok(bytes),
            bytes => Err(too_much(backend.id(), scratch, self.invocations, bytes, limit)),
        });
        let sizes = sizes.collect::<Result<Vec<u64>, _>>()?;
        let spare = std::mem::take(&mut *lock(&self.spare));
        if spare.len() == sizes.len()
            && spare.iter().zip(&sizes).all(|(memory, size)| memory.bytes() == *size)
        {
            return Ok(spare);
        }
        drop(spare);
        let what = "what a program keeps from stage to stage";
        let placement = Placement::default();
        sizes
            .into_iter()
            .map(|bytes| allocate_checked(backend, &MemoryRequest { bytes, placement, what }))
            .collect()
    }

    fn size(&self, scratch: &Scratch, workgroups: [u32; 3]) -> Option<u64> {
        scratch.size(workgroups, self.invocations)
    }

    /// Keeps scratch memory for the next run.
    pub fn keep(&self, memory: ScratchMemory) {
        *lock(&self.spare) = memory;
    }
}

fn too_much(
    backend: &'static str,
    scratch: &Scratch,
    invocations: u64,
    bytes: Option<u64>,
    limit: u64,
) -> BackendError {
    let each = scratch.per_invocation.saturating_mul(invocations).saturating_add(scratch.per_workgroup);
    let all = bytes.map_or("more than 2^64".into(), |bytes| bytes.to_string());
    let message = format!(
        "the program keeps {each} bytes for each workgroup from stage to stage, {all} for this grid; the device takes \
         {limit} in one buffer"
    );
    let fix = "Use a smaller grid whose invocations do more, or keep less across grid syncs.";
    BackendError::Unsupported { backend, what: Box::new(Diagnostic::new(codes::D035, message).fix(fix)) }
}
