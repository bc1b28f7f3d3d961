//! One launch of a kernel: which memory it is given, and how its grid fits the device.

use crate::executable::{CudaExecutable, Loaded};
use crate::library::{Failure, call};
use crate::memory::CudaMemory;
use crate::opened::Opened;
use crate::symbols::{Address, Function, Stream};
use crate::{ID, errors};
use smallvec::SmallVec;
use std::ffi::c_void;
use std::sync::Arc;
use vyre_driver::{BackendError, DeviceMemory, Executable, LaunchMemory, own};
use vyre_ir::{Buffer, Entity};
use vyre_ptx::{Param, fit};

/// A kernel and the memory that it is bound to.
pub struct Bound<'s> {
    pub executable: &'s CudaExecutable,
    pub loaded: Arc<Loaded>,
    /// Address and size of each buffer, by its number; 0 of what is not bound.
    memory: SmallVec<[(Address, u64); 8]>,
}

/// What a launch is, apart from its kernel and memory.
#[derive(Copy, Clone)]
pub struct Place {
    /// How many workgroups along x are one block.
    pub merged: u32,
    /// Its first block.
    pub first: [u32; 3],
    /// Blocks that it has.
    pub grid: [u32; 3],
    /// Workgroups of the whole grid that it is part of.
    pub workgroups: [u32; 3],
    /// The word by which blocks wait for each other.
    pub barrier: Address,
    /// What says which of its workgroups are wanted.
    pub gate: Address,
}

/// A launch as the driver takes it.
#[derive(Clone)]
pub struct Prepared {
    pub loaded: Arc<Loaded>,
    fit: bool,
    pub grid: [u32; 3],
    pub block: [u32; 3],
    pub shared: u32,
    pub waits: bool,
    /// The parameters, each at the start of its own word.
    pub params: Params,
}

/// A kernel, whether its buffers fit, its grid and its blocks.
pub type Step = (u64, bool, [u32; 3], [u32; 3]);

/// Parameters; those of most programs need no memory of their own.
pub type Params = SmallVec<[u64; 16]>;

/// Where each parameter is, as the driver wants it.
pub type Places = SmallVec<[*mut c_void; 16]>;

/// Where parameters are: valid as long as they are not moved.
pub fn places(params: &mut Params) -> Places {
    params.iter_mut().map(|param| std::ptr::from_mut(param).cast()).collect()
}

/// The device's memory behind the driver layer's view of it.
pub fn own_memory<'m>(
    opened: &Arc<Opened>,
    memory: &'m dyn DeviceMemory,
) -> Result<&'m CudaMemory, BackendError> {
    let memory = own::<CudaMemory>(memory)?;
    if memory.is_of(opened) { Ok(memory) } else { Err(errors::internal("memory of another device")) }
}

impl<'s> Bound<'s> {
    /// Binds memory, one for each buffer of the program. The context is the thread's.
    pub fn new(
        opened: &Arc<Opened>,
        executable: &'s dyn Executable,
        memory: &[LaunchMemory<'_>],
    ) -> Result<Bound<'s>, BackendError> {
        let executable = own::<CudaExecutable>(executable)?;
        if !Arc::ptr_eq(&executable.opened, opened) {
            return Err(errors::internal("a program of another device"));
        }
        let place = |memory: &LaunchMemory<'_>| match memory {
            LaunchMemory::Unbound => Ok((0, 0)),
            LaunchMemory::Device { memory, .. } => {
                own_memory(opened, *memory).map(|own| (own.address(), memory.bytes()))
            }
            LaunchMemory::Read(_) | LaunchMemory::Write(_) => {
                Err(errors::internal("memory that is not the device's"))
            }
        };
        let memory = memory.iter().map(place).collect::<Result<SmallVec<_>, _>>()?;
        let mut buffers = executable.facts.params.iter().filter_map(|param| param.buffer());
        if buffers.any(|buffer| memory.get(buffer.index()).is_none_or(|(address, _)| *address == 0)) {
            return Err(errors::internal("a buffer without memory"));
        }
        Ok(Bound { executable, loaded: executable.loaded()?, memory })
    }

    /// The launch at a place.
    pub fn at(&self, place: &Place) -> Prepared {
        let facts = &self.executable.facts;
        let [x, y, z] = facts.block;
        let word = |param: &Param| match *param {
            Param::Address(buffer) => self.memory[buffer.index()].0,
            Param::Length { buffer, .. } | Param::Last { buffer, .. } => {
                param.extent(self.memory[buffer.index()].1).unwrap_or(0).into()
            }
            Param::Workgroups(axis) => place.workgroups[axis as usize].into(),
            Param::FirstWorkgroup(axis) => place.first[axis as usize].into(),
            Param::Barrier => place.barrier,
            Param::Gate => place.gate,
        };
        Prepared {
            loaded: self.loaded.clone(),
            fit: facts.fitted.as_ref().is_some_and(|(_, fits)| {
                let bytes = |buffer: Buffer| self.memory.get(buffer.index()).map_or(0, |(_, bytes)| *bytes);
                fit(fits, bytes, place.workgroups, facts.block)
            }),
            grid: place.grid,
            block: [x * place.merged, y, z],
            shared: facts.dynamic_shared,
            waits: facts.waits,
            params: facts.params.iter().map(word).collect(),
        }
    }
}

impl Prepared {
    /// What is launched.
    pub fn function(&self) -> Function {
        self.loaded.function(self.fit)
    }

    /// What it has in common with launches that differ in their parameters only.
    pub fn step(&self) -> Step {
        (self.loaded.id, self.fit, self.grid, self.block)
    }

    /// Hands it to the driver.
    pub fn launch(&mut self, opened: &Opened, stream: Stream) -> Result<(), BackendError> {
        let driver = opened.driver();
        let mut places = places(&mut self.params);
        let ([x, y, z], [a, b, c]) = (self.grid, self.block);
        let (function, shared) = (self.function(), self.shared);
        opened.counters.launches.add(1);
        let launched = if self.waits {
            let launch = driver.cuLaunchCooperativeKernel;
            let launch = launch.ok_or_else(|| errors::internal("a driver without cooperative launches"))?;
            // SAFETY: the function takes these parameters (`Facts::params`), whose words are there during the call. What
            // they point to is the caller's for as long as the launch is under way.
            let status = unsafe { launch(function, x, y, z, a, b, c, shared, stream, places.as_mut_ptr()) };
            driver.check("cuLaunchCooperativeKernel", status)
        } else {
            let none = std::ptr::null_mut();
            // SAFETY: as above.
            unsafe {
                call!(
                    driver,
                    cuLaunchKernel(function, x, y, z, a, b, c, shared, stream, places.as_mut_ptr(), none)
                )
            }
        };
        launched.map_err(|failure| self.failed(opened, &failure))
    }

    fn failed(&self, opened: &Opened, failure: &Failure) -> BackendError {
        // CUDA_ERROR_COOPERATIVE_LAUNCH_TOO_LARGE
        if failure.status.0 == 720 {
            let workgroups = self.grid.iter().fold(1u64, |n, &axis| n.saturating_mul(axis.into()));
            return BackendError::CooperativeLaunchTooLarge { workgroups, limit: workgroups - 1 };
        }
        opened.failed(failure)
    }
}

/// Part of a grid, no larger than what the device takes at once.
pub struct Part {
    /// Its first block.
    pub first: [u32; 3],
    pub blocks: [u32; 3],
}

/// Blocks of one launch at most, which cannot be stopped: some tenths of a second, if they do nothing.
const PART: u64 = 1 << 28;

/// How much of a grid is one launch on a device that takes so much along each axis.
pub fn largest(blocks: [u32; 3], device: [u32; 3]) -> [u32; 3] {
    let mut left = PART;
    [0, 1, 2].map(|axis| {
        let most = left.min(device[axis].into()).max(1) as u32;
        left /= u64::from(blocks[axis].clamp(1, most));
        most
    })
}

/// The parts of a grid, each of up to so many blocks along each axis.
pub fn parts(blocks: [u32; 3], most: [u32; 3]) -> impl Iterator<Item = Part> {
    let axis = move |axis: usize| (0..blocks[axis]).step_by(most[axis].max(1) as usize);
    let firsts = axis(2).flat_map(move |z| axis(1).flat_map(move |y| axis(0).map(move |x| [x, y, z])));
    firsts.map(move |first| Part {
        first,
        blocks: [0, 1, 2].map(|axis| (blocks[axis] - first[axis]).min(most[axis])),
    })
}

/// That the driver layer asked for what the profile says there is none of.
pub fn no_such_command(what: &str) -> BackendError {
    errors::internal(&format!("backend `{ID}` is asked for {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_no_larger_than_a_launch() {
        let device = [i32::MAX as u32, 65_535, 65_535];
        for (blocks, expected) in [
            ([1, 1, 1], [1 << 28, 65_535, 65_535]),
            ([4096, 70_000, 2], [1 << 28, 65_535, 1]),
            ([u32::MAX; 3], [1 << 28, 1, 1]),
            ([1 << 20, u32::MAX, 7], [1 << 28, 256, 1]),
            ([0, 5, 5], [1 << 28, 65_535, 65_535]),
        ] {
            assert_eq!(largest(blocks, device), expected, "{blocks:?}");
        }
    }

    /// Kernels of wide workgroups are not told where along x a launch begins.
    #[test]
    fn wide_workgroups_are_not_cut_along_x() {
        let device = [i32::MAX as u32, 65_535, 65_535];
        for size in vyre_ptx::UNCUT..=1024 {
            for blocks in [[u32::MAX / size, 1, 1], [u32::MAX / size, u32::MAX, u32::MAX]] {
                assert!(largest(blocks, device)[0] >= blocks[0], "{blocks:?}");
            }
        }
    }

    #[test]
    fn parts_are_the_whole_grid_once() {
        for (blocks, most) in [
            ([5, 7, 3], [2, 3, 65_535]),
            ([1, 1, 1], [1, 1, 1]),
            ([9, 1, 4], [9, 1, 3]),
            ([0, 5, 5], [3, 3, 3]),
            ([4, 4, 4], [4, 4, 4]),
        ] {
            let mut seen = std::collections::HashSet::new();
            for part in parts(blocks, most) {
                assert!((0..3).all(|axis| (1..=most[axis]).contains(&part.blocks[axis])));
                for x in 0..part.blocks[0] {
                    for y in 0..part.blocks[1] {
                        for z in 0..part.blocks[2] {
                            let [a, b, c] = part.first;
                            assert!(seen.insert([a + x, b + y, c + z]));
                        }
                    }
                }
            }
            assert!(seen.iter().all(|at| (0..3).all(|axis| at[axis] < blocks[axis])));
            assert_eq!(seen.len() as u32, blocks.iter().product::<u32>());
        }
    }
}
