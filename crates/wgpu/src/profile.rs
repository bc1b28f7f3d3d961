//! What an adapter is, in the driver's terms.

use crate::ID;
use vyre_driver::{DeviceKind, DeviceProfile, Limits, TimingQuality};
use vyre_wgsl::export::device;
use wgpu::{Adapter, AdapterInfo, Backend, DeviceType, DownlevelFlags, Features};

/// Features that programs may need or the backend uses, of which a device is given those that its adapter has.
pub const USED: Features = Features::SHADER_F16
    .union(Features::SHADER_F64)
    .union(Features::SHADER_I16)
    .union(Features::SHADER_INT64)
    .union(Features::SHADER_INT64_ATOMIC_ALL_OPS)
    .union(Features::SHADER_INT64_ATOMIC_MIN_MAX)
    .union(Features::SHADER_FLOAT32_ATOMIC)
    .union(Features::SUBGROUP)
    .union(Features::SUBGROUP_BARRIER)
    .union(Features::TIMESTAMP_QUERY)
    .union(Features::PIPELINE_CACHE)
    .union(Features::PASSTHROUGH_SHADERS)
    .union(Features::IMMEDIATES);

/// The profile of an adapter's device.
pub fn profile(adapter: &Adapter) -> DeviceProfile {
    let (info, limits, features) = (adapter.get_info(), adapter.limits(), adapter.features());
    let kind = match info.device_type {
        DeviceType::DiscreteGpu => DeviceKind::DiscreteGpu,
        DeviceType::IntegratedGpu => DeviceKind::IntegratedGpu,
        DeviceType::VirtualGpu | DeviceType::Other => DeviceKind::VirtualGpu,
        DeviceType::Cpu => DeviceKind::Software,
    };
    let interface = match info.backend {
        Backend::Vulkan => "Vulkan",
        Backend::Metal => "Metal",
        Backend::Dx12 => "DX12",
        _ => "wgpu",
    };
    let words = [interface, &info.driver, &info.driver_info];
    let driver: Vec<&str> = words.into_iter().filter(|word| !word.is_empty()).collect();
    let storage = limits.max_storage_buffer_binding_size.min(limits.max_buffer_size);
    let limits = Limits {
        workgroup_size: [
            limits.max_compute_workgroup_size_x,
            limits.max_compute_workgroup_size_y,
            limits.max_compute_workgroup_size_z,
        ],
        invocations_per_workgroup: limits.max_compute_invocations_per_workgroup,
        // A larger grid than the device takes is run in parts.
        workgroups_per_dimension: u32::MAX,
        storage_binding_bytes: storage,
        // Large ones are bound as storage.
        uniform_binding_bytes: storage,
        workgroup_memory_bytes: limits.max_compute_workgroup_storage_size.into(),
        buffers_per_stage: limits.max_storage_buffers_per_shader_stage,
        uniform_buffers_per_stage: limits.max_uniform_buffers_per_shader_stage,
    };
    let has = |feature| features.contains(feature);
    let timestamps = has(Features::TIMESTAMP_QUERY);
    DeviceProfile {
        subgroup_size: if has(Features::SUBGROUP) { info.subgroup_max_size } else { 0 },
        supports_subgroup_ops: has(Features::SUBGROUP),
        supports_subgroup_shuffle: has(Features::SUBGROUP),
        supports_f16: has(Features::SHADER_F16),
        supports_bf16: true,
        supports_f64: has(Features::SHADER_F64),
        supports_i64: has(Features::SHADER_INT64),
        supports_indirect_dispatch: (adapter.get_downlevel_capabilities().flags)
            .contains(DownlevelFlags::INDIRECT_EXECUTION),
        supports_device_timestamps: timestamps,
        exact_floats: false,
        timing_quality: match timestamps {
            true => TimingQuality::DeviceTimestamps,
            false => TimingQuality::HostEnqueueWait,
        },
        ..DeviceProfile::new(ID, kind, info.name, driver.join(", "), limits)
    }
}

/// Whether it is SwiftShader's device, some of whose results are not what Vulkan promises.
pub fn is_swiftshader(info: &AdapterInfo) -> bool {
    info.name.contains("SwiftShader")
}

/// What programs may use of a device's features, and what its driver does otherwise than it should.
pub fn program_features(features: Features, info: &AdapterInfo) -> device::Features {
    let has = |feature| features.contains(feature);
    device::Features {
        f16: has(Features::SHADER_F16),
        f64: has(Features::SHADER_F64),
        i16: has(Features::SHADER_I16),
        i64: has(Features::SHADER_INT64),
        i64_atomics: has(Features::SHADER_INT64_ATOMIC_ALL_OPS),
        i64_atomic_min_max: has(Features::SHADER_INT64_ATOMIC_MIN_MAX),
        f32_atomics: has(Features::SHADER_FLOAT32_ATOMIC),
        rounds_u32: !is_swiftshader(info),
        loop_results: info.device_type != DeviceType::Cpu,
        long_loops: info.driver != "llvmpipe",
        // Found out where it matters, as is what clears workgroup memory.
        fused_f32: false,
        fused_f64: false,
        subgroups: has(Features::SUBGROUP),
        subgroup_barrier: has(Features::SUBGROUP_BARRIER),
        clears_workgroup_memory: false,
    }
}
