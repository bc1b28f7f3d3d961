//! A let cannot be assigned.
//! error: assign

@group(0) @binding(0) var<storage, read_write> data: array<u32>;

@compute @workgroup_size(8)
fn main(@builtin(local_invocation_index) i: u32, @builtin(workgroup_id) group: vec3<u32>) {
    let x = i;
    x = 2u;
    data[i] = x;
}
