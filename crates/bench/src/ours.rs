//! vyre's device as a runner, through the library's public calls.

use crate::error::BenchError;
use crate::kernels::{Case, Kernel, Mode, PLACEMENT, Work};
use crate::runner::{Loaded, Runner, fresh};
use vyre::wgsl::{ImportOptions, import_wgsl};
use vyre::{
    BackendError, Compiled, Device, DispatchConfig, Grid, Outputs, Resident, ResidentOptions, Resource,
};

/// A device of vyre.
pub struct Ours {
    /// Which.
    pub device: Device,
    /// Whether it is asked to time each run.
    pub timed: bool,
}

/// Data that stay on the device, so that a run moves none.
struct OnDevice {
    device: Device,
    compiled: Compiled,
    buffers: Vec<Resident>,
    config: DispatchConfig,
}

/// Data of the host.
struct OnHost {
    device: Device,
    kernel: &'static Kernel,
    work: Work,
    /// None where each run makes it.
    compiled: Option<Compiled>,
    config: DispatchConfig,
    outputs: Outputs,
    /// The buffer of each output.
    written: Vec<usize>,
}

/// A kernel's program for a size of data. `source` is its own or a variant of it.
pub fn import(kernel: &Kernel, source: &str, work: &Work) -> Result<vyre::ir::Program, BackendError> {
    let overrides = work.overrides.iter().map(|(name, value)| (name.to_string(), *value)).collect();
    let options = ImportOptions { entry: None, overrides };
    import_wgsl(&format!("{}.wgsl", kernel.name), source, &options)
        .map_err(|errors| BackendError::InvalidProgram { errors })
}

impl Runner for Ours {
    fn about(&self) -> String {
        let profile = self.device.profile();
        format!("{}, {}", profile.name, profile.driver)
    }

    fn load(&self, case: &Case, work: &Work) -> Result<Box<dyn Loaded>, BenchError> {
        let (kernel, device) = (case.kernel, self.device.clone());
        let grid = Grid::Workgroups(work.workgroups);
        let config = DispatchConfig { grid, timed: self.timed, ..DispatchConfig::default() };
        let compile = || device.compile(&import(kernel, kernel.wgsl, work)?, &config);
        if case.mode != Mode::Resident {
            let compiled = if case.mode == Mode::First { None } else { Some(compile()?) };
            let (work, outputs) = (work.clone(), Outputs::default());
            return Ok(Box::new(OnHost { device, kernel, work, compiled, config, outputs, written: vec![] }));
        }
        let compiled = compile()?;
        let buffers = work.buffers.iter().enumerate().map(|(i, data)| {
            let bytes = data.bytes();
            let buffer = device.allocate(ResidentOptions {
                name: format!("{} {i}", kernel.name),
                bytes: bytes.len() as u64,
                journaled: false,
                placement: PLACEMENT,
            })?;
            buffer.upload(bytes)?;
            Ok(buffer)
        });
        let buffers = buffers.collect::<Result<_, BackendError>>()?;
        Ok(Box::new(OnDevice { device, compiled, buffers, config }))
    }
}

impl Loaded for OnDevice {
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

impl Loaded for OnHost {
    fn run(&mut self) -> Result<(), BenchError> {
        let made;
        let compiled = match &self.compiled {
            Some(compiled) => compiled,
            None => {
                let program = import(self.kernel, &self.kernel.variant(fresh()), &self.work)?;
                made = self.device.compile(&program, &self.config)?;
                &made
            }
        };
        let bound = compiled.plan().bound();
        let given = bound.zip(&self.work.buffers).filter(|(b, _)| b.input_index.is_some());
        let inputs: Vec<&[u8]> = given.map(|(_, data)| data.bytes()).collect();
        // What is only written has as many elements as the grid has threads, which is enough for all kernels.
        compiled.dispatch_into(&inputs, &self.config, &mut self.outputs)?;
        self.written = compiled
            .plan()
            .bound()
            .enumerate()
            .filter(|(_, b)| b.output_index.is_some())
            .map(|(i, _)| i)
            .collect();
        Ok(())
    }

    fn read(&mut self) -> Result<Vec<Vec<u32>>, BenchError> {
        let mut all: Vec<Vec<u32>> = self.work.buffers.iter().map(|data| data.words.clone()).collect();
        for (bytes, &place) in self.outputs.buffers.iter().zip(&self.written) {
            let words: &[u32] = bytemuck::cast_slice(bytes);
            let count = all[place].len();
            all[place].copy_from_slice(&words[..count]);
        }
        Ok(all)
    }
}
