//! The adapters of this machine.

use crate::ID;
use crate::profile::profile;
use std::pin::pin;
use std::sync::OnceLock;
use std::task::{Context, Poll, Waker};
use vyre_driver::{BackendError, DeviceProfile};
use vyre_ir::diagnostic::counted;
use wgpu::{
    Adapter, Backend, Backends, DeviceType, DownlevelFlags, Features, Instance, InstanceDescriptor,
    InstanceFlags,
};

/// The interfaces that are asked for adapters.
const BACKENDS: Backends = Backends::VULKAN.union(Backends::METAL).union(Backends::DX12);

/// What tells the Vulkan loader which drivers to load.
const VARIABLES: [&str; 5] = [
    "VK_DRIVER_FILES",
    "VK_ICD_FILENAMES",
    "VK_ADD_DRIVER_FILES",
    "VK_LOADER_DRIVERS_SELECT",
    "VK_LOADER_DRIVERS_DISABLE",
];

/// The adapters that can run programs, in the order of their numbers. They are looked for once in a process: creating an
/// instance loads every driver of the machine.
///
/// # Errors
/// [`BackendError::Unavailable`] with what was tried, when there is none.
pub fn adapters() -> Result<&'static [Adapter], BackendError> {
    static FOUND: OnceLock<Result<Vec<Adapter>, BackendError>> = OnceLock::new();
    FOUND.get_or_init(find).as_deref().map_err(Clone::clone)
}

/// Whether there may be adapters that are not made of software. On Linux every driver of hardware opens a device file:
/// DRM's for most, else that of its maker (NVIDIA, WSL, Qualcomm, Arm, Imagination).
pub fn may_be_hardware() -> bool {
    const FILES: [&str; 6] = ["dri", "nvidia", "dxg", "kgsl", "mali", "pvr"];
    if !cfg!(target_os = "linux") {
        return true;
    }
    let Ok(files) = std::fs::read_dir("/dev") else { return true };
    files.flatten().any(|file| {
        let name = file.file_name();
        FILES.iter().any(|start| name.as_encoded_bytes().starts_with(start.as_bytes()))
    })
}

/// What each device is, in the order of their numbers.
pub fn profiles() -> Result<Vec<DeviceProfile>, BackendError> {
    Ok(adapters()?.iter().map(profile).collect())
}

/// An adapter, and how it is found again.
#[derive(Clone)]
pub struct Found {
    pub adapter: Adapter,
    /// How many of those before it say the same of themselves.
    place: usize,
}

/// The adapter of that number.
pub fn adapter(index: usize) -> Result<Found, BackendError> {
    let all = adapters()?;
    let Some(adapter) = all.get(index) else {
        return Err(BackendError::Unavailable {
            reason: format!(
                "backend `{ID}` has {}, and no device {index}",
                counted(all.len() as u64, "device")
            ),
            fix: "Choose one that `vyre devices` lists.".into(),
        });
    };
    let about: Vec<About> = all.iter().map(about).collect();
    Ok(Found { adapter: adapter.clone(), place: place(&about, index) })
}

/// The first adapter whose device is described by that profile, for who wants to use it without this backend.
pub fn adapter_of(device: &DeviceProfile) -> Option<Adapter> {
    adapters().ok()?.iter().find(|adapter| profile(adapter) == *device).cloned()
}

/// The same adapter, looked for anew: of those that say the same of themselves the one at the same place.
pub fn again(gone: &Found) -> Result<Found, BackendError> {
    let wanted = about(&gone.adapter);
    let mut all = find()?;
    let same = same(&all.iter().map(about).collect::<Vec<_>>(), &wanted, gone.place);
    let Some(index) = same else {
        return Err(BackendError::Unavailable {
            reason: format!("the adapter \"{}\" is not there any more", wanted.0),
            fix: "Put the device back in order, or choose another one that `vyre devices` lists.".into(),
        });
    };
    Ok(Found { adapter: all.swap_remove(index), place: gone.place })
}

/// What an adapter says of itself that stays the same as long as it is there.
type About = (String, u32, u32, String, Backend);

fn about(adapter: &Adapter) -> About {
    let info = adapter.get_info();
    (info.name, info.vendor, info.device, info.device_pci_bus_id, info.backend)
}

/// How many are the same as the one of that number, and before it.
fn place<T: PartialEq>(all: &[T], index: usize) -> usize {
    all[..index].iter().filter(|other| **other == all[index]).count()
}

/// The number of the one that is the same and has so many of them before it.
fn same<T: PartialEq>(all: &[T], wanted: &T, place: usize) -> Option<usize> {
    (0..all.len()).filter(|&index| all[index] == *wanted).nth(place)
}

fn find() -> Result<Vec<Adapter>, BackendError> {
    // Without the layers that debug builds ask for by default: they are for those who debug wgpu. And without the dispatch
    // that wgpu adds to each indirect one to bound its size: control programs made here write those sizes, none above
    // what the device takes (`stages`).
    let flags = InstanceFlags::empty();
    let descriptor =
        InstanceDescriptor { backends: BACKENDS, flags, ..InstanceDescriptor::new_without_display_handle() };
    let instance = Instance::new(descriptor);
    let mut all = ready(instance.enumerate_adapters(BACKENDS));
    let seen: Vec<String> = all.iter().map(|a| a.get_info().name).collect();
    all.retain(runs_programs);
    all.sort_by_key(|adapter| {
        let info = adapter.get_info();
        (kind_order(info.device_type), interface_order(info.backend))
    });
    if all.is_empty() { Err(none(&seen)) } else { Ok(all) }
}

/// Whether an adapter has what every program needs.
fn runs_programs(adapter: &Adapter) -> bool {
    adapter.get_downlevel_capabilities().flags.contains(DownlevelFlags::COMPUTE_SHADERS)
        && adapter.features().contains(Features::IMMEDIATES)
}

fn kind_order(kind: DeviceType) -> u8 {
    match kind {
        DeviceType::DiscreteGpu => 0,
        DeviceType::IntegratedGpu => 1,
        DeviceType::VirtualGpu => 2,
        DeviceType::Other => 3,
        DeviceType::Cpu => 4,
    }
}

/// Vulkan first: only there nothing rearranges float arithmetic.
fn interface_order(backend: Backend) -> u8 {
    match backend {
        Backend::Vulkan => 0,
        _ => 1,
    }
}

/// That there is no adapter, and what was tried.
fn none(seen: &[String]) -> BackendError {
    let mut reason = match (seen, vulkan_is_there()) {
        ([], Some(false)) => "the Vulkan loader (libvulkan) cannot be loaded".to_string(),
        ([], Some(true)) => {
            "the Vulkan loader (libvulkan) is there, and finds no driver with a device".into()
        }
        ([], None) => "neither Metal nor DX12 has an adapter".into(),
        (seen, _) => {
            format!("what there is ({}) has no compute shaders with immediate data", seen.join(", "))
        }
    };
    for name in VARIABLES {
        if let Some(value) = std::env::var_os(name) {
            reason += &format!("; {name} is `{}`", value.display());
        }
    }
    let fix = if cfg!(target_os = "linux") {
        "Install the GPU's Vulkan driver, or Vulkan in software (Debian: `apt-get install mesa-vulkan-drivers`); unset \
         variables named VK_*, or correct them."
    } else {
        "Install the GPU's driver."
    };
    BackendError::Unavailable { reason, fix: fix.into() }
}

/// Whether the Vulkan loader could be loaded; `None` where there is no Vulkan.
#[cfg(not(target_vendor = "apple"))]
fn vulkan_is_there() -> Option<bool> {
    // SAFETY: it was loaded before, if it can be, by wgpu; nothing is called.
    Some(unsafe { ash::Entry::load() }.is_ok())
}

#[cfg(target_vendor = "apple")]
fn vulkan_is_there() -> Option<bool> {
    None
}

/// What a future gives that has it at once, as wgpu's have outside of browsers.
pub fn ready<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(value) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return value;
        }
        std::thread::yield_now();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_of_equal_adapters_is_found_again_and_again() {
        let before = ["a", "b", "a", "b", "a"];
        for index in 0..before.len() {
            let place = place(&before, index);
            assert_eq!(same(&before, &before[index], place), Some(index));
            // Another one was added in front of them.
            let after = ["c", "a", "b", "a", "b", "a"];
            assert_eq!(same(&after, &before[index], place), Some(index + 1));
        }
        // One is gone; of those that are left each is found, and the last is not taken for it.
        assert_eq!(same(&["a", "b"], &"a", place(&before, 4)), None);
        assert_eq!(same(&["b"], &"a", 0), None);
    }
}
