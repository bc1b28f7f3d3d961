//! Memory bandwidth: measured by copying, and kept for other processes.
//!
//! A program copies one resident buffer to another, vector by vector, and back again: so both are memory that was
//! written before it is read, and not pages of zeros that the system has not made yet. The buffers grow until they are
//! larger than caches or a copy takes long; a device that is so slow is not held up by caches either.
//!
//! What was measured is kept as entries of a [`DiskCache`], with all that this promises: damaged or foreign ones are not
//! there, several processes may read and write at once, and there are only so many. Nothing is measured unless asked for.

use crate::backend::CompileOptions;
use crate::cache::disk::{DiskCache, DiskCacheConfig, DiskUsage, Lookup};
use crate::cache::key::{CacheKey, Name};
use crate::compiled::Compiled;
use crate::config::DispatchConfig;
use crate::device::Device;
use crate::error::BackendError;
use crate::memory::available_host_bytes;
use crate::profile::{DeviceKind, DeviceProfile};
use crate::resident::{Region, Resident, ResidentOptions, Upload};
use crate::resource::Resource;
use std::collections::HashMap;
use std::io;
use std::path::Path;
use vyre_ir::op::Op;
use vyre_ir::{Access, BufferDecl, Builder, Memory, Program, Scalar, Type};

/// Bytes of a buffer at first, and by how much it grows.
const FIRST: u64 = 64 << 10;
const GROWTH: u64 = 16;

/// Bytes of a buffer at most: two of them are several times what the caches of most machines hold, those of a server's
/// GPU (50 MB on an H200) included.
const MOST: u64 = 64 << 20;
const MOST_OF_A_GPU: u64 = 256 << 20;

/// Nanoseconds after which a copy forth and back is long, and the longest that several of them take in one submission.
const LONG: u64 = 50_000_000;

/// Copies forth and back in one submission, where they are not long.
const REPEATS: u64 = 4;

/// Submissions that are measured; the best one counts, since whatever else goes on only takes away.
const ROUNDS: u32 = 3;

/// Bytes of a vector, and its lanes.
const VECTOR: u64 = 16;
const LANES: u32 = 4;

impl Device {
    /// Measures how many gigabytes of memory the device reads and writes in a second, both counted, by its own clock if
    /// it has one. Takes about half a second and memory of up to 128 MiB, of a GPU up to 512 MiB.
    ///
    /// # Errors
    /// As [`Device::compile`], [`Device::allocate`] and [`Batch::run`](crate::Batch::run).
    pub fn measure_bandwidth(&self) -> Result<f32, BackendError> {
        let workgroup = workgroup(self.profile());
        let copy = self.compile(&copy(workgroup), &DispatchConfig::default())?;
        let most = most(self.profile(), workgroup);
        let mut buffers = Buffers::new(self, FIRST.min(most))?;
        let mut once = buffers.try_out(&copy)?;
        while buffers.bytes < most && once < LONG {
            let grown = Buffers::new(self, buffers.bytes.saturating_mul(GROWTH).min(most));
            buffers = match grown {
                Ok(grown) => grown,
                // There is no room for more, and what there is was enough so far.
                Err(BackendError::OutOfMemory { .. }) => break,
                Err(error) => return Err(error),
            };
            once = buffers.try_out(&copy)?;
        }
        let times = (LONG / once).clamp(1, REPEATS);
        let mut best = u64::MAX;
        for _ in 0..ROUNDS {
            best = best.min(buffers.run(&copy, times)?);
        }
        // Forth and back, read and written: bytes by nanoseconds are gigabytes by seconds.
        Ok((4 * times * buffers.bytes) as f32 / best as f32)
    }
}

/// Two buffers of one size.
struct Buffers<'a> {
    device: &'a Device,
    bytes: u64,
    one: Resident,
    other: Resident,
}

impl<'a> Buffers<'a> {
    fn new(device: &'a Device, bytes: u64) -> Result<Buffers<'a>, BackendError> {
        let allocate = |name: &str| {
            device.allocate(ResidentOptions { name: name.into(), bytes, ..ResidentOptions::default() })
        };
        let buffers = Buffers { device, bytes, one: allocate("one")?, other: allocate("other")? };
        // At the end, to tell by whether all is copied.
        let last = Upload { to: &buffers.one, offset: bytes - VECTOR, bytes: &MARK };
        device.upload(&[last])?;
        Ok(buffers)
    }

    /// How long it takes once. The first time that memory is touched takes longer, so a long one is given another chance.
    fn try_out(&self, copy: &Compiled) -> Result<u64, BackendError> {
        match self.run(copy, 1)? {
            long @ LONG.. => Ok(long.min(self.run(copy, 1)?)),
            short => Ok(short),
        }
    }

    /// Copies one to the other and back, so many times in one submission; gives how many nanoseconds it took, at least 1.
    fn run(&self, copy: &Compiled, times: u64) -> Result<u64, BackendError> {
        let (one, other) = (Resource::Resident(&self.one), Resource::Resident(&self.other));
        let config = DispatchConfig::default();
        let mut batch = self.device.batch();
        batch.repeat(times as u32, |batch| {
            batch.dispatch(copy, &[one.clone(), other.clone()], &config)?;
            batch.dispatch(copy, &[other, one], &config)
        })?;
        let timing = batch.run(&[])?.timing;
        let copied = Region { from: &self.other, range: self.bytes - VECTOR..self.bytes };
        if self.device.download(&[copied])?[0][..] != MARK {
            let what = format!("a copy of {} bytes on `{}` did not arrive", self.bytes, self.device.id());
            return Err(BackendError::Internal { what });
        }
        // A clock that says that no time passed has measured nothing.
        Ok(timing.device_ns.filter(|ns| *ns > 0).unwrap_or(timing.wall_ns).max(1))
    }
}

/// What is looked for in a copy.
const MARK: [u8; VECTOR as usize] = *b"memory bandwidth";

/// Invocations of a workgroup.
fn workgroup(profile: &DeviceProfile) -> u32 {
    let limits = &profile.limits;
    limits.workgroup_size[0].min(limits.invocations_per_workgroup).clamp(1, 256)
}

/// Bytes of the largest buffer, a multiple of a vector.
fn most(profile: &DeviceProfile, workgroup: u32) -> u64 {
    let limits = &profile.limits;
    let is_gpu = DeviceKind::GPU.contains(&profile.kind);
    let most = match is_gpu {
        true => MOST_OF_A_GPU,
        false => MOST.min(available_host_bytes().unwrap_or(u64::MAX) / 8),
    };
    let of_a_grid = VECTOR * workgroup as u64 * limits.workgroups_per_dimension.max(1) as u64;
    let most = most.min(limits.storage_binding_bytes).min(of_a_grid);
    (most / VECTOR * VECTOR).max(VECTOR)
}

/// Copies a vector in each invocation.
fn copy(workgroup: u32) -> Program {
    let mut b = Builder::new("copy", [workgroup, 1, 1]);
    let vector = Type::new(Scalar::U32, LANES as u8);
    let decl = |name: &str, binding, access| BufferDecl {
        name: name.into(),
        group: 0,
        binding,
        memory: Memory::Storage,
        access,
        element: vector,
        count: 0,
        ..BufferDecl::default()
    };
    let from = b.buffer(decl("from", 0, Access::Read));
    let to = b.buffer(decl("to", 1, Access::ReadWrite));
    let invocation = b.axis(Op::GlobalId, 0);
    let lanes = b.u32(LANES);
    let at = b.op(Op::Mul, &[invocation, lanes]);
    let value = b.load(Op::Load, from, at, vector);
    b.store(Op::Store, to, at, value);
    b.finish()
}

/// Measured memory bandwidths by device, of this process and, in a folder, of earlier ones.
#[derive(Default)]
pub struct Bandwidths {
    disk: Option<DiskCache>,
    measured: HashMap<[u8; 32], f32>,
}

/// Where in a folder values are.
const FOLDER: &str = "bandwidths";

/// Bytes of all values in a folder: some hundreds of devices.
const FOLDER_BYTES: u64 = 64 << 10;

impl Bandwidths {
    /// Values that are kept in this folder of a cache, which is made when the first one is. Nothing is read or written
    /// yet. The default keeps them as long as it lives.
    pub fn in_folder(folder: &Path) -> Bandwidths {
        let config = DiskCacheConfig { directory: folder.join(FOLDER), bytes: FOLDER_BYTES };
        Bandwidths { disk: Some(DiskCache::new(config)), measured: HashMap::new() }
    }

    /// What was measured of a device of that backend, name, driver and number of processors, in GB/s, by this version
    /// of vyre.
    pub fn get(&self, device: &DeviceProfile) -> Option<f32> {
        let name = name(device);
        if let Some(rate) = self.measured.get(&name.key) {
            return Some(*rate);
        }
        let Lookup::Found(payload) = self.disk.as_ref()?.read(&name) else { return None };
        let rate = f32::from_le_bytes(payload.try_into().ok()?);
        is_rate(rate).then_some(rate)
    }

    /// Keeps what was measured.
    ///
    /// # Errors
    /// [`BackendError::Cache`] when it cannot be written; it is known to `self` all the same.
    pub fn keep(&mut self, device: &DeviceProfile, rate: f32) -> Result<(), BackendError> {
        if !is_rate(rate) {
            return Ok(());
        }
        let name = name(device);
        self.measured.insert(name.key, rate);
        let Some(disk) = &self.disk else { return Ok(()) };
        disk.write(&name, &rate.to_le_bytes()).map(|_| ()).map_err(|error| {
            let folder = disk.config().directory.display();
            let what = format!("measured memory bandwidths cannot be kept in `{folder}`: {error}");
            BackendError::Cache { what }
        })
    }

    /// Removes all that is kept in the folder; gives what was removed.
    ///
    /// # Errors
    /// As [`DiskCache::clear`].
    pub fn clear(&mut self) -> io::Result<DiskUsage> {
        self.measured.clear();
        self.disk.as_ref().map_or(Ok(DiskUsage::default()), DiskCache::clear)
    }
}

/// Whether it can be a bandwidth.
fn is_rate(rate: f32) -> bool {
    rate.is_finite() && rate > 0.0
}

/// What a value is kept under.
fn name(device: &DeviceProfile) -> Name {
    let DeviceProfile { backend, name, driver, compute_units, .. } = device;
    let key = CacheKey {
        program: blake3::hash(FOLDER.as_bytes()).into(),
        backend: (*backend).into(),
        device: format!("{name}\0{driver}\0{compute_units}"),
        options: CompileOptions::default(),
        source: None,
        code_version: String::new(),
        compiler: env!("CARGO_PKG_VERSION").into(),
    };
    key.name()
}
