//! A swizzle of several components cannot be assigned.
//! error: assign
//! line: 10

@group(0) @binding(0) var<storage, read_write> data: array<u32>;

@compute @workgroup_size(8)
fn main(@builtin(local_invocation_index) i: u32, @builtin(workgroup_id) group: vec3<u32>) {
    var v = vec4<u32>(i);
    v.xy = vec2<u32>(2u);
    data[i] = v.x;
}
