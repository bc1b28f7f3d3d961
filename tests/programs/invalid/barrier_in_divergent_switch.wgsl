//! A barrier in a case that only some invocations choose.
//! error: uniform
//! line: 9

@group(0) @binding(0) var<storage, read_write> data: array<u32>;

@compute @workgroup_size(8)
fn main(@builtin(local_invocation_index) i: u32, @builtin(workgroup_id) group: vec3<u32>) {
    switch i { case 0u: { workgroupBarrier(); } default: { } }
}
