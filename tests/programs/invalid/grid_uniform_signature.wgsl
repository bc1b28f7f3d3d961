//! vyreGridUniform of a vector.
//! error: Declare `fn vyreGridUniform(v: u32) -> u32 { return v; }`
//! line: 7

@group(0) @binding(0) var<storage, read_write> data: array<u32>;

fn vyreGridUniform(v: vec2<u32>) -> vec2<u32> { return v; }

@compute @workgroup_size(8)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    data[id.x] = 1u;
}
