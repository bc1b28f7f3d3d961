//! The divergent condition comes from the result of a function.
//! error: uniform
//! line: 13

@group(0) @binding(0) var<storage, read_write> data: array<u32>;

fn odd(x: u32) -> bool {
    return (x & 1u) == 1u;
}

@compute @workgroup_size(8)
fn main(@builtin(local_invocation_index) i: u32, @builtin(workgroup_id) group: vec3<u32>) {
    if odd(i) { workgroupBarrier(); }
}
