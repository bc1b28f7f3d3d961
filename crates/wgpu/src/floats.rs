//! What a Vulkan device promises about floats beyond what Vulkan asks of every device (the extension
//! `VK_KHR_shader_float_controls`, part of Vulkan 1.2).

use vyre_wgsl::export::device::FloatControls;
use wgpu::Adapter;

/// The promises of an adapter.
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
