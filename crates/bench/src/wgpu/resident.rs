//! Kernels on buffers that stay on the device.

use super::{Bound, Wgpu};
use crate::error::BenchError;
use crate::kernels::{Kernel, Work};
use crate::runner::Loaded;
use wgpu::util::{BufferInitDescriptor, DeviceExt};
use wgpu::{Buffer, BufferDescriptor, BufferUsages, CommandEncoderDescriptor, MapMode};

pub struct Resident {
    wgpu: Wgpu,
    bound: Bound,
    buffers: Vec<Buffer>,
    workgroups: [u32; 3],
}

/// Makes the pipeline and brings the data to the device.
pub fn load(wgpu: &Wgpu, kernel: &Kernel, work: &Work) -> Result<Resident, BenchError> {
    let usage = BufferUsages::STORAGE | BufferUsages::COPY_SRC;
    wgpu.checked(|| {
        let buffers: Vec<Buffer> = (work.buffers.iter())
            .map(|data| {
                let contents = bytemuck::cast_slice(&data.words);
                wgpu.device.create_buffer_init(&BufferInitDescriptor { label: None, contents, usage })
            })
            .collect();
        let bound = wgpu.bound(kernel.wgsl, work, &buffers);
        Resident { wgpu: wgpu.clone(), bound, buffers, workgroups: work.workgroups }
    })
}

impl Loaded for Resident {
    fn run(&mut self) -> Result<(), BenchError> {
        let mut encoder = self.wgpu.device.create_command_encoder(&CommandEncoderDescriptor::default());
        self.bound.launch(&mut encoder, self.workgroups);
        self.wgpu.queue.submit([encoder.finish()]);
        self.wgpu.wait()
    }

    fn read(&mut self) -> Result<Vec<Vec<u32>>, BenchError> {
        let Wgpu { device, queue, .. } = &self.wgpu;
        let copy = |buffer: &Buffer| {
            let staging = device.create_buffer(&BufferDescriptor {
                label: None,
                size: buffer.size(),
                usage: BufferUsages::COPY_DST | BufferUsages::MAP_READ,
                mapped_at_creation: false,
            });
            let mut encoder = device.create_command_encoder(&CommandEncoderDescriptor::default());
            encoder.copy_buffer_to_buffer(buffer, 0, &staging, 0, buffer.size());
            queue.submit([encoder.finish()]);
            // What went wrong shows when the range is taken.
            staging.map_async(MapMode::Read, .., |_| ());
            self.wgpu.wait()?;
            let range = staging.get_mapped_range(..).map_err(|error| BenchError::Peer(error.to_string()))?;
            Ok(bytemuck::pod_collect_to_vec(&range))
        };
        self.buffers.iter().map(copy).collect()
    }
}
