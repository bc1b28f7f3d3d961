//! Two functions of the same name.
//! error: redefin

@group(0) @binding(0) var<storage, read_write> data: array<u32>;

fn twice(x: u32) -> u32 {
    return x;
}

fn twice(x: u32) -> u32 {
    return x + 1u;
}

@compute @workgroup_size(8)
fn main(@builtin(local_invocation_index) i: u32, @builtin(workgroup_id) group: vec3<u32>) {
    data[i] = twice(i);
}
