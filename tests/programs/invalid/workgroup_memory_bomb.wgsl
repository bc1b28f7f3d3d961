//! Two gigabytes of workgroup memory.
//! error: workgroup

var<workgroup> huge: array<u32, 500000000>;

@group(0) @binding(0) var<storage, read_write> data: array<u32>;
@compute @workgroup_size(8)
fn main(@builtin(local_invocation_index) i: u32, @builtin(workgroup_id) group: vec3<u32>) {
    huge[i] = 1u;
    data[i] = huge[7u - i];
}
