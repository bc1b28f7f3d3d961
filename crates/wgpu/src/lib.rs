//! Backend `wgpu`: vyre programs on every Vulkan, Metal and DX12 device.
