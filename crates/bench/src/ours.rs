//! vyre's device as a runner, through the library's public calls: resident buffers, so that a run moves no data.

use crate::error::BenchError;
use crate::kernels::{Kernel, PLACEMENT, Work};
use crate::runner::{Loaded, Runner};
use vyre::wgsl::{ImportOptions, import_wgsl};
use vyre::{BackendError, Compiled, Device, DispatchConfig, Grid, Resident, ResidentOptions, Resource};

/// A device of vyre.
pub struct Ours {
    /// Which.
    pub device: Device,
}

struct OursLoaded {
    device: Device,
    compiled: Compiled,
    buffers: Vec<Resident>,
    config: DispatchConfig,
}

/// The kernel's program for a size of data.
pub fn import(kernel: &Kernel, work: &Work) -> Result<vyre::ir::Program, BackendError> {
    let overrides = work.overrides.iter().map(|(name, value)| (name.to_string(), *value)).collect();
    let options = ImportOptions { entry: None, overrides };
    import_wgsl(&format!("{}.wgsl", kernel.name), kernel.wgsl, &options)
        .map_err(|errors| BackendError::InvalidProgram { errors })
}

impl Runner for Ours {
    fn about(&self) -> String {
        let profile = self.device.profile();
        format!("{}, {}", profile.name, profile.driver)
    }

    fn load(&self, kernel: &Kernel, work: &Work) -> Result<Box<dyn Loaded>, BenchError> {
        let config = DispatchConfig { grid: Grid::Workgroups(work.workgroups), ..DispatchConfig::default() };
        let compiled = self.device.compile(&import(kernel, work)?, &config)?;
        let buffers = work.buffers.iter().enumerate().map(|(i, data)| {
            let bytes: &[u8] = bytemuck::cast_slice(&data.words);
            let buffer = self.device.allocate(ResidentOptions {
                name: format!("{} {i}", kernel.name),
                bytes: bytes.len() as u64,
                journaled: false,
                placement: PLACEMENT,
            })?;
            buffer.upload(bytes)?;
            Ok(buffer)
        });
        let buffers = buffers.collect::<Result<_, BackendError>>()?;
        Ok(Box::new(OursLoaded { device: self.device.clone(), compiled, buffers, config }))
    }
}

impl Loaded for OursLoaded {
    fn run(&mut self) -> Result<(), BenchError> {
        let resources: Vec<Resource<'_>> = self.buffers.iter().map(Resource::Resident).collect();
        self.compiled.dispatch_resources(&resources, &self.config)?;
        Ok(())
    }

    fn read(&mut self) -> Result<Vec<Vec<u32>>, BenchError> {
        let regions: Vec<_> = self.buffers.iter().map(Resident::whole).collect();
        let bytes = self.device.download(&regions)?;
        Ok(bytes.iter().map(|bytes| bytemuck::cast_slice(bytes).to_vec()).collect())
    }
}
