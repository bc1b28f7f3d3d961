//! f16 without enable f16.
//! error: f16
//! line: 9

@group(0) @binding(0) var<storage, read_write> data: array<u32>;

@compute @workgroup_size(8)
fn main(@builtin(local_invocation_index) i: u32, @builtin(workgroup_id) group: vec3<u32>) {
    let h: f16 = 1.0;
    data[i] = u32(h);
}
