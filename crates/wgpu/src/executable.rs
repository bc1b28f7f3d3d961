//! Programs as pipelines.

use crate::layouts::Layout;
use crate::opened::Opened;
use crate::profile::program_features;
use crate::{ID, codes, errors, probe, stored};
use smallvec::SmallVec;
use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use vyre_driver::{BackendError, BindingPlan, Executable};
use vyre_ir::{Diagnostic, Entity, Op, Program, Scalar};
use vyre_opt::analysis::range;
use vyre_wgsl::export::device::{self, Immediate};
use wgpu::{
    ComputePipeline, ComputePipelineDescriptor, Features, PassthroughShaderEntryPoint, PipelineCache,
    PipelineCacheDescriptor, PipelineCompilationOptions, ShaderModuleDescriptor,
    ShaderModuleDescriptorPassthrough, ShaderRuntimeChecks, ShaderSource,
};

/// A program as a pipeline of one device.
pub struct WgpuExecutable {
    /// The id of the device.
    pub opened: u64,
    pub pipeline: ComputePipeline,
    pub layout: Arc<Layout>,
    /// The program's buffers by place in group 0.
    pub bindings: SmallVec<[usize; 8]>,
    /// Whether a word behind them tells that a loop was ended early.
    pub watched: bool,
    /// The words of immediate data.
    pub immediates: Vec<Immediate>,
    /// Of a control program: how often it decided in the last run, or 0.
    pub turns: AtomicU32,
    /// What loads it again, where programs go as SPIR-V.
    code: Option<Vec<u8>>,
}

impl Executable for WgpuExecutable {
    fn code(&self) -> Option<Vec<u8>> {
        self.code.clone()
    }
}

/// What is given to wgpu for a program.
pub enum Shader {
    /// SPIR-V that is taken as it is.
    Spirv(Vec<u32>),
    /// A module that wgpu translates.
    Module(Box<naga::Module>),
}

/// A program as it is given to wgpu.
pub struct Made {
    pub entry: String,
    /// Of each bound buffer, in order, whether it is bound as a uniform one. One more, which is not, if the program is
    /// watched.
    pub uniform: Vec<bool>,
    pub immediates: Vec<Immediate>,
    pub shader: Shader,
}

impl Made {
    /// Translates a legal program.
    pub fn of(opened: &Arc<Opened>, program: &Program) -> Result<Made, BackendError> {
        let mut features = program_features(opened.features, &opened.adapter.get_info());
        let fused = |scalar| !uses_fma(program, scalar) || probe::fuses(opened, scalar);
        features.fused_f32 = fused(Scalar::F32);
        features.fused_f64 = fused(Scalar::F64);
        Made::with(opened, program, &features)
    }

    /// Translates a legal program for a device with these features.
    pub fn with(
        opened: &Opened,
        program: &Program,
        features: &device::Features,
    ) -> Result<Made, BackendError> {
        let ranges = range::ranges(program);
        let features = &device::Features { clears_workgroup_memory: opened.clears, ..*features };
        let module =
            device::module(program, features, &|inst| ranges.in_bounds(inst)).map_err(unsupported)?;
        let uniform = module.bindings.iter().map(|bound| bound.uniform);
        let uniform = uniform.chain(module.watched.then_some(false)).collect();
        let shader = match &opened.spirv {
            Some(controls) => Shader::Spirv(device::spirv(program, &module, controls).map_err(unsupported)?),
            None => Shader::Module(Box::new(module.module)),
        };
        Ok(Made { entry: module.entry, uniform, immediates: module.immediates, shader })
    }
}

impl WgpuExecutable {
    /// The pipeline of a program. `cached` is what the driver made of it before.
    pub fn new(
        opened: &Opened,
        program: &Program,
        made: Made,
        cached: Option<&[u8]>,
    ) -> Result<WgpuExecutable, BackendError> {
        opened.usable()?;
        let plan = BindingPlan::build(program)?;
        check_limits(opened, &made)?;
        let words = made.immediates.len() as u32;
        let failed = |error| match error {
            BackendError::Internal { what } => BackendError::CompileFailed { backend: ID, log: what },
            error => error,
        };
        let (pipeline, layout, cache) = errors::check("a pipeline", 0, || {
            let layout = opened.layouts.layout(opened, &plan, &made.uniform);
            let cache = (opened.features.contains(Features::PIPELINE_CACHE)).then(|| cache(opened, cached));
            let descriptor = ComputePipelineDescriptor {
                label: Some(&made.entry),
                layout: Some(&layout.pipeline(opened, words)),
                module: &made.module(opened, program.workgroup_size),
                entry_point: Some(&made.entry),
                // Workgroup memory is cleared: of a module by wgpu, in SPIR-V by itself.
                compilation_options: PipelineCompilationOptions::default(),
                cache: cache.as_ref(),
            };
            (opened.device.create_compute_pipeline(&descriptor), layout, cache)
        })
        .map_err(failed)?;
        if let Some(reason) = opened.lost() {
            return Err(BackendError::DeviceLost { backend: ID, reason });
        }
        let code = stored::encode(&made, || cache.and_then(|cache| cache.get_data()).unwrap_or_default());
        let bound = plan.bindings.iter().filter(|b| b.is_bound());
        Ok(WgpuExecutable {
            opened: opened.id,
            pipeline,
            layout,
            watched: made.uniform.len() > plan.layout_slots().count(),
            bindings: bound.map(|b| b.buffer_index).collect(),
            immediates: made.immediates,
            turns: AtomicU32::new(0),
            code,
        })
    }
}

impl Made {
    fn module(&self, opened: &Opened, workgroup_size: [u32; 3]) -> wgpu::ShaderModule {
        let label = Some(&*self.entry);
        match &self.shader {
            Shader::Spirv(words) => {
                let entry = PassthroughShaderEntryPoint {
                    name: Cow::Borrowed(&self.entry),
                    workgroup_size: workgroup_size.into(),
                };
                let descriptor = ShaderModuleDescriptorPassthrough {
                    label,
                    entry_points: Cow::Borrowed(std::slice::from_ref(&entry)),
                    spirv: Some(Cow::Borrowed(words)),
                    ..ShaderModuleDescriptorPassthrough::default()
                };
                // SAFETY: naga validated the module and wrote it; all its accesses are in bounds of what is bound.
                unsafe { opened.device.create_shader_module_passthrough(descriptor) }
            }
            Shader::Module(module) => {
                let source = ShaderSource::Naga(Cow::Owned((**module).clone()));
                let mut checks = ShaderRuntimeChecks::unchecked();
                checks.int_div_checks = true;
                let descriptor = ShaderModuleDescriptor { label, source };
                // SAFETY: the accesses of the module are in bounds by checks of its own; the only check that it
                // leaves to naga, that of divisors, is on. Loops end as the program says, or the run is timed out.
                unsafe { opened.device.create_shader_module_trusted(descriptor, checks) }
            }
        }
    }
}

fn cache(opened: &Opened, data: Option<&[u8]>) -> PipelineCache {
    // SAFETY: the data comes from `PipelineCache::get_data` of the same kind of device and driver: the key under which
    // the driver layer keeps it names both. Vulkan drivers check its header, too.
    unsafe {
        let descriptor = PipelineCacheDescriptor { label: None, data, fallback: true };
        opened.device.create_pipeline_cache(&descriptor)
    }
}

/// What the driver layer's limits do not say.
fn check_limits(opened: &Opened, made: &Made) -> Result<(), BackendError> {
    let limits = &opened.limits;
    let storage = made.uniform.iter().filter(|uniform| !**uniform).count() as u64;
    if storage > limits.max_storage_buffers_per_shader_stage.into() {
        let takes = limits.max_storage_buffers_per_shader_stage;
        let message = format!(
            "the program has {storage} storage buffers, large uniform ones among them; the device takes {takes}"
        );
        return Err(unsupported(Diagnostic::new(codes::D501, message).fix("Put several buffers into one.")));
    }
    let words = made.immediates.len() as u64;
    if 4 * words > limits.max_immediate_size.into() {
        let takes = limits.max_immediate_size / 4;
        let message = format!(
            "the program reads {words} numbers that come with a launch (lengths of buffers that are sized at run time, \
             the grid); the device takes {takes}"
        );
        return Err(unsupported(
            Diagnostic::new(codes::D502, message).fix("Declare the counts of some buffers."),
        ));
    }
    Ok(())
}

fn uses_fma(program: &Program, scalar: Scalar) -> bool {
    let mut found = false;
    program.walk(program.body, &mut |inst| {
        let data = &program.insts[inst];
        found |= data.op == Op::Fma && program.ty(data.results[0]).scalar == scalar;
    });
    found
}

fn unsupported(what: Diagnostic) -> BackendError {
    BackendError::Unsupported { backend: ID, what: Box::new(what) }
}

/// What a word of immediate data is, for a launch.
pub fn word(
    immediate: &Immediate,
    first: [u32; 3],
    workgroups: [u32; 3],
    bytes: &dyn Fn(usize) -> u64,
) -> u32 {
    match *immediate {
        Immediate::FirstWorkgroup(axis) => first[axis as usize],
        Immediate::Workgroups(axis) => workgroups[axis as usize],
        Immediate::Units { buffer, unit_bytes } => {
            (bytes(buffer.index()) / unit_bytes as u64).try_into().unwrap_or(u32::MAX)
        }
    }
}
