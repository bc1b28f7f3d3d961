//! The peer wgpu: the same WGSL through plain wgpu code, on lavapipe or on the adapter of vyre's own device.
//!
//! It is what a careful user writes: objects are made once, memory is where it is needed before its time begins, and a
//! run is one command buffer, one submission and one wait.

mod resident;
mod staged;

use crate::error::BenchError;
use crate::kernels::{Case, Mode, Work};
use crate::runner::{Loaded, Runner};
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use vyre::DeviceProfile;
use wgpu::{
    Adapter, AdapterInfo, Backends, BindGroup, BindGroupDescriptor, BindGroupEntry, Buffer, CommandEncoder,
    ComputePassDescriptor, ComputePipeline, ComputePipelineDescriptor, Device, DeviceDescriptor, DeviceType,
    ErrorFilter, Instance, InstanceDescriptor, PipelineCompilationOptions, PollType, Queue,
    ShaderModuleDescriptor, ShaderRuntimeChecks, ShaderSource,
};

/// Part of the name that Mesa's lavapipe gives its device.
const NAME: &str = "llvmpipe";

/// An open device.
#[derive(Clone)]
pub struct Wgpu {
    info: AdapterInfo,
    device: Device,
    queue: Queue,
    /// Whether programs have the checks that wgpu gives them by default; else none at all.
    checked: bool,
}

/// A kernel with what it works on.
struct Bound {
    pipeline: ComputePipeline,
    /// None without buffers.
    group: Option<BindGroup>,
}

impl Wgpu {
    /// Finds lavapipe.
    ///
    /// # Errors
    /// Why not.
    pub fn lavapipe() -> Result<Wgpu, String> {
        let descriptor = InstanceDescriptor {
            backends: Backends::VULKAN,
            ..InstanceDescriptor::new_without_display_handle()
        };
        let adapters = ready(Instance::new(descriptor).enumerate_adapters(Backends::VULKAN));
        let found: Vec<String> = adapters.iter().map(|adapter| adapter.get_info().name).collect();
        let mut adapters = adapters.into_iter();
        let lavapipe = adapters.find(|adapter| {
            let info = adapter.get_info();
            info.device_type == DeviceType::Cpu && info.name.contains(NAME)
        });
        match lavapipe {
            Some(adapter) => Wgpu::on(&adapter, true),
            None if found.is_empty() => Err("there is no Vulkan device".into()),
            None => Err(format!("none of the Vulkan devices is lavapipe: {}", found.join(", "))),
        }
    }

    /// Finds the adapter of a device of vyre's backend `wgpu`.
    ///
    /// # Errors
    /// Why not.
    pub fn of(device: &DeviceProfile, checked: bool) -> Result<Wgpu, String> {
        match vyre_wgpu::adapter_of(device) {
            Some(adapter) => Wgpu::on(&adapter, checked),
            None => Err(format!("\"{}\" is not a device of backend `{}`", device.name, vyre_wgpu::ID)),
        }
    }

    /// Opens an adapter with all that its limits allow.
    fn on(adapter: &Adapter, checked: bool) -> Result<Wgpu, String> {
        let descriptor =
            DeviceDescriptor { required_limits: adapter.limits(), ..DeviceDescriptor::default() };
        let (device, queue) =
            ready(adapter.request_device(&descriptor)).map_err(|error| error.to_string())?;
        Ok(Wgpu { info: adapter.get_info(), device, queue, checked })
    }

    /// A kernel's pipeline, and what binds the buffers to it.
    fn bound(&self, source: &str, work: &Work, buffers: &[Buffer]) -> Bound {
        let device = &self.device;
        let descriptor = ShaderModuleDescriptor { label: None, source: ShaderSource::Wgsl(source.into()) };
        let module = match self.checked {
            true => device.create_shader_module(descriptor),
            // SAFETY: the kernels of this crate access nothing out of bounds, divide by nothing, and end.
            false => unsafe {
                device.create_shader_module_trusted(descriptor, ShaderRuntimeChecks::unchecked())
            },
        };
        let pipeline = device.create_compute_pipeline(&ComputePipelineDescriptor {
            label: None,
            layout: None,
            module: &module,
            entry_point: None,
            compilation_options: PipelineCompilationOptions {
                constants: &work.overrides,
                zero_initialize_workgroup_memory: self.checked,
            },
            cache: None,
        });
        let entries: Vec<BindGroupEntry<'_>> = (0u32..)
            .zip(buffers)
            .map(|(binding, buffer)| BindGroupEntry { binding, resource: buffer.as_entire_binding() })
            .collect();
        let group = || {
            let layout = &pipeline.get_bind_group_layout(0);
            device.create_bind_group(&BindGroupDescriptor { label: None, layout, entries: &entries })
        };
        let group = (!buffers.is_empty()).then(group);
        Bound { pipeline, group }
    }

    /// What `calls` give, if wgpu has nothing against them.
    fn checked<T>(&self, calls: impl FnOnce() -> T) -> Result<T, BenchError> {
        let scopes = [ErrorFilter::Validation, ErrorFilter::OutOfMemory, ErrorFilter::Internal]
            .map(|filter| self.device.push_error_scope(filter));
        let value = calls();
        for scope in scopes.into_iter().rev() {
            if let Some(error) = ready(scope.pop()) {
                return Err(BenchError::Peer(error.to_string()));
            }
        }
        Ok(value)
    }

    fn wait(&self) -> Result<(), BenchError> {
        match self.device.poll(PollType::wait_indefinitely()) {
            Ok(_) => Ok(()),
            Err(error) => Err(BenchError::Peer(error.to_string())),
        }
    }
}

impl Bound {
    fn launch(&self, encoder: &mut CommandEncoder, workgroups: [u32; 3]) {
        let mut pass = encoder.begin_compute_pass(&ComputePassDescriptor::default());
        pass.set_pipeline(&self.pipeline);
        if let Some(group) = &self.group {
            pass.set_bind_group(0, group, &[]);
        }
        let [x, y, z] = workgroups;
        pass.dispatch_workgroups(x, y, z);
    }
}

impl Runner for Wgpu {
    fn about(&self) -> String {
        let AdapterInfo { name, driver, driver_info, backend, .. } = &self.info;
        let checks = if self.checked { "its checks as by default" } else { "without checks" };
        format!("wgpu 30, {backend}, {name}, {driver} {driver_info}; {checks}")
    }

    fn load(&self, case: &Case, work: &Work) -> Result<Box<dyn Loaded>, BenchError> {
        Ok(match case.mode {
            Mode::Resident => Box::new(resident::load(self, case.kernel, work)?),
            Mode::Copies | Mode::First => Box::new(staged::load(self, case, work)?),
        })
    }
}

/// What a future gives that has it at once, as wgpu's have where there is no browser.
fn ready<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(value) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return value;
        }
        std::thread::yield_now();
    }
}
