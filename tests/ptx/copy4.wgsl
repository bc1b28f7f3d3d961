//! Vectors of four are loaded and stored whole; what nobody writes comes through the read-only cache.
//! has LDG.E.128.CONSTANT
//! has STG.E.128
//! lacks LDL
//! lacks STL

@group(0) @binding(0) var<storage, read> src: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> dst: array<vec4<f32>>;

@compute @workgroup_size(256)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x < arrayLength(&dst) { dst[id.x] = src[id.x]; }
}
