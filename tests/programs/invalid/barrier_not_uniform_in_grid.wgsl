//! global_invocation_id differs within a workgroup although workgroup_id does not.
//! error: uniform
//! line: 9

@group(0) @binding(0) var<storage, read_write> data: array<u32>;

@compute @workgroup_size(8)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x / 8u == 1u { workgroupBarrier(); }
    data[id.x] = 1u;
}
