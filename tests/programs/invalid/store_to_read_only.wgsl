//! A store to a buffer declared read.
//! error: store
//! line: 9

@group(0) @binding(0) var<storage, read> data: array<u32>;

@compute @workgroup_size(8)
fn main(@builtin(local_invocation_index) i: u32, @builtin(workgroup_id) group: vec3<u32>) {
    data[i] = 1u;
}
