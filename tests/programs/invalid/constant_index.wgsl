//! A constant index beyond the end of an array.
//! error: bounds
//! line: 11

@group(0) @binding(0) var<storage, read_write> data: array<u32>;

@compute @workgroup_size(8)
fn main(@builtin(local_invocation_index) i: u32, @builtin(workgroup_id) group: vec3<u32>) {
    var list: array<u32, 4>;
    list[i & 3u] = i;
    data[i] = list[4];
}
