//! Compiling and running, written once over every backend.
//!
//! Invariant: nothing here knows a concrete backend, and no other path leads to [`Executable::launch`].

use crate::backend::{Cancel, CompileOptions, Executable, Launch, LaunchMemory, VyreBackend};
use crate::binding::{Binding, BindingPlan, BindingRole};
use crate::codes;
use crate::error::BackendError;
use crate::grid::Grid;
use crate::memory::AlignedBytes;
use crate::placement::Placement;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};
use vyre_ir::dialect::DialectRegistry;
use vyre_ir::{BufferDecl, Diagnostic, Program};

/// How to run a program.
#[derive(Clone, Default, Debug)]
pub struct DispatchConfig {
    /// How many workgroups.
    pub grid: Grid,
    /// Stop the run after this long.
    pub timeout: Option<Duration>,
}

/// How long the parts of a dispatch took, in nanoseconds of wall time.
#[derive(Copy, Clone, Default, PartialEq, Eq, Debug)]
pub struct Timing {
    /// Allocating memory and copying inputs.
    pub upload_ns: u64,
    /// The run itself.
    pub run_ns: u64,
    /// Copying outputs.
    pub readback_ns: u64,
}

/// What a dispatch gives.
pub struct Outputs {
    /// The bytes of each output, in the order of [`BindingPlan::outputs`].
    pub buffers: Vec<AlignedBytes>,
    /// The workgroups that ran, along x, y, z.
    pub workgroups: [u32; 3],
    /// How long it took.
    pub timing: Timing,
}

impl Outputs {
    /// An output as numbers of type `T`.
    ///
    /// # Errors
    /// `B008` when there is no such output or its size is no multiple of `T`'s.
    pub fn get<T: bytemuck::AnyBitPattern>(&self, output: usize) -> Result<Vec<T>, BackendError> {
        let none = || format!("there is no output {output}; the program has {}", self.buffers.len());
        let bytes = self
            .buffers
            .get(output)
            .ok_or_else(|| crate::binding::bind_error(codes::B008, none(), "Count outputs from 0."))?;
        let size = size_of::<T>();
        if size == 0 || !bytes.len().is_multiple_of(size) {
            let message =
                format!("output {output} has {} bytes, which is not a multiple of {size}", bytes.len());
            return Err(crate::binding::bind_error(
                codes::B008,
                message,
                "Read it as the program's own type.",
            ));
        }
        Ok(bytes.chunks_exact(size).map(bytemuck::pod_read_unaligned).collect())
    }
}

/// A program compiled for a backend.
pub struct Compiled {
    program: Arc<Program>,
    executable: Arc<dyn Executable>,
    /// Nanoseconds it took to optimize and legalize the program.
    pub optimize_ns: u64,
    /// Nanoseconds the backend took to make code.
    pub codegen_ns: u64,
}

impl Compiled {
    /// Verifies a program, makes it legal for the backend, and compiles it.
    ///
    /// # Errors
    /// [`BackendError::InvalidProgram`] with all that the verifier found, [`BackendError::Unsupported`] for what the
    /// device cannot do, [`BackendError::CompileFailed`].
    pub fn new(
        backend: &dyn VyreBackend,
        program: &Program,
        options: &CompileOptions,
    ) -> Result<Compiled, BackendError> {
        let invalid = |errors| BackendError::InvalidProgram { errors };
        let program = &vyre_ir::dialect::link(program, &DialectRegistry::global()).map_err(invalid)?;
        vyre_ir::verify::verify(program).map_err(invalid)?;
        BindingPlan::build(program)?;
        check_limits(backend, program)?;
        let start = Instant::now();
        let legal = match backend.target() {
            Some(target) => vyre_opt::optimize(program, &target),
            None => program.clone(),
        };
        let program = Arc::new(legal);
        let optimize_ns = elapsed(start);
        let start = Instant::now();
        let executable = backend.compile(&program, options)?;
        Ok(Compiled { program, executable, optimize_ns, codegen_ns: elapsed(start) })
    }

    /// The legal program that runs.
    pub fn program(&self) -> &Program {
        &self.program
    }

    /// Runs the program: one input for each of [`BindingPlan::inputs`], in that order. A buffer that is only written
    /// starts as zero; where it is sized at run time it has as many elements as the grid has threads.
    ///
    /// # Errors
    /// What [`BindingPlan::validate_borrowed_inputs`] and [`Grid::workgroups`] say, out of memory, timeout.
    pub fn dispatch(&self, inputs: &[&[u8]], config: &DispatchConfig) -> Result<Outputs, BackendError> {
        let start = Instant::now();
        let mut plan = BindingPlan::from_borrowed_inputs(&self.program, inputs)?;
        let workgroups = config.grid.workgroups(&self.program, &plan)?;
        let threads = config.grid.threads(&self.program, &plan);
        for b in &mut plan.bindings {
            if b.role == BindingRole::Output && b.static_byte_len.is_none() {
                b.element_count = threads.ok_or_else(|| BackendError::OutOfMemory {
                    requested: u64::MAX,
                    available: None,
                    what: format!("buffer `{}`", b.name),
                })?;
            }
        }
        let mut written = Written::allocate(&self.program, &plan, inputs)?;
        let upload_ns = elapsed(start);

        let start = Instant::now();
        let cancel = Cancel::default();
        let mut launch = Launch {
            workgroups,
            memory: written.memory(&plan, inputs, self.program.buffers.len()),
            cancel: &cancel,
        };
        let result = with_timeout(config.timeout, &cancel, || self.executable.launch(&mut launch));
        drop(launch);
        if cancel.requested() {
            let seconds = config.timeout.unwrap_or_default().as_secs_f64();
            return Err(BackendError::Timeout { seconds });
        }
        result?;
        let run_ns = elapsed(start);

        let start = Instant::now();
        let buffers = written.into_outputs();
        let timing = Timing { upload_ns, run_ns, readback_ns: elapsed(start) };
        Ok(Outputs { buffers, workgroups, timing })
    }
}

/// Memory of the buffers that the program may write, by place in the plan.
struct Written(Vec<Option<AlignedBytes>>);

impl Written {
    fn allocate(program: &Program, plan: &BindingPlan, inputs: &[&[u8]]) -> Result<Written, BackendError> {
        let decls: Vec<&BufferDecl> = program.buffers.values().collect();
        let memory = |b: &Binding| -> Result<Option<AlignedBytes>, BackendError> {
            if b.output_index.is_none() {
                return Ok(None);
            }
            let what = format!("buffer `{}`", b.name);
            let mut bytes =
                AlignedBytes::placed(b.byte_len(), Placement::of(b, decls[b.buffer_index]), &what)?;
            if let Some(i) = b.input_index {
                bytes.copy_from_slice(inputs[i]);
            }
            Ok(Some(bytes))
        };
        plan.bindings.iter().map(memory).collect::<Result<_, _>>().map(Written)
    }

    fn memory<'a>(
        &'a mut self,
        plan: &BindingPlan,
        inputs: &[&'a [u8]],
        buffers: usize,
    ) -> Vec<LaunchMemory<'a>> {
        let mut memory: Vec<LaunchMemory<'a>> = (0..buffers).map(|_| LaunchMemory::Unbound).collect();
        for (b, written) in plan.bindings.iter().zip(&mut self.0) {
            memory[b.buffer_index] = match (written, b.input_index) {
                (Some(bytes), _) => LaunchMemory::Write(bytes),
                (None, Some(i)) => LaunchMemory::Read(inputs[i]),
                (None, None) => LaunchMemory::Unbound,
            };
        }
        memory
    }

    fn into_outputs(self) -> Vec<AlignedBytes> {
        self.0.into_iter().flatten().collect()
    }
}

/// What the device's limits say about a program, before anything is compiled.
fn check_limits(backend: &dyn VyreBackend, program: &Program) -> Result<(), BackendError> {
    let limits = backend.profile().limits;
    let unsupported =
        |what: Diagnostic| BackendError::Unsupported { backend: backend.id(), what: Box::new(what) };
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
    if let Some(b) = program.buffers.values().find(|b| b.memory == vyre_ir::Memory::Persistent) {
        let message = format!("buffer `{}` is in persistent memory, which no backend has", b.name);
        return Err(unsupported(Diagnostic::new(codes::D022, message).fix("Declare it as storage.")));
    }
    Ok(())
}

/// Runs `work`; when it takes longer than `timeout`, requests `cancel` and waits for it to notice.
pub fn with_timeout<T>(timeout: Option<Duration>, cancel: &Cancel, work: impl FnOnce() -> T) -> T {
    let Some(timeout) = timeout else { return work() };
    let (done, changed) = (Mutex::new(false), Condvar::new());
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let guard = done.lock().unwrap_or_else(PoisonError::into_inner);
            let (guard, wait) = changed
                .wait_timeout_while(guard, timeout, |done| !*done)
                .unwrap_or_else(PoisonError::into_inner);
            if wait.timed_out() && !*guard {
                cancel.request();
            }
        });
        // Set also when `work` unwinds, so that the watcher always ends.
        struct Finish<'a>(&'a Mutex<bool>, &'a Condvar);
        impl Drop for Finish<'_> {
            fn drop(&mut self) {
                *self.0.lock().unwrap_or_else(PoisonError::into_inner) = true;
                self.1.notify_all();
            }
        }
        let _finish = Finish(&done, &changed);
        work()
    })
}

fn elapsed(start: Instant) -> u64 {
    start.elapsed().as_nanos() as u64
}
