//! A value read from workgroup memory may differ between invocations; workgroupUniformLoad would not.
//! error: uniform
//! line: 12

@group(0) @binding(0) var<storage, read_write> data: array<u32>;

var<workgroup> flag: u32;

@compute @workgroup_size(8)
fn main(@builtin(local_invocation_index) i: u32, @builtin(workgroup_id) group: vec3<u32>) {
    flag = group.x;
    if flag == 1u { workgroupBarrier(); }
}
