//! Work queues on the device: a program handles one item an invocation and may push others, until none are left.
//!
//! The plan says how much memory that takes ([`crate::plan_device_work_queue_backpressure`]), [`vyre_opt::queue`] what runs. The host hands over
//! one submission and waits once. A device in the host's memory drains the queue as it sees fit; on one whose workgroups
//! can wait for each other the program does so itself, in one launch; for any other one the submission holds window after
//! window, each sized on the device by the one before. Only if the submission held too few windows does another go on, which
//! [`WorkQueueRun::host_syncs`] tells.
//!
//! Nothing is lost unnoticed: what was done and what is left is as much as was pushed, or the run is an error. An item
//! that finds no room is an error too, which says how much room there was; resident buffers are then as the items
//! that were handled left them.

use crate::backend::{Cancel, Submitted};
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
use crate::resident::{Resident, ResidentOptions, Upload};
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
    /// Whether items for which the queue has no room wait in the host's memory: the host takes them out between two
    /// submissions, and puts them back when there is room. Needs `pushes_per_item`, so that none is lost before.
    pub spill: bool,
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
    /// Items that waited in the host's memory, each counted as often as it did.
    pub spilled: u64,
    /// How often the host waited for the device: 1, unless a submission held too few windows, or items waited with the host.
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
        WorkQueue::check_bytes(plan.queue.queue_bytes)?;
        let limit = device.profile().limits.storage_binding_bytes;
        if plan.queue.queue_bytes > limit {
            let what = format!(
                "the work queue has {} bytes of entries; the device takes {limit} in one buffer",
                plan.queue.queue_bytes
            );
            return mismatch(what, "Use fewer entries.");
        }
        if options.spill && options.pushes_per_item.is_none() {
            let what = "items are to wait with the host, and how many an item pushes is not known".into();
            return mismatch(what, "Give `pushes_per_item`.");
        }
        let compiled = device.compile_for(program, config, Purpose::Queue)?;
        Ok(WorkQueue { compiled, profile, plan, options, spare: Mutex::default() })
    }

    /// Whether places in so many bytes of entries can be counted.
    ///
    /// # Errors
    /// `D037` if they cannot.
    pub fn check_bytes(entries: u64) -> Result<(), BackendError> {
        // A place up to twice the capacity, in words, is counted in 32 bits.
        match entries / 4 > u32::MAX as u64 / 2 {
            true => {
                let what = format!("the work queue has {entries} bytes of entries");
                Err(bind_error(codes::D037, what, "Use at most 8 GiB."))
            }
            false => Ok(()),
        }
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
        if !self.options.spill {
            let profile = DeviceWorkQueueProfile { initial_items: initial, ..self.profile };
            plan_device_work_queue_backpressure(profile, self.plan.items_per_chunk)?;
        }
        let compiled = &self.compiled;
        let (bound, mut counts) = compiled.bind(resources)?;
        let fresh = |place: usize| matches!(bound[place], Some(Resource::Fresh));
        let workgroups = compiled.grid(&mut counts, &fresh, config)?;
        let mut outputs = Outputs::default();
        outputs.prepare(compiled, workgroups);
        let mut all = QueueCounts::default();
        if self.options.spill {
            let written = self.resident(&bound, &counts)?;
            let mut kept: Vec<Option<Resource<'_>>> = bound.iter().cloned().collect();
            for (place, memory) in &written {
                kept[*place] = Some(Resource::Resident(memory));
            }
            self.spilling(items, &kept, &counts, &mut outputs, config, &mut all)?;
            for (place, memory) in &written {
                let output = compiled.plan().bindings[*place].output_index;
                outputs.buffers[output.expect("it is written")] = memory.download()?;
            }
            all.host_syncs += written.len() as u32;
        } else {
            let submitted = self.submit(items, &bound, &counts, &mut outputs, config, &mut all, None)?;
            outputs.timing = Timing {
                device_ns: submitted.device_ns,
                enqueue_ns: submitted.enqueue_ns,
                wait_ns: submitted.wait_ns,
                ..Timing::default()
            };
        }
        outputs.timing.wall_ns = elapsed(start);
        all.check(initial, self.profile.queue_capacity)?;
        let QueueCounts { processed, high_water, windows, spilled, host_syncs, .. } = all;
        Ok(WorkQueueRun { outputs, processed, high_water, windows, spilled, host_syncs })
    }

    /// Handles items in one submission, and adds what it counted to `all`. What is left comes to `left`, if it is given.
    #[allow(clippy::too_many_arguments, reason = "what a run is about")]
    fn submit(
        &self,
        items: &[u8],
        bound: &[Option<Resource<'_>>],
        counts: &[u64],
        outputs: &mut Outputs,
        config: &DispatchConfig,
        all: &mut QueueCounts,
        left: Option<&mut Vec<u8>>,
    ) -> Result<Submitted, BackendError> {
        let compiled = &self.compiled;
        let device = compiled.device();
        let workgroups = outputs.workgroups;
        let slots = compiled.slots(bound, counts, &mut outputs.buffers)?;
        let backend = device.inner.opened()?;
        let memory = lock(&self.spare).take();
        // What was restored after a loss is as good as new memory only where all of it is written first.
        let memory = memory.filter(|all| all.iter().all(|resident| resident.inner.is_whole()));
        let memory = memory.map_or_else(|| self.memory(), Ok)?;
        let [state, count_memory, entries] = &memory;
        let (first_state, first_counts) = self.start(items.len() as u64 / self.profile.entry_bytes);
        let mut steps = vec![upload(state, &first_state), upload(count_memory, &first_counts)];
        if !items.is_empty() {
            steps.push(upload(entries, items));
        }
        let capacity = self.profile.queue_capacity as u32;
        let window = self.plan.items_per_chunk;
        let queue = QueueMemory { buffers: [state, count_memory, entries], capacity, window };
        let (slots, timed) = (slots.into_vec(), config.timed);
        steps.push(Step::Launch(LaunchStep { compiled, slots, workgroups, timed, queue: Some(queue) }));
        device.inner.metrics.dispatches.add(1);
        let mut count_words = vec![0; first_counts.len()];
        let (mut state_words, mut ring) = (vec![], vec![]);
        let mut regions = vec![(count_memory.whole(), &mut count_words[..])];
        if left.is_some() {
            state_words.resize(first_state.len(), 0);
            ring.resize(self.plan.queue.queue_bytes as usize, 0);
            regions.push((state.whole(), &mut state_words[..]));
            regions.push((entries.whole(), &mut ring[..]));
        }
        let submitted =
            perform(device, &backend, &mut steps, &mut regions, config.timeout, &Cancel::default())?;
        drop((steps, regions, backend));
        *lock(&self.spare) = Some(memory);
        let counted = QueueCounts::of(&count_words);
        if let Some(to) = left {
            let entry = self.profile.entry_bytes as usize;
            let head = word(&state_words, words::HEAD) as usize * entry;
            ring.rotate_left(head);
            to.extend_from_slice(&ring[..counted.left as usize * entry]);
        }
        all.add(&counted, 1 + submitted.further_waits);
        Ok(submitted)
    }

    /// Handles items in as many submissions as it takes; those without room wait here.
    fn spilling(
        &self,
        items: &[u8],
        bound: &[Option<Resource<'_>>],
        counts: &[u64],
        outputs: &mut Outputs,
        config: &DispatchConfig,
        all: &mut QueueCounts,
    ) -> Result<(), BackendError> {
        let entry = self.profile.entry_bytes as usize;
        // Half of the room is for what is pushed.
        let most = (self.profile.queue_capacity as usize / 2).max(1) * entry;
        let mut waiting = items.to_vec();
        while !waiting.is_empty() || all.host_syncs == 0 {
            let some = waiting.split_off(waiting.len().saturating_sub(most));
            let (before, elsewhere) = (all.processed, (waiting.len() / entry) as u64);
            all.spilled += elsewhere;
            let mut left = Vec::new();
            self.submit(&some, bound, counts, outputs, config, all, Some(&mut left))?;
            all.high_water = all.high_water.max(all.last_high + elsewhere);
            if all.processed == before && !left.is_empty() {
                // There is no room for what a single item may push.
                all.left += elsewhere;
                return Ok(());
            }
            // They are handled again, or for the first time.
            all.left -= (left.len() / entry) as u64;
            waiting.append(&mut left);
        }
        Ok(())
    }

    /// Memory of the device for what the program writes and the caller has: it must outlast a submission.
    fn resident(
        &self,
        bound: &[Option<Resource<'_>>],
        counts: &[u64],
    ) -> Result<Vec<(usize, Resident)>, BackendError> {
        let mut all = Vec::new();
        for (place, b) in self.compiled.plan().bindings.iter().enumerate() {
            let given = match &bound[place] {
                Some(Resource::Bytes(given)) if b.is_written() => Some(*given),
                Some(Resource::Fresh) => None,
                _ => continue,
            };
            let bytes = counts[place].saturating_mul(b.element_size as u64);
            let options = ResidentOptions { name: b.name.clone(), bytes, ..ResidentOptions::default() };
            let memory = self.compiled.device().allocate(options)?;
            if let Some(given) = given {
                memory.upload(given)?;
            }
            all.push((place, memory));
        }
        Ok(all)
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
        let start = words::Start {
            capacity: self.profile.queue_capacity as u32,
            window: self.plan.items_per_chunk as u32,
            bound: self.options.pushes_per_item.unwrap_or(0),
            items: initial as u32,
        };
        let (mut state, counts) = start.words();
        // As many as there are blocks: the control program is the first to run.
        state[NEXT as usize] = self.compiled.blocks();
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

/// A word of memory that came from the device.
fn word(bytes: &[u8], at: u32) -> u32 {
    u32::from_le_bytes(*bytes[4 * at as usize..].first_chunk().expect("all of it was read"))
}

/// What a queue counted.
#[derive(Default, Debug)]
pub struct QueueCounts {
    /// Items that were handled.
    pub processed: u64,
    /// The most items that were in the queue at a time, those being handled included.
    pub high_water: u64,
    /// How many windows there were.
    pub windows: u32,
    pushed: u64,
    /// `high_water` of the last submission alone.
    last_high: u64,
    left: u64,
    lost: u64,
    spilled: u64,
    host_syncs: u32,
}

impl QueueCounts {
    /// What the device's memory of counts says.
    ///
    /// # Panics
    /// When these are not all of its bytes: [`COUNT_WORDS`](words::COUNT_WORDS) words.
    pub fn of(bytes: &[u8]) -> QueueCounts {
        let long = |at: u32| word(bytes, at) as u64 | (word(bytes, at + 1) as u64) << 32;
        let high_water = word(bytes, words::HIGH_WATER).into();
        QueueCounts {
            processed: long(words::PROCESSED),
            pushed: long(words::PUSHED),
            high_water,
            last_high: high_water,
            left: word(bytes, words::LEFT).into(),
            lost: word(bytes, words::LOST).into(),
            windows: word(bytes, words::WINDOWS),
            ..QueueCounts::default()
        }
    }

    fn add(&mut self, one: &QueueCounts, host_syncs: u32) {
        self.processed += one.processed;
        self.pushed += one.pushed;
        self.high_water = self.high_water.max(one.high_water);
        self.last_high = one.high_water;
        self.left += one.left;
        self.lost += one.lost;
        self.windows = self.windows.saturating_add(one.windows);
        self.host_syncs += host_syncs;
    }

    /// That nothing is left, and nothing got lost unnoticed.
    ///
    /// # Errors
    /// [`BackendError::QueueFull`] where items are left or lost.
    pub fn check(&self, initial: u64, capacity: u64) -> Result<(), BackendError> {
        let &QueueCounts { processed, pushed, high_water, left, lost, .. } = self;
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
