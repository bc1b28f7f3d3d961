//! A function that calls itself through another.
//! error: cyclic

@group(0) @binding(0) var<storage, read_write> data: array<u32>;

fn even(n: u32) -> u32 {
    if n == 0u { return 1u; }
    return odd(n - 1u);
}

fn odd(n: u32) -> u32 {
    if n == 0u { return 0u; }
    return even(n - 1u);
}

@compute @workgroup_size(8)
fn main(@builtin(local_invocation_index) i: u32, @builtin(workgroup_id) group: vec3<u32>) {
    data[i] = even(i);
}
