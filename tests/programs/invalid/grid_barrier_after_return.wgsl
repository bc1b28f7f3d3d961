//! A barrier that some invocations do not reach because they have returned before a grid sync.
//! error: `workgroup_barrier` is not in uniform control flow
//! line: 14

@group(0) @binding(0) var<storage, read_write> data: array<u32>;

fn vyreGridSync() {}

@compute @workgroup_size(8)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x >= 13u { return; }
    data[id.x] = 1u;
    vyreGridSync();
    workgroupBarrier();
}
