//! A function whose end is reached without a value.
//! error: return

@group(0) @binding(0) var<storage, read_write> data: array<u32>;

fn value(x: u32) -> u32 {
    if x > 2u {
        return 1u;
    }
}

@compute @workgroup_size(8)
fn main(@builtin(local_invocation_index) i: u32, @builtin(workgroup_id) group: vec3<u32>) {
    data[i] = value(i);
}
