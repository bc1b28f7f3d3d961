//! Programs that handle the items of a work queue, beside those that run over a grid: what `--items` gives, and one way to
//! run both.

use crate::args::QueueArgs;
use crate::codes;
use crate::failure::Failure;
use crate::show::shape;
use crate::source::{FORMS, Source};
use serde_json::{Value, json};
use vyre::opt::queue::{Start, has_queue, item_type};
use vyre::{
    AlignedBytes, BackendError, Compiled, Device, DeviceWorkQueueProfile, DispatchConfig, Outputs, Placement,
    Resource, WorkQueue, WorkQueueOptions, plan_device_work_queue_backpressure,
};
use vyre_ir::{Diagnostic, Program, Type};

/// The items that a queue starts with; nothing is read yet.
pub struct Items {
    source: Source,
    ty: Type,
    count: u64,
    profile: DeviceWorkQueueProfile,
    options: WorkQueueOptions,
}

impl Items {
    /// The items of a program that handles such; `None` for a program that does not.
    ///
    /// # Errors
    /// `C026` for items of a program that takes none, and for none of a program that does.
    pub fn plan(program: &Program, args: &QueueArgs, spill: bool) -> Result<Option<Items>, Failure> {
        let wrong = |what: &str, fix: &str| Err(Diagnostic::new(codes::C026, what).fix(fix).into());
        let source = match (has_queue(program), &args.items) {
            (false, None) => return Ok(None),
            (false, Some(_)) => {
                return wrong("`--items` is given, and the program handles no items", "Leave `--items` out.");
            }
            (true, None) => {
                let fix = format!("Give `--items SOURCE`: {FORMS}.");
                return wrong("the program handles the items of a work queue, and none are given", &fix);
            }
            (true, Some(text)) => Source::parse(text)?,
        };
        let ty = item_type(program).map_err(|what| BackendError::InvalidProgram { errors: vec![what] })?;
        let count = source.measure("items", ty)?;
        let mut profile = WorkQueue::profile(program, args.capacity, u64::MAX)?;
        profile.initial_items = count;
        let options = WorkQueueOptions { window: args.window, pushes_per_item: args.pushes, spill };
        Ok(Some(Items { source, ty, count, profile, options }))
    }

    /// The memory of a queue that one launch drains.
    ///
    /// # Errors
    /// `B022` for more items than entries, `D037` for more entries than can be counted, and items that cannot be read.
    pub fn memory(&self) -> Result<QueueMemory, Failure> {
        let DeviceWorkQueueProfile { queue_capacity: capacity, .. } = self.profile;
        let window = self.options.window.unwrap_or(capacity);
        let plan = plan_device_work_queue_backpressure(self.profile, window).map_err(BackendError::from)?;
        WorkQueue::check_bytes(plan.queue.queue_bytes)?;
        let start = Start {
            // Entries are memory of this process: there are fewer than 2^32.
            capacity: capacity as u32,
            window: plan.items_per_chunk as u32,
            bound: self.options.pushes_per_item.unwrap_or(0),
            items: self.count as u32,
        };
        let (state, counts) = start.words();
        let bytes = |words: &[u32]| words.iter().flat_map(|word| word.to_le_bytes()).collect();
        let (state, counts) = (bytes(&state), bytes(&counts));
        Ok(QueueMemory { start, state, counts, items: self.read()?, entry_bytes: self.profile.entry_bytes })
    }

    fn queue(
        &self,
        device: &Device,
        program: &Program,
        config: &DispatchConfig,
    ) -> Result<WorkQueue, BackendError> {
        WorkQueue::new(device, program, self.profile, self.options, config)
    }

    fn read(&self) -> Result<AlignedBytes, Failure> {
        self.source.read("items", self.ty, self.count, Placement::default())
    }
}

/// A queue before it is drained.
pub struct QueueMemory {
    /// What it begins with.
    pub start: Start,
    /// The state.
    pub state: Vec<u8>,
    /// The counts.
    pub counts: Vec<u8>,
    /// The entries that are items.
    pub items: AlignedBytes,
    /// Bytes of an entry.
    pub entry_bytes: u64,
}

/// A program compiled to run over a grid, or for the items of a queue.
pub enum Ready {
    /// Over a grid.
    Grid(Compiled),
    /// For items.
    Queue(Box<WorkQueue>, AlignedBytes),
}

/// What a run gave, and of a queue what was counted.
pub struct Ran {
    /// What the program wrote.
    pub outputs: Outputs,
    /// Of a queue.
    pub queue: Option<Counted>,
}

/// What a queue counted.
#[derive(Copy, Clone)]
pub struct Counted {
    processed: u64,
    high_water: u64,
    windows: u32,
    host_syncs: u32,
}

impl Ready {
    /// Compiles a program.
    ///
    /// # Errors
    /// What the device refuses, and items that cannot be read.
    pub fn new(
        device: &Device,
        program: &Program,
        items: Option<&Items>,
        config: &DispatchConfig,
    ) -> Result<Ready, Failure> {
        Ok(match items {
            None => Ready::Grid(device.compile(program, config)?),
            Some(items) => Ready::Queue(Box::new(items.queue(device, program, config)?), items.read()?),
        })
    }

    /// The compiled program.
    pub fn compiled(&self) -> &Compiled {
        match self {
            Ready::Grid(compiled) => compiled,
            Ready::Queue(queue, _) => queue.compiled(),
        }
    }

    /// Runs it.
    ///
    /// # Errors
    /// What the device says.
    pub fn run(&self, inputs: &[&[u8]], config: &DispatchConfig) -> Result<Ran, BackendError> {
        let (queue, items) = match self {
            Ready::Grid(compiled) => {
                return Ok(Ran { outputs: compiled.dispatch(inputs, config)?, queue: None });
            }
            Ready::Queue(queue, items) => (queue, items),
        };
        let resource =
            |b: &vyre::Binding| b.input_index.map_or(Resource::Fresh, |i| Resource::Bytes(inputs[i]));
        let resources: Vec<Resource<'_>> = queue.compiled().plan().bound().map(resource).collect();
        let run = queue.run(items, &resources, config)?;
        let counted = Counted {
            processed: run.processed,
            high_water: run.high_water,
            windows: run.windows,
            host_syncs: run.host_syncs,
        };
        Ok(Ran { outputs: run.outputs, queue: Some(counted) })
    }
}

impl Ran {
    /// What ran: a grid, or items.
    pub fn about(&self, workgroup_size: [u32; 3]) -> String {
        match self.queue {
            Some(Counted { processed, high_water, windows, host_syncs }) => format!(
                "{processed} items in {windows} windows, {high_water} in the queue at most; the host waited {}",
                if host_syncs == 1 { "once".into() } else { format!("{host_syncs} times") }
            ),
            None => format!(
                "grid of {} workgroups, {} invocations each",
                shape(self.outputs.workgroups),
                shape(workgroup_size)
            ),
        }
    }

    /// What a queue counted, as data.
    pub fn queue_json(&self) -> Option<Value> {
        self.queue.map(|Counted { processed, high_water, windows, host_syncs }| {
            json!({ "items": processed, "high_water": high_water, "windows": windows, "host_syncs": host_syncs })
        })
    }
}
