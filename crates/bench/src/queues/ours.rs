//! A workload on a device's work queue. The data that no run changes stay on the device; the others are given anew to
//! each run, and what comes of them comes back.

use super::Workload;
use crate::error::BenchError;
use crate::runner::Loaded;
use vyre::wgsl::{ImportOptions, import_wgsl};
use vyre::{
    BackendError, Device, DispatchConfig, Resident, ResidentOptions, Resource, WorkQueue, WorkQueueOptions,
    WorkQueueRun,
};

/// Bytes of entries that a queue may have.
const BUDGET: u64 = 1 << 30;

/// A workload on a queue.
pub struct OnQueue {
    queue: WorkQueue,
    items: Vec<u8>,
    fixed: Vec<Resident>,
    first: Vec<u8>,
    /// The last run.
    pub last: Option<WorkQueueRun>,
}

/// Words as bytes of the host.
pub(super) fn bytes(words: &[u32]) -> Vec<u8> {
    bytemuck::cast_slice(words).to_vec()
}

/// Words as memory of the device.
pub(super) fn resident(device: &Device, name: &str, words: &[u32]) -> Result<Resident, BackendError> {
    let options =
        ResidentOptions { name: name.into(), bytes: 4 * words.len() as u64, ..ResidentOptions::default() };
    let memory = device.allocate(options)?;
    memory.upload(bytemuck::cast_slice(words))?;
    Ok(memory)
}

impl OnQueue {
    /// Compiles the program and puts its data where they are used.
    ///
    /// # Errors
    /// What the device refuses.
    pub fn new(device: &Device, workload: &Workload) -> Result<OnQueue, BackendError> {
        let program =
            import_wgsl(&format!("{}.wgsl", workload.name), workload.wgsl, &ImportOptions::default())
                .map_err(|errors| BackendError::InvalidProgram { errors })?;
        let profile = WorkQueue::profile(&program, workload.capacity, BUDGET)?;
        let config = DispatchConfig::default();
        let queue = WorkQueue::new(device, &program, profile, WorkQueueOptions::default(), &config)?;
        let (first, fixed) = workload.buffers.split_last().expect("a workload has buffers");
        let fixed = fixed.iter().map(|words| resident(device, workload.name, words));
        Ok(OnQueue {
            queue,
            items: bytes(&workload.items),
            fixed: fixed.collect::<Result<_, _>>()?,
            first: bytes(first),
            last: None,
        })
    }

    /// The last buffer after the last run.
    ///
    /// # Errors
    /// When there was none.
    pub fn result(&self) -> Result<Vec<u32>, BenchError> {
        let run = self.last.as_ref().ok_or_else(|| BenchError::Peer("nothing was run".into()))?;
        Ok(run.outputs.get(0)?)
    }
}

impl Loaded for OnQueue {
    fn run(&mut self) -> Result<(), BenchError> {
        let mut resources: Vec<Resource<'_>> = self.fixed.iter().map(Resource::Resident).collect();
        resources.push(Resource::Bytes(&self.first));
        self.last = Some(self.queue.run(&self.items, &resources, &DispatchConfig::default())?);
        Ok(())
    }

    fn read(&mut self) -> Result<Vec<Vec<u32>>, BenchError> {
        Ok(vec![self.result()?])
    }
}
