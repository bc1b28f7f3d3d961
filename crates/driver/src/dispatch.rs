//! Running a compiled program, in every form, over one function.
//!
//! A device that works in the host's memory runs on the caller's bytes; for any other one they are copied to memory of
//! the device and back, in the same submission. Dispatching with outputs that are reused allocates nothing on the former.

use crate::backend::{Cancel, Command, CompileOptions, Launch, LaunchMemory, Submitted};
use crate::binding::{Binding, BindingRole, bind_error};
use crate::codes;
use crate::compiled::{Compiled, elapsed};
use crate::device::Opened;
use crate::error::BackendError;
use crate::grid::Grid;
use crate::memory::AlignedBytes;
use crate::placement::Placement;
use crate::resident::Resident;
use crate::spans;
use crate::submission::{Slot, Slots, Step, perform};
use smallvec::{SmallVec, smallvec};
use std::sync::Arc;
use std::time::{Duration, Instant};
use vyre_ir::{Diagnostic, Type};

/// How to compile and run a program.
#[derive(Clone, PartialEq, Debug)]
pub struct DispatchConfig {
    /// How many workgroups.
    pub grid: Grid,
    /// Stop the run after this long.
    pub timeout: Option<Duration>,
    /// Allow floating-point results that differ in rounding. Takes effect when compiling.
    pub fast_math: bool,
    /// Stop with the first access out of bounds instead of reading 0. Takes effect when compiling.
    pub checked: bool,
    /// Invocations of a workgroup along x, y, z, instead of the program's own. Takes effect when compiling.
    pub workgroup_size: Option<[u32; 3]>,
    /// A name for this dispatch in traces.
    pub label: Option<String>,
    /// How often the program runs, each time on what the run before left in its buffers; at least 1.
    pub iterations: u32,
}

impl Default for DispatchConfig {
    fn default() -> DispatchConfig {
        DispatchConfig {
            grid: Grid::Infer,
            timeout: None,
            fast_math: false,
            checked: false,
            workgroup_size: None,
            label: None,
            iterations: 1,
        }
    }
}

impl DispatchConfig {
    /// The part that changes the code that is made.
    pub fn compile_options(&self) -> CompileOptions {
        CompileOptions { checked: self.checked, fast_math: self.fast_math }
    }
}

/// How long a dispatch took, in nanoseconds. What was not measured is `None`.
#[derive(Copy, Clone, Default, PartialEq, Eq, Debug)]
pub struct Timing {
    /// From call to return.
    pub wall_ns: u64,
    /// Preparing memory and copying inputs, where that is apart from the run.
    pub upload_ns: Option<u64>,
    /// The run and nothing else, by the host's clock, where nothing needs to be copied to the device.
    pub run_ns: Option<u64>,
    /// The run, measured by the device.
    pub device_ns: Option<u64>,
    /// Handing the work over to the device.
    pub enqueue_ns: Option<u64>,
    /// Waiting for the device.
    pub wait_ns: Option<u64>,
}

impl Timing {
    /// The best there is for how long the run took: by the device, of the run alone, of the whole.
    pub fn best_ns(&self) -> u64 {
        self.device_ns.or(self.run_ns).unwrap_or(self.wall_ns)
    }
}

/// What a dispatch gives.
#[derive(Default)]
pub struct Outputs {
    /// The bytes of each output, in the order of [`BindingPlan::outputs`](crate::BindingPlan::outputs); none for one that
    /// stays on the device, unless the program declares it as live after the run.
    pub buffers: Vec<AlignedBytes>,
    /// The element type of each output.
    pub types: Vec<Type>,
    /// The workgroups that ran, along x, y, z.
    pub workgroups: [u32; 3],
    /// How long it took.
    pub timing: Timing,
}

/// What a buffer of the program is bound to.
#[derive(Clone)]
pub enum Resource<'a> {
    /// Bytes of the caller, which are copied if the program may write them; the result is then among the outputs.
    Bytes(&'a [u8]),
    /// Zeroed memory for a buffer that is only written; the result is among the outputs.
    Fresh,
    /// Memory on the device; the result stays there, and is among the outputs too if the program declares the buffer as
    /// live after the run.
    Resident(&'a Resident),
}

/// Resources by place in the plan; none for what the caller does not give.
pub(crate) type Bound<'a> = SmallVec<[Option<Resource<'a>>; 16]>;

/// The number of elements of each buffer, by place in the plan.
pub(crate) type Counts = SmallVec<[u64; 16]>;

impl Compiled {
    /// Runs the program: one input for each of [`BindingPlan::inputs`](crate::BindingPlan::inputs), in that order. A
    /// buffer that is only written starts as zero; where it is sized at run time it has as many elements as the grid
    /// has threads.
    ///
    /// # Errors
    /// What [`BindingPlan::validate_borrowed_inputs`](crate::BindingPlan::validate_borrowed_inputs) and
    /// [`Grid::workgroups`] say, out of memory, timeout, device lost.
    pub fn dispatch(&self, inputs: &[&[u8]], config: &DispatchConfig) -> Result<Outputs, BackendError> {
        let mut outputs = Outputs::default();
        self.dispatch_into(inputs, config, &mut outputs)?;
        Ok(outputs)
    }

    /// As [`Compiled::dispatch`], with inputs that are the caller's vectors.
    ///
    /// # Errors
    /// As [`Compiled::dispatch`].
    pub fn dispatch_owned(
        &self,
        inputs: &[Vec<u8>],
        config: &DispatchConfig,
    ) -> Result<Outputs, BackendError> {
        let inputs: SmallVec<[&[u8]; 16]> = inputs.iter().map(Vec::as_slice).collect();
        self.dispatch(&inputs, config)
    }

    /// As [`Compiled::dispatch`], into outputs whose memory is used again. From the second time on, with inputs of
    /// the same size, nothing is allocated on a device that works in the host's memory. After an error the outputs
    /// hold nothing of use.
    ///
    /// # Errors
    /// As [`Compiled::dispatch`].
    pub fn dispatch_into(
        &self,
        inputs: &[&[u8]],
        config: &DispatchConfig,
        outputs: &mut Outputs,
    ) -> Result<(), BackendError> {
        self.dispatch_cancellable(inputs, config, outputs, &Cancel::default())
    }

    pub(crate) fn dispatch_cancellable(
        &self,
        inputs: &[&[u8]],
        config: &DispatchConfig,
        outputs: &mut Outputs,
        cancel: &Cancel,
    ) -> Result<(), BackendError> {
        let plan = &self.kernel.plan;
        let mut counts: Counts = smallvec![0; plan.bindings.len()];
        plan.element_counts(inputs, &mut counts)?;
        let resource = |b: &Binding| match (b.input_index, b.output_index) {
            (Some(input), _) => Some(Resource::Bytes(inputs[input])),
            (None, Some(_)) if b.is_callers() => Some(Resource::Fresh),
            _ => None,
        };
        let resources: Bound<'_> = plan.bindings.iter().map(resource).collect();
        self.run(&resources, &mut counts, config, outputs, cancel)
    }

    /// Runs the program on resources: one for each buffer of [`BindingPlan::bound`](crate::BindingPlan::bound), in that order.
    ///
    /// # Errors
    /// `B003` for another number of resources, `D028` for a resident buffer of another size than the program's,
    /// `D029` for one that is written and bound twice; as [`Compiled::dispatch`].
    pub fn dispatch_resources(
        &self,
        resources: &[Resource<'_>],
        config: &DispatchConfig,
    ) -> Result<Outputs, BackendError> {
        let mut outputs = Outputs::default();
        let (all, mut counts) = self.bind(resources)?;
        self.run(&all, &mut counts, config, &mut outputs, &Cancel::default())?;
        Ok(outputs)
    }

    /// The resources by place in the plan, and how many elements each has.
    pub(crate) fn bind<'a>(&self, resources: &[Resource<'a>]) -> Result<(Bound<'a>, Counts), BackendError> {
        let plan = &self.kernel.plan;
        let expected = plan.bound().count();
        if expected != resources.len() {
            let message = format!(
                "the program has {expected} buffers to bind, {} resources were given",
                resources.len()
            );
            let names: Vec<&str> = plan.bound().map(|b| b.name.as_str()).collect();
            let fix = format!("Give one for each of: {}.", names.join(", "));
            return Err(bind_error(codes::B003, message, fix));
        }
        let mut given = resources.iter();
        let (mut all, mut counts) = (Bound::new(), Counts::new());
        for b in &plan.bindings {
            if !b.is_callers() {
                all.push(None);
                counts.push(b.element_count);
                continue;
            }
            let resource = given.next().expect("they were counted").clone();
            let mut count = b.element_count;
            match &resource {
                Resource::Bytes(bytes) if b.input_index.is_some() => {
                    b.check_input(bytes.len() as u64)?;
                    count = bytes.len() as u64 / b.element_size as u64;
                }
                Resource::Bytes(_) => {
                    let message = format!("bytes are given for buffer `{}`, which is only written", b.name);
                    return Err(bind_error(codes::D028, message, "Give `Resource::Fresh`."));
                }
                Resource::Fresh if b.input_index.is_some() => {
                    let message = format!("nothing is given for buffer `{}`, which is read", b.name);
                    return Err(bind_error(codes::D028, message, "Give bytes or a resident buffer."));
                }
                Resource::Fresh => {}
                Resource::Resident(resident) => {
                    resident.check_device(&self.device)?;
                    count = check_resident(b, resident)?;
                }
            }
            all.push(Some(resource));
            counts.push(count);
        }
        check_aliases(self, &all)?;
        Ok((all, counts))
    }

    /// The grid of a dispatch, and the number of elements of each output that is sized by it.
    pub(crate) fn grid(
        &self,
        counts: &mut [u64],
        fresh: &dyn Fn(usize) -> bool,
        config: &DispatchConfig,
    ) -> Result<[u32; 3], BackendError> {
        let kernel = &*self.kernel;
        self.check_config(config)?;
        let extent = kernel.plan.extent_of(counts);
        let workgroups = config.grid.resolve(kernel.program.workgroup_size, extent)?;
        let limit = self.device.profile().limits.workgroups_per_dimension;
        if let Some(axis) = workgroups.iter().position(|&n| n > limit) {
            let message = format!(
                "the grid has {} workgroups along {}; the device takes {limit}",
                workgroups[axis],
                ["x", "y", "z"][axis]
            );
            let what = Diagnostic::new(codes::D024, message).fix("Use a smaller grid, or more of its axes.");
            return Err(BackendError::Unsupported { backend: self.device.id(), what: Box::new(what) });
        }
        let threads = config.grid.thread_count(kernel.program.workgroup_size, extent);
        for (place, b) in kernel.plan.bindings.iter().enumerate() {
            if b.role == BindingRole::Output && b.static_byte_len.is_none() && fresh(place) {
                counts[place] = threads.ok_or_else(|| BackendError::OutOfMemory {
                    requested: u64::MAX,
                    available: None,
                    what: format!("buffer `{}`", b.name),
                })?;
            }
            let bytes = counts[place].saturating_mul(b.element_size as u64);
            let limit = self.device.profile().limits.storage_binding_bytes;
            if b.is_bound() && bytes > limit {
                let message = format!("buffer `{}` has {bytes} bytes; the device takes {limit}", b.name);
                let what = Diagnostic::new(codes::D025, message).fix("Use a smaller buffer, or several.");
                return Err(BackendError::Unsupported { backend: self.device.id(), what: Box::new(what) });
            }
        }
        Ok(workgroups)
    }

    /// That the dispatch asks for nothing that had to be asked for when compiling.
    fn check_config(&self, config: &DispatchConfig) -> Result<(), BackendError> {
        let kernel = &*self.kernel;
        let problem = if config.iterations == 0 {
            "0 iterations"
        } else if config.checked && !kernel.options.checked {
            "checked mode, but the program was compiled without it"
        } else if config.fast_math && !kernel.options.fast_math {
            "fast math, but the program was compiled without it"
        } else if config.workgroup_size.is_some_and(|size| size != kernel.program.workgroup_size) {
            "another workgroup size than the program was compiled for"
        } else {
            return Ok(());
        };
        let message = format!("the dispatch asks for {problem}");
        Err(bind_error(codes::D027, message, "Compile the program with the same configuration."))
    }

    /// Runs the program on resources, by place in the plan.
    fn run(
        &self,
        resources: &[Option<Resource<'_>>],
        counts: &mut [u64],
        config: &DispatchConfig,
        outputs: &mut Outputs,
        cancel: &Cancel,
    ) -> Result<(), BackendError> {
        let start = Instant::now();
        let fresh = |place: usize| matches!(resources[place], Some(Resource::Fresh));
        let workgroups = self.grid(counts, &fresh, config)?;
        let _dispatch = spans::dispatch(self, workgroups, config).entered();
        outputs.prepare(self, workgroups);
        let in_host = self.device.profile().host_memory;
        let upload = in_host.then(|| spans::inputs(resources).entered());
        let slots = self.slots(resources, counts, &mut outputs.buffers)?;
        drop(upload);
        self.device.inner.metrics.dispatches.add(1);
        let upload_ns = elapsed(start);
        let before = Instant::now();
        let backend = self.device.inner.opened()?;
        let submitted = self.submit(&backend, slots, workgroups, config, cancel)?;
        outputs.timing = Timing {
            wall_ns: elapsed(start),
            upload_ns: in_host.then_some(upload_ns),
            run_ns: in_host.then(|| elapsed(before)),
            device_ns: submitted.device_ns,
            enqueue_ns: submitted.enqueue_ns,
            wait_ns: submitted.wait_ns,
        };
        Ok(())
    }

    /// What each buffer is bound to; outputs get their size, and what the program is to find there.
    fn slots<'a>(
        &'a self,
        resources: &[Option<Resource<'a>>],
        counts: &[u64],
        outputs: &'a mut [AlignedBytes],
    ) -> Result<Slots<'a>, BackendError> {
        let kernel = &*self.kernel;
        let in_host = self.device.profile().host_memory;
        let mut slots = Slots::new();
        let mut persistent = kernel.persistent.iter();
        let mut outputs = outputs.iter_mut();
        for ((b, resource), &count) in kernel.plan.bindings.iter().zip(resources).zip(counts) {
            let mut output = if b.output_index.is_some() { outputs.next() } else { None };
            let bytes = count.saturating_mul(b.element_size as u64);
            let given = match resource {
                Some(Resource::Resident(resident)) => {
                    slots.push(Slot::Resident { resident, after: self.read_back(b, bytes, output)? });
                    continue;
                }
                None if b.role == BindingRole::Persistent => {
                    let (_, resident) = persistent.next().expect("each persistent buffer has memory");
                    slots.push(Slot::Resident { resident, after: self.read_back(b, bytes, output)? });
                    continue;
                }
                None => {
                    slots.push(Slot::Unbound);
                    continue;
                }
                Some(Resource::Bytes(given)) => Some(*given),
                Some(Resource::Fresh) => None,
            };
            if let Some(output) = &mut output {
                self.resize(b, bytes, output)?;
            }
            slots.push(match (given, output) {
                (before, after) if !in_host => {
                    let after = after.map(|output| &mut **output);
                    Slot::Staged { bytes, placement: self.placement(b), before, after }
                }
                (Some(given), None) => Slot::Read(given),
                (Some(given), Some(output)) => {
                    output.copy_from_slice(given);
                    Slot::Write(output)
                }
                (None, Some(output)) => {
                    output.fill(0);
                    Slot::Write(output)
                }
                (None, None) => Slot::Unbound,
            });
        }
        Ok(slots)
    }

    /// Where the output of a buffer on the device goes: to the host if the program says that it is live after the run.
    fn read_back<'a>(
        &self,
        b: &Binding,
        bytes: u64,
        output: Option<&'a mut AlignedBytes>,
    ) -> Result<Option<&'a mut [u8]>, BackendError> {
        let Some(output) = output else { return Ok(None) };
        if !self.kernel.decl(b).live_out {
            output.clear();
            return Ok(None);
        }
        self.resize(b, bytes, output)?;
        Ok(Some(output))
    }

    fn resize(&self, b: &Binding, bytes: u64, output: &mut AlignedBytes) -> Result<(), BackendError> {
        let placement = self.placement(b);
        // The text is an allocation.
        let what =
            if output.has_room(bytes, placement) { String::new() } else { format!("buffer `{}`", b.name) };
        output.resize(bytes, placement, &what)
    }

    /// How the memory of a binding is best placed.
    pub(crate) fn placement(&self, b: &Binding) -> Placement {
        Placement::of(b, self.kernel.decl(b))
    }

    /// Hands a run to the backend.
    fn submit<'a>(
        &'a self,
        backend: &Opened<'_>,
        mut slots: Slots<'a>,
        workgroups: [u32; 3],
        config: &DispatchConfig,
        cancel: &Cancel,
    ) -> Result<Submitted, BackendError> {
        let _launch = spans::launch(workgroups, config).entered();
        let kernel = &*self.kernel;
        let in_host = |slot: &Slot<'_>| matches!(slot, Slot::Unbound | Slot::Read(_) | Slot::Write(_));
        if config.iterations == 1 && slots.iter().all(in_host) {
            // What most dispatches on a processor are; nothing is allocated.
            let executable = kernel.executable(backend);
            let mut memory: SmallVec<[LaunchMemory<'_>; 8]> = SmallVec::new();
            memory.resize_with(kernel.program.buffers.len(), || LaunchMemory::Unbound);
            for (slot, b) in slots.iter_mut().zip(&kernel.plan.bindings) {
                memory[b.buffer_index] = match slot {
                    Slot::Read(bytes) => LaunchMemory::Read(bytes),
                    Slot::Write(bytes) => LaunchMemory::Write(bytes),
                    _ => LaunchMemory::Unbound,
                };
            }
            let mut launch = [Command::Launch(Launch { executable: &*executable, workgroups, memory })];
            return self.device.inner.submit(backend, &mut launch, config.timeout, cancel);
        }
        let launch = Step::Launch { compiled: self, slots: slots.into_vec(), workgroups };
        let mut steps = match config.iterations {
            1 => [launch],
            times => [Step::Repeat { times, steps: vec![launch] }],
        };
        perform(&self.device, backend, &mut steps, &mut [], config.timeout, cancel)
    }
}

impl Outputs {
    /// One memory for each output of a program.
    fn prepare(&mut self, compiled: &Compiled, workgroups: [u32; 3]) {
        let kernel = &*compiled.kernel;
        self.workgroups = workgroups;
        self.buffers.resize_with(kernel.plan.outputs().count(), AlignedBytes::default);
        self.types.clear();
        self.types.extend(kernel.plan.outputs().map(|b| kernel.decl(b).element));
    }
}

/// That a resident buffer is what the program's buffer needs; its number of elements.
fn check_resident(b: &Binding, resident: &Resident) -> Result<u64, BackendError> {
    let (bytes, size) = (resident.bytes(), b.element_size as u64);
    let wants = match b.static_byte_len {
        Some(wanted) if wanted != bytes => format!("{wanted} bytes"),
        None if !bytes.is_multiple_of(size) || bytes == 0 => format!("elements of {size} bytes"),
        _ => return Ok(bytes / size),
    };
    let message = format!(
        "resident buffer `{}` has {bytes} bytes; buffer `{}` of the program has {wants}",
        resident.name(),
        b.name
    );
    Err(bind_error(codes::D028, message, "Allocate a buffer of that size."))
}

/// That no resident buffer is bound twice if the program writes it.
fn check_aliases(compiled: &Compiled, resources: &[Option<Resource<'_>>]) -> Result<(), BackendError> {
    let kernel = &*compiled.kernel;
    let resident = |place: usize| match &resources[place] {
        Some(Resource::Resident(resident)) => Some(Arc::as_ptr(&resident.inner)),
        Some(_) => None,
        None => compiled.own_memory(place).map(|resident| Arc::as_ptr(&resident.inner)),
    };
    let bindings = &kernel.plan.bindings;
    for (i, a) in bindings.iter().enumerate() {
        for (j, b) in bindings.iter().enumerate().skip(i + 1) {
            if resident(i).is_some() && resident(i) == resident(j) && (a.is_written() || b.is_written()) {
                let message = format!(
                    "buffers `{}` and `{}` are bound to one resident buffer, which the program writes",
                    a.name, b.name
                );
                return Err(bind_error(codes::D029, message, "Bind each to memory of its own."));
            }
        }
    }
    Ok(())
}
