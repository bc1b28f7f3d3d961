//! The devices of this machine: what the driver says of each, and what is made of it for the driver layer.

use crate::ID;
use crate::library::{Driver, Failure, VARIABLE, call, no_device};
use crate::symbols::{self, Attribute};
use vyre_driver::{BackendError, DeviceKind, DeviceProfile, Limits, TimingQuality};
use vyre_ir::diagnostic::counted;
use vyre_ptx::Arch;

/// Buffers of a program: what of addresses and lengths fits the 4,352 bytes that a kernel is given, with room for all else.
const BUFFERS: u32 = 128;
/// Uniform buffers of a program, likewise.
const UNIFORM_BUFFERS: u32 = 64;

/// A device, as the driver describes it. No context is needed for that.
#[derive(Clone, Debug)]
pub struct Description {
    /// The driver's number of it.
    pub device: symbols::Device,
    /// For what its code is made.
    pub arch: Arch,
    /// Blocks of a launch along x, y, z.
    pub largest_grid: [u32; 3],
    /// How many blocks run beside each other is counted for each of these.
    pub multiprocessors: u32,
    pub compute_capability: (u32, u32),
    pub memory_bytes: u64,
    /// Whether memory comes from pools, in the order of a stream.
    pub pools: bool,
    /// The devices whose memory it can reach, by their numbers.
    pub peers: Vec<usize>,
    pub profile: DeviceProfile,
}

/// Whether there may be a device: on Linux the driver has a device file for each, and WSL one for all.
pub fn may_be_hardware() -> bool {
    const FILES: [&str; 3] = ["nvidia", "nvhost", "dxg"];
    if !cfg!(target_os = "linux") || std::env::var_os(VARIABLE).is_some_and(|name| !name.is_empty()) {
        return !cfg!(target_vendor = "apple");
    }
    let Ok(files) = std::fs::read_dir("/dev") else { return true };
    files.flatten().any(|file| {
        let name = file.file_name();
        FILES.iter().any(|start| name.as_encoded_bytes().starts_with(start.as_bytes()))
    })
}

/// What each device is, in the order of their numbers.
///
/// # Errors
/// [`BackendError::Unavailable`] when there is no driver or no device.
pub fn profiles() -> Result<Vec<DeviceProfile>, BackendError> {
    let driver = Driver::get()?;
    (0..count(driver)?).map(|index| Ok(describe(driver, index)?.profile)).collect()
}

/// How many devices there are: at least one.
fn count(driver: &Driver) -> Result<usize, BackendError> {
    let mut count = 0;
    // SAFETY: the number is written to where it is to go.
    unsafe { call!(driver, cuDeviceGetCount(&mut count)) }.map_err(|failure| unknown(&failure))?;
    match usize::try_from(count) {
        Ok(count) if count > 0 => Ok(count),
        _ => Err(no_device()),
    }
}

/// The device of that number.
///
/// # Errors
/// [`BackendError::Unavailable`] when there is none, or its driver cannot run what is made for it.
pub fn describe(driver: &Driver, index: usize) -> Result<Description, BackendError> {
    let count = count(driver)?;
    if index >= count {
        return Err(BackendError::Unavailable {
            reason: format!("backend `{ID}` has {}, and no device {index}", counted(count as u64, "device")),
            fix: "Choose one that `vyre devices` lists.".into(),
        });
    }
    let asked = Asked { driver, device: number(driver, index).map_err(|failure| unknown(&failure))? };
    let capability = asked.facts(index, count).map_err(|failure| unknown(&failure))?;
    capability.described(driver)
}

fn unknown(failure: &Failure) -> BackendError {
    BackendError::Unavailable {
        reason: format!("NVIDIA's driver does not describe its devices: {failure}"),
        fix: "Look whether `nvidia-smi` works.".into(),
    }
}

fn number(driver: &Driver, index: usize) -> Result<symbols::Device, Failure> {
    let mut device = 0;
    // SAFETY: the number is written to where it is to go.
    unsafe { call!(driver, cuDeviceGet(&mut device, index as i32)) }?;
    Ok(device)
}

/// A device that is asked.
struct Asked<'d> {
    driver: &'d Driver,
    device: symbols::Device,
}

/// Answers.
struct Facts {
    device: symbols::Device,
    name: String,
    capability: (u32, u32),
    memory_bytes: u64,
    block: [u32; 3],
    threads: u32,
    grid: [u32; 3],
    warp: u32,
    multiprocessors: u32,
    shared: u32,
    integrated: bool,
    concurrent: bool,
    cooperative: bool,
    pools: bool,
    peers: Vec<usize>,
}

impl Asked<'_> {
    fn attribute(&self, attribute: Attribute) -> Result<u32, Failure> {
        let mut value = 0;
        // SAFETY: the number is written to where it is to go.
        unsafe { call!(self.driver, cuDeviceGetAttribute(&mut value, attribute as i32, self.device)) }?;
        Ok(value.max(0) as u32)
    }

    /// An attribute that older drivers may not know.
    fn has(&self, attribute: Attribute) -> bool {
        self.attribute(attribute).is_ok_and(|value| value != 0)
    }

    fn name(&self) -> Result<String, Failure> {
        let mut text = [0u8; 256];
        let room = text.len() as i32;
        // SAFETY: the driver writes no more than there is room for, a zero at the end included.
        unsafe { call!(self.driver, cuDeviceGetName(text.as_mut_ptr().cast(), room, self.device)) }?;
        let end = text.iter().position(|byte| *byte == 0).unwrap_or(text.len());
        Ok(String::from_utf8_lossy(&text[..end]).into_owned())
    }

    fn memory(&self) -> Result<u64, Failure> {
        let mut bytes = 0;
        // SAFETY: the number is written to where it is to go.
        unsafe { call!(self.driver, cuDeviceTotalMem(&mut bytes, self.device)) }?;
        Ok(bytes as u64)
    }

    fn reaches(&self, index: usize) -> Result<bool, Failure> {
        let Some(can) = self.driver.cuDeviceCanAccessPeer else { return Ok(false) };
        let (mut reaches, peer) = (0, number(self.driver, index)?);
        // SAFETY: the number is written to where it is to go.
        let status = unsafe { can(&mut reaches, self.device, peer) };
        self.driver.check("cuDeviceCanAccessPeer", status)?;
        Ok(reaches != 0)
    }

    fn facts(&self, index: usize, count: usize) -> Result<Facts, Failure> {
        let all = |attributes: [Attribute; 3]| -> Result<[u32; 3], Failure> {
            let [x, y, z] = attributes;
            Ok([self.attribute(x)?, self.attribute(y)?, self.attribute(z)?])
        };
        let others = (0..count).filter(|other| *other != index);
        Ok(Facts {
            device: self.device,
            name: self.name()?,
            capability: (
                self.attribute(Attribute::CapabilityMajor)?,
                self.attribute(Attribute::CapabilityMinor)?,
            ),
            memory_bytes: self.memory()?,
            block: all([Attribute::MaxBlockX, Attribute::MaxBlockY, Attribute::MaxBlockZ])?,
            threads: self.attribute(Attribute::MaxThreadsPerBlock)?,
            grid: all([Attribute::MaxGridX, Attribute::MaxGridY, Attribute::MaxGridZ])?,
            warp: self.attribute(Attribute::WarpSize)?,
            multiprocessors: self.attribute(Attribute::Multiprocessors)?,
            shared: self.attribute(Attribute::MaxSharedPerBlockOptIn)?,
            integrated: self.has(Attribute::Integrated),
            concurrent: self.has(Attribute::ConcurrentKernels),
            cooperative: self.has(Attribute::CooperativeLaunch),
            pools: self.has(Attribute::MemoryPools),
            peers: others.filter(|other| self.reaches(*other).unwrap_or(false)).collect(),
        })
    }
}

impl Facts {
    fn described(self, driver: &Driver) -> Result<Description, BackendError> {
        let (major, minor) = self.capability;
        let Some(arch) = Arch::of_device(self.capability, driver.version as u32) else {
            let oldest = Arch::ALL[0];
            let (reason, fix) = match major * 10 + minor < oldest.sm {
                true => (
                    format!(
                        "\"{}\" has compute capability {major}.{minor}; code is made for 7.0 and newer",
                        self.name
                    ),
                    "Choose another device that `vyre devices` lists.",
                ),
                false => (
                    format!(
                        "NVIDIA's driver is that of CUDA {}, which takes no PTX {}.{}",
                        driver.written_version(),
                        oldest.version.0,
                        oldest.version.1
                    ),
                    "Install a newer driver.",
                ),
            };
            return Err(BackendError::Unavailable { reason, fix: fix.into() });
        };
        Ok(Description {
            device: self.device,
            arch,
            largest_grid: self.grid,
            multiprocessors: self.multiprocessors,
            compute_capability: self.capability,
            memory_bytes: self.memory_bytes,
            pools: self.pools
                && driver.cuMemPoolCreate.is_some()
                && driver.cuMemPoolDestroy.is_some()
                && driver.cuMemAllocFromPoolAsync.is_some()
                && driver.cuMemFreeAsync.is_some(),
            profile: self.profile(driver),
            peers: self.peers,
        })
    }

    fn profile(&self, driver: &Driver) -> DeviceProfile {
        let kind = if self.integrated { DeviceKind::IntegratedGpu } else { DeviceKind::DiscreteGpu };
        let limits = Limits {
            workgroup_size: self.block,
            invocations_per_workgroup: self.threads,
            // A larger grid than the device takes is run in parts.
            workgroups_per_dimension: u32::MAX,
            storage_binding_bytes: self.memory_bytes,
            uniform_binding_bytes: self.memory_bytes,
            workgroup_memory_bytes: self.shared.into(),
            buffers_per_stage: BUFFERS,
            uniform_buffers_per_stage: UNIFORM_BUFFERS,
        };
        let grid_sync = self.cooperative && driver.cuLaunchCooperativeKernel.is_some();
        let (major, minor) = self.capability;
        let capability = format!("CUDA {}, compute capability {major}.{minor}", driver.written_version());
        DeviceProfile {
            subgroup_size: self.warp,
            supports_subgroup_ops: true,
            supports_subgroup_shuffle: true,
            supports_f16: true,
            supports_bf16: true,
            supports_f64: true,
            supports_i64: true,
            supports_async_compute: self.concurrent,
            // Kernels of stages ask the device's memory how much of them is wanted.
            supports_indirect_dispatch: true,
            // Work queues are drained by a program whose workgroups wait for each other.
            supports_persistent_threads: grid_sync,
            supports_grid_sync: grid_sync,
            supports_device_timestamps: true,
            timing_quality: TimingQuality::DeviceTimestamps,
            compute_units: self.multiprocessors,
            ..DeviceProfile::new(ID, kind, self.name.clone(), capability, limits)
        }
    }
}
