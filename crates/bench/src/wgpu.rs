//! The peer lavapipe: the same WGSL through wgpu on Vulkan in software, with its checks as they are by default.

use crate::error::BenchError;
use crate::kernels::{Kernel, Work};
use crate::runner::{Loaded, Runner};
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use wgpu::util::{BufferInitDescriptor, DeviceExt};
use wgpu::{
    AdapterInfo, Backends, BindGroup, BindGroupDescriptor, BindGroupEntry, Buffer, BufferDescriptor,
    BufferUsages, CommandEncoderDescriptor, ComputePassDescriptor, ComputePipeline,
    ComputePipelineDescriptor, Device, DeviceDescriptor, DeviceType, ErrorFilter, Instance,
    InstanceDescriptor, MapMode, PipelineCompilationOptions, PollType, Queue, ShaderModuleDescriptor,
    ShaderSource,
};

/// Part of the name that Mesa's lavapipe gives its device.
const NAME: &str = "llvmpipe";

/// A Vulkan device in software.
pub struct Wgpu {
    info: AdapterInfo,
    device: Device,
    queue: Queue,
}

struct WgpuLoaded {
    device: Device,
    queue: Queue,
    pipeline: ComputePipeline,
    bind_group: BindGroup,
    buffers: Vec<Buffer>,
    workgroups: [u32; 3],
}

impl Wgpu {
    /// Finds lavapipe, and opens it with all that its limits allow.
    ///
    /// # Errors
    /// Why not.
    pub fn open() -> Result<Wgpu, String> {
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
        let Some(adapter) = lavapipe else {
            return Err(match &found[..] {
                [] => "there is no Vulkan device".into(),
                _ => format!("none of the Vulkan devices is lavapipe: {}", found.join(", ")),
            });
        };
        let descriptor =
            DeviceDescriptor { required_limits: adapter.limits(), ..DeviceDescriptor::default() };
        let (device, queue) =
            ready(adapter.request_device(&descriptor)).map_err(|error| error.to_string())?;
        Ok(Wgpu { info: adapter.get_info(), device, queue })
    }
}

impl Runner for Wgpu {
    fn about(&self) -> String {
        let AdapterInfo { name, driver, driver_info, .. } = &self.info;
        format!("wgpu 30, Vulkan, {name}, {driver} {driver_info}")
    }

    fn load(&self, kernel: &Kernel, work: &Work) -> Result<Box<dyn Loaded>, BenchError> {
        let device = &self.device;
        let scopes = [ErrorFilter::Validation, ErrorFilter::OutOfMemory, ErrorFilter::Internal]
            .map(|filter| device.push_error_scope(filter));
        let source = ShaderSource::Wgsl(kernel.wgsl.into());
        let module = device.create_shader_module(ShaderModuleDescriptor { label: Some(kernel.name), source });
        let pipeline = device.create_compute_pipeline(&ComputePipelineDescriptor {
            label: Some(kernel.name),
            layout: None,
            module: &module,
            entry_point: None,
            compilation_options: PipelineCompilationOptions {
                constants: &work.overrides,
                ..PipelineCompilationOptions::default()
            },
            cache: None,
        });
        let buffers: Vec<Buffer> = work
            .buffers
            .iter()
            .map(|data| {
                device.create_buffer_init(&BufferInitDescriptor {
                    label: None,
                    contents: bytemuck::cast_slice(&data.words),
                    usage: BufferUsages::STORAGE | BufferUsages::COPY_SRC,
                })
            })
            .collect();
        let entries: Vec<BindGroupEntry<'_>> = (0u32..)
            .zip(&buffers)
            .map(|(binding, buffer)| BindGroupEntry { binding, resource: buffer.as_entire_binding() })
            .collect();
        let bind_group = device.create_bind_group(&BindGroupDescriptor {
            label: None,
            layout: &pipeline.get_bind_group_layout(0),
            entries: &entries,
        });
        for scope in scopes.into_iter().rev() {
            if let Some(error) = ready(scope.pop()) {
                return Err(BenchError::Peer(error.to_string()));
            }
        }
        Ok(Box::new(WgpuLoaded {
            device: device.clone(),
            queue: self.queue.clone(),
            pipeline,
            bind_group,
            buffers,
            workgroups: work.workgroups,
        }))
    }
}

impl WgpuLoaded {
    fn wait(&self) -> Result<(), BenchError> {
        match self.device.poll(PollType::wait_indefinitely()) {
            Ok(_) => Ok(()),
            Err(error) => Err(BenchError::Peer(error.to_string())),
        }
    }
}

impl Loaded for WgpuLoaded {
    fn run(&mut self) -> Result<(), BenchError> {
        let mut encoder = self.device.create_command_encoder(&CommandEncoderDescriptor::default());
        let mut pass = encoder.begin_compute_pass(&ComputePassDescriptor::default());
        pass.set_pipeline(&self.pipeline);
        pass.set_bind_group(0, &self.bind_group, &[]);
        let [x, y, z] = self.workgroups;
        pass.dispatch_workgroups(x, y, z);
        drop(pass);
        self.queue.submit([encoder.finish()]);
        self.wait()
    }

    fn read(&mut self) -> Result<Vec<Vec<u32>>, BenchError> {
        let copy = |buffer: &Buffer| {
            let staging = self.device.create_buffer(&BufferDescriptor {
                label: None,
                size: buffer.size(),
                usage: BufferUsages::COPY_DST | BufferUsages::MAP_READ,
                mapped_at_creation: false,
            });
            let mut encoder = self.device.create_command_encoder(&CommandEncoderDescriptor::default());
            encoder.copy_buffer_to_buffer(buffer, 0, &staging, 0, buffer.size());
            self.queue.submit([encoder.finish()]);
            // What went wrong shows when the range is taken.
            staging.map_async(MapMode::Read, .., |_| ());
            self.wait()?;
            let range = staging.get_mapped_range(..).map_err(|error| BenchError::Peer(error.to_string()))?;
            Ok(bytemuck::pod_collect_to_vec(&range))
        };
        self.buffers.iter().map(copy).collect()
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
