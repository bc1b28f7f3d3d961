//! Work queues on the device: a program handles one item an invocation and may push others, until none are left.
//!
//! The plan says how much memory that takes ([`crate::plan_device_work_queue_backpressure`]), [`vyre_opt::queue`] what runs. The host hands over
//! one submission and waits once. A device with threads of its own drains the queue as it sees fit; for any other
//! one the submission holds window after window, each sized on the device by the one before. Only if the submission held too
//! few windows does another go on, which [`WorkQueueRun::host_syncs`] tells.
//!
//! Nothing is lost unnoticed: what was done and what is left is as much as was pushed, or the run is an error. An item
//! that finds no room is an error too, which says how much room there was; resident buffers are then as the items
//! that were handled left them.

use crate::backend::Cancel;
use crate::binding::bind_error;
use crate::codes;
use crate::compiled::{Compiled, elapsed};
use crate::config::DispatchConfig;
use crate::device::{Device, lock};
use crate::error::BackendError;
use crate::form::Purpose;
use crate::outputs::{Outputs, Timing};
use crate::queue::{
    DeviceWorkQueueBackpressurePlan, DeviceWorkQueueProfile, WorkQueueHostSync,
    plan_device_work_queue_backpressure,
};
use crate::resident::{Region, Resident, ResidentOptions, Upload};
use crate::resource::Resource;
use crate::submission::{LaunchStep, QueueMemory, Step, perform};
use std::sync::Mutex;
use std::time::Instant;
use vyre_ir::Program;
use vyre_opt::queue as words;
use vyre_opt::stages::NEXT;

/// How a work queue is drained.
#[derive(Copy, Clone, Default, PartialEq, Eq, Debug)]
pub struct WorkQueueOptions {
    /// How many items are handled at once at most; `None` for as many as there are.
    pub window: Option<u64>,
    /// How many items an item pushes at most, if that is known. No more items are then handled at once than there is
    /// room for what they push, so that none is ever lost.
    pub pushes_per_item: Option<u32>,
}

/// A program and the queue whose items it handles.
///
/// ```
/// # use vyre_driver::{Device, DispatchConfig, Resource, WorkQueue, WorkQueueOptions, typed};
/// # fn count(device: &Device, program: &vyre_ir::Program) -> Result<(), vyre_driver::BackendError> {
/// let profile = WorkQueue::profile(program, 1 << 16, 1 << 20)?;
/// let queue = WorkQueue::new(device, program, profile, WorkQueueOptions::default(), &DispatchConfig::default())?;
/// let sums = vec![0; 4096];
/// let run = queue.run(&1u32.to_le_bytes(), &[Resource::Bytes(&sums)], &DispatchConfig::default())?;
/// println!("{} items, {} at once, {} waits", run.processed, run.high_water, run.host_syncs);
/// # Ok(())
/// # }
/// ```
pub struct WorkQueue {
    compiled: Compiled,
    profile: DeviceWorkQueueProfile,
    plan: DeviceWorkQueueBackpressurePlan,
    options: WorkQueueOptions,
    /// Memory of the last run that is free again: state, counts, entries.
    spare: Mutex<Option<[Resident; 3]>>,
}

/// What a run of a work queue gives.
pub struct WorkQueueRun {
    /// The buffers that the program writes, as [`Compiled::dispatch_resources`] gives them.
    pub outputs: Outputs,
    /// Items handled: the initial ones and all that were pushed.
    pub processed: u64,
    /// The most items that were in the queue at a time, those being handled included. It depends on the device, and on
    /// its schedule.
    pub high_water: u64,
    /// How often the device took a window of items.
    pub windows: u32,
    /// How often the host waited for the device: 1, unless a submission held too few windows.
    pub host_syncs: u32,
}

impl WorkQueue {
    /// Bytes of the control block of every queue.
    pub const CONTROL_BYTES: u64 = 4 * (words::STATE_WORDS + words::COUNT_WORDS) as u64;

    /// The profile of a queue of so many entries for a program's items.
    ///
    /// # Errors
    /// As [`WorkQueue::new`] for the program.
    pub fn profile(
        program: &Program,
        queue_capacity: u64,
        budget_bytes: u64,
    ) -> Result<DeviceWorkQueueProfile, BackendError> {
        Ok(DeviceWorkQueueProfile {
            initial_items: 0,
            queue_capacity,
            entry_bytes: entry_bytes(program)?,
            control_bytes: WorkQueue::CONTROL_BYTES,
            budget_bytes,
            host_sync: WorkQueueHostSync::FinalOnly,
        })
    }

    /// Compiles a program that handles the items of a queue. How many items there are at the start is for each run to
    /// say.
    ///
    /// # Errors
    /// Those of [`plan_device_work_queue_backpressure`]; `D037` for a profile that is not for items of this program;
    /// `S101` to `S103` for a program that cannot handle items; as [`Device::compile`].
    pub fn new(
        device: &Device,
        program: &Program,
        profile: DeviceWorkQueueProfile,
        options: WorkQueueOptions,
        config: &DispatchConfig,
    ) -> Result<WorkQueue, BackendError> {
        let entry = entry_bytes(program)?;
        let plan = plan(program, profile, options.window, config)?;
        let mismatch = |what: String, fix: &str| Err(bind_error(codes::D037, what, fix));
        if profile.entry_bytes != entry {
            let what = format!(
                "entries of the work queue have {} bytes, items of the program {entry}",
                profile.entry_bytes
            );
            return mismatch(what, "Make the profile with `WorkQueue::profile`.");
        }
        if profile.control_bytes < WorkQueue::CONTROL_BYTES {
            let what = format!(
                "the work queue has {} bytes for its control block, which takes {}",
                profile.control_bytes,
                WorkQueue::CONTROL_BYTES
            );
            return mismatch(what, "Give `WorkQueue::CONTROL_BYTES`.");
        }
        // A place up to twice the capacity, in words, is counted in 32 bits.
        if plan.queue.queue_bytes / 4 > u32::MAX as u64 / 2 {
            let what = format!("the work queue has {} bytes of entries", plan.queue.queue_bytes);
            return mismatch(what, "Use at most 8 GiB.");
        }
        let limit = device.profile().limits.storage_binding_bytes;
        if plan.queue.queue_bytes > limit {
            let what = format!(
                "the work queue has {} bytes of entries; the device takes {limit} in one buffer",
                plan.queue.queue_bytes
            );
            return mismatch(what, "Use fewer entries.");
        }
        let compiled = device.compile_for(program, config, Purpose::Queue)?;
        Ok(WorkQueue { compiled, profile, plan, options, spare: Mutex::default() })
    }

    /// How much memory the queue takes and how it is drained.
    pub fn plan(&self) -> &DeviceWorkQueueBackpressurePlan {
        &self.plan
    }

    /// The compiled program.
    pub fn compiled(&self) -> &Compiled {
        &self.compiled
    }

    /// Handles `items`, one after the other in memory, and all that they push. `resources` are those of the program, as for
    /// [`Compiled::dispatch_resources`].
    ///
    /// # Errors
    /// `D037` for bytes that are no whole items; `B022` for more items than entries; [`BackendError::QueueFull`]; as
    /// [`Compiled::dispatch_resources`].
    pub fn run(
        &self,
        items: &[u8],
        resources: &[Resource<'_>],
        config: &DispatchConfig,
    ) -> Result<WorkQueueRun, BackendError> {
        let start = Instant::now();
        let entry = self.profile.entry_bytes;
        if !(items.len() as u64).is_multiple_of(entry) {
            let what = format!("{} bytes of items, which have {entry} bytes each", items.len());
            return Err(bind_error(codes::D037, what, "Give whole items."));
        }
        let initial = items.len() as u64 / entry;
        let profile = DeviceWorkQueueProfile { initial_items: initial, ..self.profile };
        plan_device_work_queue_backpressure(profile, self.plan.items_per_chunk)?;
        let compiled = &self.compiled;
        let device = compiled.device();
        let (bound, mut counts) = compiled.bind(resources)?;
        let fresh = |place: usize| matches!(bound[place], Some(Resource::Fresh));
        let workgroups = compiled.grid(&mut counts, &fresh, config)?;
        let mut outputs = Outputs::default();
        outputs.prepare(compiled, workgroups);
        let slots = compiled.slots(&bound, &counts, &mut outputs.buffers)?;
        let backend = device.inner.opened()?;
        let memory = lock(&self.spare).take();
        let memory = memory.map_or_else(|| self.memory(), Ok)?;
        let [state, count_memory, entries] = &memory;
        let (first_state, first_counts) = self.start(initial);
        let mut steps = vec![upload(state, &first_state), upload(count_memory, &first_counts)];
        if !items.is_empty() {
            steps.push(upload(entries, items));
        }
        let queue = QueueMemory {
            buffers: [state, count_memory, entries],
            capacity: self.profile.queue_capacity as u32,
        };
        let (slots, timed) = (slots.into_vec(), config.timed);
        steps.push(Step::Launch(LaunchStep { compiled, slots, workgroups, timed, queue: Some(queue) }));
        device.inner.metrics.dispatches.add(1);
        let mut after = vec![0; first_counts.len()];
        let all = 0..after.len() as u64;
        let mut regions = [(Region { from: count_memory, range: all }, &mut after[..])];
        let submitted =
            perform(device, &backend, &mut steps, &mut regions, config.timeout, &Cancel::default())?;
        drop(steps);
        drop(backend);
        outputs.timing = Timing {
            wall_ns: elapsed(start),
            device_ns: submitted.device_ns,
            enqueue_ns: submitted.enqueue_ns,
            wait_ns: submitted.wait_ns,
            ..Timing::default()
        };
        *lock(&self.spare) = Some(memory);
        let counts = Counts::of(&after);
        counts.check(initial, self.profile.queue_capacity)?;
        Ok(WorkQueueRun {
            outputs,
            processed: counts.processed,
            high_water: counts.high_water,
            windows: counts.windows,
            host_syncs: 1 + submitted.further_waits,
        })
    }

    /// Memory for a run.
    fn memory(&self) -> Result<[Resident; 3], BackendError> {
        let allocate = |name: &str, bytes: u64| {
            let name = format!("the work queue's {name}");
            let options = ResidentOptions { name, bytes, ..ResidentOptions::default() };
            self.compiled.device().allocate(options)
        };
        Ok([
            allocate("state", 4 * words::STATE_WORDS as u64)?,
            allocate("counts", 4 * words::COUNT_WORDS as u64)?,
            allocate("entries", self.plan.queue.queue_bytes)?,
        ])
    }

    /// State and counts at the start.
    fn start(&self, initial: u64) -> (Vec<u8>, Vec<u8>) {
        let mut state = [0; words::STATE_WORDS as usize];
        // As many as there are blocks: the control program is the first to run.
        state[NEXT as usize] = self.compiled.blocks();
        state[words::CAPACITY as usize] = self.profile.queue_capacity as u32;
        state[words::WINDOW as usize] = self.plan.items_per_chunk as u32;
        state[words::BOUND as usize] = self.options.pushes_per_item.unwrap_or(0);
        let mut counts = [0; words::COUNT_WORDS as usize];
        counts[words::TAIL as usize] = initial as u32;
        counts[words::BEFORE as usize] = initial as u32;
        let bytes = |words: &[u32]| words.iter().flat_map(|word| word.to_le_bytes()).collect();
        (bytes(&state), bytes(&counts))
    }
}

fn upload<'a>(to: &'a Resident, bytes: &'a [u8]) -> Step<'a> {
    Step::Upload(Upload { to, offset: 0, bytes })
}

/// Bytes of the items of a program.
fn entry_bytes(program: &Program) -> Result<u64, BackendError> {
    let item =
        words::item_type(program).map_err(|what| BackendError::InvalidProgram { errors: vec![what] })?;
    Ok(item.bytes() as u64)
}

/// The plan of a queue, with windows that the device can take.
fn plan(
    program: &Program,
    profile: DeviceWorkQueueProfile,
    window: Option<u64>,
    config: &DispatchConfig,
) -> Result<DeviceWorkQueueBackpressurePlan, BackendError> {
    let size = config.workgroup_size.unwrap_or(program.workgroup_size);
    let invocations = size.iter().map(|&n| n as u64).product::<u64>().max(1);
    // One launch of no more workgroups along an axis than every GPU takes.
    let most = invocations.saturating_mul(65_535);
    let window = window.unwrap_or(profile.queue_capacity.max(1)).min(most);
    Ok(plan_device_work_queue_backpressure(profile, window)?)
}

/// What a run counted.
struct Counts {
    processed: u64,
    pushed: u64,
    high_water: u64,
    left: u64,
    lost: u64,
    windows: u32,
}

impl Counts {
    fn of(bytes: &[u8]) -> Counts {
        let word = |at: u32| {
            let word = bytes[4 * at as usize..].first_chunk().expect("all counts were read");
            u32::from_le_bytes(*word)
        };
        let long = |at: u32| word(at) as u64 | (word(at + 1) as u64) << 32;
        Counts {
            processed: long(words::PROCESSED),
            pushed: long(words::PUSHED),
            high_water: word(words::HIGH_WATER).into(),
            left: word(words::LEFT).into(),
            lost: word(words::LOST).into(),
            windows: word(words::WINDOWS),
        }
    }

    /// That nothing is left, and nothing got lost unnoticed.
    fn check(&self, initial: u64, capacity: u64) -> Result<(), BackendError> {
        let &Counts { processed, pushed, high_water, left, lost, .. } = self;
        if processed + left + lost != initial + pushed {
            let what = format!(
                "a work queue of {initial} and {pushed} items handled {processed}, has {left} and lost {lost}"
            );
            return Err(BackendError::Internal { what });
        }
        if left + lost > 0 {
            return Err(BackendError::QueueFull { capacity, high_water, processed, left, lost });
        }
        Ok(())
    }
}
