//! Storage textures are not part of a compute program here.
//! error: texture

@group(0) @binding(0) var image: texture_storage_2d<rgba8unorm, write>;

@compute @workgroup_size(8)
fn main(@builtin(local_invocation_index) i: u32, @builtin(workgroup_id) group: vec3<u32>) {
    textureStore(image, vec2<u32>(i, 0u), vec4<f32>(1.0));
}
