//! Two buffers at the same binding.
//! error: conflict

@group(0) @binding(0) var<storage, read_write> data: array<u32>;
@group(0) @binding(0) var<storage, read_write> other: array<u32>;

@compute @workgroup_size(8)
fn main(@builtin(local_invocation_index) i: u32, @builtin(workgroup_id) group: vec3<u32>) {
    data[i] = other[i];
}
