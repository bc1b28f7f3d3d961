//! The result of an atomic differs between invocations.
//! error: uniform
//! line: 11

@group(0) @binding(0) var<storage, read_write> data: array<u32>;

var<workgroup> counter: atomic<u32>;

@compute @workgroup_size(8)
fn main(@builtin(local_invocation_index) i: u32, @builtin(workgroup_id) group: vec3<u32>) {
    if atomicAdd(&counter, 1u) < 4u { workgroupBarrier(); }
}
