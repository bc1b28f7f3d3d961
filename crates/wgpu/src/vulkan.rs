//! What a Vulkan device promises beyond what Vulkan asks of every device, and wgpu does not tell: about floats (the
//! extension `VK_KHR_shader_float_controls`, part of Vulkan 1.2), and about workgroup memory
//! (`VK_KHR_zero_initialize_workgroup_memory`, part of Vulkan 1.3).

use vyre_wgsl::export::device::FloatControls;
use wgpu::Adapter;

/// What it promises about floats.
#[cfg(not(target_vendor = "apple"))]
pub fn controls(adapter: &Adapter) -> FloatControls {
    use ash::vk;
    // SAFETY: the handles are not kept beyond this call.
    let Some(vulkan) = (unsafe { adapter.as_hal::<wgpu::hal::api::Vulkan>() }) else {
        return FloatControls::default();
    };
    if vulkan.physical_device_capabilities().properties().api_version < vk::API_VERSION_1_2 {
        return FloatControls::default();
    }
    let mut floats = vk::PhysicalDeviceFloatControlsProperties::default();
    let mut all = vk::PhysicalDeviceProperties2::default().push_next(&mut floats);
    let instance = vulkan.shared_instance().raw_instance();
    // SAFETY: instance and device belong together and are alive; the device has Vulkan 1.2, which has this structure.
    unsafe { instance.get_physical_device_properties2(vulkan.raw_physical_device(), &mut all) };
    // Modes that have to be the same for all widths are left alone.
    let apart = |how| how == vk::ShaderFloatControlsIndependence::ALL;
    let is = |flags: [vk::Bool32; 3], free: bool| flags.map(|flag| free && flag == vk::TRUE);
    FloatControls {
        preserve_subnormals: is(
            [
                floats.shader_denorm_preserve_float16,
                floats.shader_denorm_preserve_float32,
                floats.shader_denorm_preserve_float64,
            ],
            apart(floats.denorm_behavior_independence),
        ),
        preserve_specials: is(
            [
                floats.shader_signed_zero_inf_nan_preserve_float16,
                floats.shader_signed_zero_inf_nan_preserve_float32,
                floats.shader_signed_zero_inf_nan_preserve_float64,
            ],
            true,
        ),
        round_to_even: is(
            [
                floats.shader_rounding_mode_rte_float16,
                floats.shader_rounding_mode_rte_float32,
                floats.shader_rounding_mode_rte_float64,
            ],
            apart(floats.rounding_mode_independence),
        ),
    }
}

#[cfg(target_vendor = "apple")]
pub fn controls(_: &Adapter) -> FloatControls {
    FloatControls::default()
}

/// Whether it clears workgroup memory where SPIR-V says so. wgpu turns this on in every device that has it.
#[cfg(not(target_vendor = "apple"))]
pub fn clears_workgroup_memory(adapter: &Adapter) -> bool {
    use ash::vk;
    // SAFETY: the handles are not kept beyond this call.
    let Some(vulkan) = (unsafe { adapter.as_hal::<wgpu::hal::api::Vulkan>() }) else { return false };
    if vulkan.physical_device_capabilities().properties().api_version < vk::API_VERSION_1_3 {
        return false;
    }
    let mut clears = vk::PhysicalDeviceZeroInitializeWorkgroupMemoryFeatures::default();
    let mut all = vk::PhysicalDeviceFeatures2::default().push_next(&mut clears);
    let instance = vulkan.shared_instance().raw_instance();
    // SAFETY: instance and device belong together and are alive; the device has Vulkan 1.3, which has this structure.
    unsafe { instance.get_physical_device_features2(vulkan.raw_physical_device(), &mut all) };
    clears.shader_zero_initialize_workgroup_memory == vk::TRUE
}

#[cfg(target_vendor = "apple")]
pub fn clears_workgroup_memory(_: &Adapter) -> bool {
    false
}
