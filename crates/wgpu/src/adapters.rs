//! The adapters of this machine.

use crate::ID;
use crate::profile::profile;
use std::pin::pin;
use std::sync::OnceLock;
use std::task::{Context, Poll, Waker};
use vyre_driver::{BackendError, DeviceProfile};
use wgpu::{
    Adapter, Backend, Backends, DeviceType, DownlevelFlags, Features, Instance, InstanceDescriptor,
    InstanceFlags,
};

/// The interfaces that are asked for adapters.
const BACKENDS: Backends = Backends::VULKAN.union(Backends::METAL).union(Backends::DX12);

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

/// The adapter of that number.
pub fn adapter(index: usize) -> Result<Adapter, BackendError> {
    let all = adapters()?;
    all.get(index).cloned().ok_or_else(|| BackendError::Unavailable {
        reason: format!("backend `{ID}` has {} devices, and no device {index}", all.len()),
        fix: "Choose one that `vyre devices` lists.".into(),
    })
}

/// The first adapter whose device is described by that profile, for who wants to use it without this backend.
pub fn adapter_of(device: &DeviceProfile) -> Option<Adapter> {
    adapters().ok()?.iter().find(|adapter| profile(adapter) == *device).cloned()
}

/// The same adapter, looked for anew: of those that say the same of themselves the one at the same place.
pub fn again(gone: &Adapter) -> Result<Adapter, BackendError> {
    let about = |adapter: &Adapter| {
        let info = adapter.get_info();
        (info.name, info.vendor, info.device, info.device_pci_bus_id, info.backend)
    };
    let wanted = about(gone);
    let place = adapters()?.iter().filter(|a| about(a) == wanted).position(|a| a == gone).unwrap_or(0);
    let found = find()?;
    let mut same = found.iter().filter(|a| about(a) == wanted);
    let same = same.nth(place).cloned();
    same.ok_or_else(|| BackendError::Unavailable {
        reason: format!("the adapter \"{}\" is not there any more", wanted.0),
        fix: "Put the device back in order, or choose another one that `vyre devices` lists.".into(),
    })
}

fn find() -> Result<Vec<Adapter>, BackendError> {
    // Without the layers that debug builds ask for by default: they are for those who debug wgpu.
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
    if all.is_empty() { Err(none(&instance, &seen)) } else { Ok(all) }
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
fn none(instance: &Instance, seen: &[String]) -> BackendError {
    let mut reason = match (seen, vulkan_is_there(instance)) {
        ([], Some(false)) => "the Vulkan loader (libvulkan) cannot be loaded".to_string(),
        ([], Some(true)) => "the Vulkan loader is there, and finds no driver with a device".into(),
        ([], None) => "neither Metal nor DX12 has an adapter".into(),
        (seen, _) => {
            format!("what there is ({}) has no compute shaders with immediate data", seen.join(", "))
        }
    };
    for name in ["VK_DRIVER_FILES", "VK_ICD_FILENAMES"] {
        if let Some(value) = std::env::var_os(name) {
            reason += &format!("; {name} is `{}`", value.display());
        }
    }
    let fix = if cfg!(target_os = "linux") {
        "Install the GPU's Vulkan driver, or Vulkan in software (Debian: `apt-get install mesa-vulkan-drivers`); unset \
         VK_DRIVER_FILES and VK_ICD_FILENAMES, or correct them."
    } else {
        "Install the GPU's driver."
    };
    BackendError::Unavailable { reason, fix: fix.into() }
}

/// Whether the Vulkan loader could be loaded; `None` where there is no Vulkan.
#[cfg(not(target_vendor = "apple"))]
fn vulkan_is_there(instance: &Instance) -> Option<bool> {
    // SAFETY: the handle is not kept.
    Some(unsafe { instance.as_hal::<wgpu::hal::api::Vulkan>() }.is_some())
}

#[cfg(target_vendor = "apple")]
fn vulkan_is_there(_: &Instance) -> Option<bool> {
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
