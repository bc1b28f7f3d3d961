//! Running a compiled program, in every form, over one function.
//!
//! A device that works in the host's memory runs on the caller's bytes; for any other one they are copied to memory of
//! the device and back, in the same submission. Dispatching with outputs that are reused allocates nothing on the former.

use crate::backend::{Cancel, Command, Launch, LaunchMemory, Submitted};
use crate::binding::Binding;
use crate::compiled::{Compiled, elapsed};
use crate::config::DispatchConfig;
use crate::device::Opened;
use crate::error::BackendError;
use crate::form::Runs;
use crate::memory::AlignedBytes;
use crate::outputs::{Outputs, Timing};
use crate::placement::Placement;
use crate::resource::{Bound, Counts, Resource};
use crate::spans;
use crate::submission::{LaunchStep, Slot, Slots, Step, perform};
use smallvec::{SmallVec, smallvec};
use std::time::Instant;

impl Compiled {
    /// Runs the program: one input for each of [`BindingPlan::inputs`](crate::BindingPlan::inputs), in that order. A
    /// buffer that is only written starts as zero; where it is sized at run time it has as many elements as the grid
    /// has threads.
    ///
    /// # Errors
    /// What [`BindingPlan::validate_borrowed_inputs`](crate::BindingPlan::validate_borrowed_inputs) and
    /// [`Grid::workgroups`](crate::Grid::workgroups) say, out of memory, timeout, device lost.
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
    pub(crate) fn slots<'a>(
        &'a self,
        resources: &[Option<Resource<'a>>],
        counts: &[u64],
        outputs: &'a mut [AlignedBytes],
    ) -> Result<Slots<'a>, BackendError> {
        let kernel = &*self.kernel;
        let in_host = self.device.profile().host_memory;
        let mut slots = Slots::new();
        let mut outputs = outputs.iter_mut();
        for (place, (b, resource)) in kernel.plan.bindings.iter().zip(resources).enumerate() {
            let mut output = if b.output_index.is_some() { outputs.next() } else { None };
            let bytes = counts[place].saturating_mul(b.element_size as u64);
            let resident = match resource {
                Some(Resource::Resident(resident)) => Some(*resident),
                Some(_) => None,
                None => self.own_memory(place),
            };
            if let Some(resident) = resident {
                slots.push(Slot::Resident { resident, after: self.read_back(b, bytes, output)? });
                continue;
            }
            let given = match resource {
                Some(Resource::Bytes(given)) => Some(*given),
                Some(_) => None,
                None => {
                    slots.push(Slot::Unbound);
                    continue;
                }
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
        let runs = kernel.runs(backend, workgroups)?;
        if let Runs::Whole(executable) = &runs
            && config.iterations == 1
            && slots.iter().all(in_host)
        {
            // What most dispatches on a processor are; nothing is allocated.
            let mut memory: SmallVec<[LaunchMemory<'_>; 8]> = SmallVec::new();
            memory.resize_with(kernel.program.buffers.len(), || LaunchMemory::Unbound);
            for (slot, b) in slots.iter_mut().zip(&kernel.plan.bindings) {
                memory[b.buffer_index] = match slot {
                    Slot::Read(bytes) => LaunchMemory::Read(bytes),
                    Slot::Write(bytes) => LaunchMemory::Write(bytes),
                    _ => LaunchMemory::Unbound,
                };
            }
            let timed = config.timed;
            let launch = Launch { executable: &**executable, workgroups, memory, timed };
            let mut launch = [Command::Launch(launch)];
            return self.device.inner.submit(backend, &mut launch, config.timeout, cancel);
        }
        let timed = config.timed;
        let slots = slots.into_vec();
        let launch = Step::Launch(LaunchStep { compiled: self, slots, workgroups, timed, queue: None });
        let mut steps = match config.iterations {
            1 => [launch],
            times => [Step::Repeat { times, steps: vec![launch] }],
        };
        perform(&self.device, backend, &mut steps, &mut [], config.timeout, cancel)
    }
}
