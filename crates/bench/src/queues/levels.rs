//! Breadth-first search as it is done on a GPU without a queue on the device: a dispatch a level, after which the host reads
//! how many vertices the next one has.

use super::Workload;
use super::ours::{bytes, resident};
use crate::error::BenchError;
use crate::runner::Loaded;
use vyre::wgsl::{ImportOptions, import_wgsl};
use vyre::{BackendError, Compiled, Device, DispatchConfig, Grid, Resident, Resource, Upload};

/// A search on a device.
pub struct Levels {
    device: Device,
    compiled: Compiled,
    source: u32,
    first: Vec<u8>,
    fixed: [Resident; 2],
    depths: Resident,
    frontiers: [Resident; 2],
    counts: Resident,
}

impl Levels {
    /// The search of a workload.
    ///
    /// # Errors
    /// What the device refuses.
    pub fn new(device: &Device, workload: &Workload) -> Result<Levels, BenchError> {
        let wgsl = include_str!("../../kernels/bfs_level.wgsl");
        let program = import_wgsl("bfs_level.wgsl", wgsl, &ImportOptions::default())
            .map_err(|errors| BackendError::InvalidProgram { errors })?;
        let [offsets, targets, depths] = &workload.buffers[..] else {
            return Err(BenchError::Peer("searches graphs only".into()));
        };
        let load = |name: &str, words: &[u32]| resident(device, name, words);
        let room = vec![0; depths.len()];
        Ok(Levels {
            device: device.clone(),
            compiled: device.compile(&program, &DispatchConfig::default())?,
            source: workload.items[0],
            first: bytes(depths),
            fixed: [load("offsets", offsets)?, load("targets", targets)?],
            depths: load("depths", depths)?,
            frontiers: [load("frontier", &room)?, load("next frontier", &room)?],
            counts: load("counts", &[0, 0])?,
        })
    }
}

impl Loaded for Levels {
    fn run(&mut self) -> Result<(), BenchError> {
        let (mut now, mut next) = (&self.frontiers[0], &self.frontiers[1]);
        let source = bytes(&[self.source]);
        let mut start = self.device.batch();
        start.upload(Upload { to: &self.depths, offset: 0, bytes: &self.first })?;
        start.upload(Upload { to: now, offset: 0, bytes: &source })?;
        start.run(&[])?;
        let mut count = 1u32;
        while count > 0 {
            let counts = bytes(&[count, 0]);
            let [offsets, targets] = &self.fixed;
            let all = [offsets, targets, &self.depths, now, next, &self.counts].map(Resource::Resident);
            let config = DispatchConfig { grid: Grid::Threads([count, 1, 1]), ..DispatchConfig::default() };
            let mut level = self.device.batch();
            level.upload(Upload { to: &self.counts, offset: 0, bytes: &counts })?;
            level.dispatch(&self.compiled, &all, &config)?;
            let read = level.run(&[self.counts.whole()])?;
            count = bytemuck::cast_slice::<u8, u32>(&read.regions[0])[1];
            (now, next) = (next, now);
        }
        Ok(())
    }

    fn read(&mut self) -> Result<Vec<Vec<u32>>, BenchError> {
        let read = self.device.download(&[self.depths.whole()])?;
        Ok(vec![bytemuck::cast_slice(&read[0]).to_vec()])
    }
}
