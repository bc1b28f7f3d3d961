//! Textures are not part of a compute program here.
//! error: texture

@group(0) @binding(0) var<storage, read_write> data: array<u32>;
@group(0) @binding(1) var picture: texture_2d<f32>;

@compute @workgroup_size(8)
fn main(@builtin(local_invocation_index) i: u32, @builtin(workgroup_id) group: vec3<u32>) {
    data[i] = u32(textureLoad(picture, vec2<u32>(i, 0u), 0).x * 255.0);
}
