//! Kernels on data of the host, which is copied to the device and back in the submission that runs them.
//!
//! One buffer for writing stays mapped between runs, one for reading is mapped when the device is done; both and the
//! buffers of the kernel are made once. A first dispatch makes module, pipeline and bind group anew, and nothing else.

use super::{Bound, Wgpu};
use crate::error::BenchError;
use crate::kernels::{Case, Data, Kernel, Mode, Work};
use crate::runner::{Loaded, fresh};
use wgpu::{Buffer, BufferDescriptor, BufferUsages, CommandEncoderDescriptor, MapMode};

pub struct Staged {
    wgpu: Wgpu,
    kernel: &'static Kernel,
    work: Work,
    /// None where each run makes it.
    bound: Option<Bound>,
    buffers: Vec<Buffer>,
    up: Option<Buffer>,
    down: Option<Buffer>,
    results: Vec<Vec<u32>>,
}

/// Makes the buffers, and the pipeline if runs are not to make it.
pub fn load(wgpu: &Wgpu, case: &Case, work: &Work) -> Result<Staged, BenchError> {
    let buffer = |size: u64, usage, mapped_at_creation| {
        wgpu.device.create_buffer(&BufferDescriptor { label: None, size, usage, mapped_at_creation })
    };
    wgpu.checked(|| {
        let usage = BufferUsages::STORAGE | BufferUsages::COPY_SRC | BufferUsages::COPY_DST;
        let buffers: Vec<Buffer> =
            work.buffers.iter().map(|data| buffer(data.bytes().len() as u64, usage, false)).collect();
        let all = |which: fn(&Data) -> bool| {
            let sizes = work.buffers.iter().filter(|data| which(data)).map(room);
            Some(sizes.sum::<u64>()).filter(|sum| *sum > 0)
        };
        let up = all(|data| data.given)
            .map(|size| buffer(size, BufferUsages::MAP_WRITE | BufferUsages::COPY_SRC, true));
        let down = all(|data| data.written)
            .map(|size| buffer(size, BufferUsages::MAP_READ | BufferUsages::COPY_DST, false));
        let bound = (case.mode != Mode::First).then(|| wgpu.bound(case.kernel.wgsl, work, &buffers));
        let results = work.buffers.iter().map(|data| data.words.clone()).collect();
        Staged {
            wgpu: wgpu.clone(),
            kernel: case.kernel,
            work: work.clone(),
            bound,
            buffers,
            up,
            down,
            results,
        }
    })
}

/// Bytes of staging memory for a buffer: mapped ranges begin at multiples of 8.
fn room(data: &Data) -> u64 {
    (data.bytes().len() as u64).next_multiple_of(8)
}

fn failed(error: impl std::fmt::Display) -> BenchError {
    BenchError::Peer(error.to_string())
}

impl Loaded for Staged {
    fn run(&mut self) -> Result<(), BenchError> {
        let Wgpu { device, queue, .. } = &self.wgpu;
        let made;
        let bound = match &self.bound {
            Some(bound) => bound,
            None => {
                made = self.wgpu.bound(&self.kernel.variant(fresh()), &self.work, &self.buffers);
                &made
            }
        };
        let mut encoder = device.create_command_encoder(&CommandEncoderDescriptor::default());
        let all = || self.work.buffers.iter().zip(&self.buffers);
        if let Some(up) = &self.up {
            let mut at = 0;
            for (data, buffer) in all().filter(|(data, _)| data.given) {
                let bytes = data.bytes();
                let end = at + bytes.len() as u64;
                let mut view = up.get_mapped_range_mut(at..end).map_err(failed)?;
                view.slice(..).copy_from_slice(bytes);
                encoder.copy_buffer_to_buffer(up, at, buffer, 0, bytes.len() as u64);
                at += room(data);
            }
            up.unmap();
        }
        bound.launch(&mut encoder, self.work.workgroups);
        if let Some(down) = &self.down {
            let mut at = 0;
            for (data, buffer) in all().filter(|(data, _)| data.written) {
                encoder.copy_buffer_to_buffer(buffer, 0, down, at, data.bytes().len() as u64);
                at += room(data);
            }
        }
        queue.submit([encoder.finish()]);
        // What went wrong shows when the ranges are taken.
        self.down.iter().for_each(|down| down.map_async(MapMode::Read, .., |_| ()));
        self.up.iter().for_each(|up| up.map_async(MapMode::Write, .., |_| ()));
        self.wgpu.wait()?;
        if let Some(down) = &self.down {
            let mut at = 0;
            let written = self.work.buffers.iter().zip(&mut self.results).filter(|(data, _)| data.written);
            for (data, words) in written {
                let bytes: &mut [u8] = bytemuck::cast_slice_mut(words);
                let view = down.get_mapped_range(at..at + bytes.len() as u64).map_err(failed)?;
                bytes.copy_from_slice(&view);
                at += room(data);
            }
            down.unmap();
        }
        Ok(())
    }

    fn read(&mut self) -> Result<Vec<Vec<u32>>, BenchError> {
        Ok(self.results.clone())
    }
}
