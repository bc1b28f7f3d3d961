//! An array of f32 in a uniform buffer needs elements of 16 bytes.
//! error: stride
//! line: 5

@group(0) @binding(1) var<uniform> table: array<f32, 4>;

@group(0) @binding(0) var<storage, read_write> data: array<u32>;
@compute @workgroup_size(8)
fn main(@builtin(local_invocation_index) i: u32, @builtin(workgroup_id) group: vec3<u32>) {
    data[i] = u32(table[i & 3u]);
}
