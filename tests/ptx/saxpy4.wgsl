//! A product and a sum are rounded apart. What is written is not loaded through the read-only cache.
//! has LDG.E.128
//! has LDG.E.128.CONSTANT
//! has STG.E.128
//! has FMUL
//! has FADD
//! lacks FFMA
//! lacks LDL
//! lacks STL

@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> y: array<vec4<f32>>;

@compute @workgroup_size(256)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x < arrayLength(&y) { y[id.x] = 2.5 * x[id.x] + y[id.x]; }
}
