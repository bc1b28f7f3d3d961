//! A workgroup size and the length of a workgroup array that come from overrides.
//! override: width=3
//! override: height=2
//! in result = zeros 6
//! out result = [12, 11, 10, 2, 1, 0]

override width: u32 = 4u;
override height: u32 = 1u;

@group(0) @binding(0) var<storage, read_write> result: array<u32>;

var<workgroup> shared_values: array<u32, width * height>;

@compute @workgroup_size(width, height)
fn main(@builtin(local_invocation_id) id: vec3<u32>, @builtin(local_invocation_index) index: u32) {
    shared_values[index] = 10u * id.y + id.x;
    workgroupBarrier();
    result[index] = shared_values[width * height - 1u - index];
}
