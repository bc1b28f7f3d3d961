//! A grid sync that only some invocations reach.
//! error: not all invocations of the grid get here together
//! line: 11

@group(0) @binding(0) var<storage, read_write> data: array<u32>;

fn vyreGridSync() {}

@compute @workgroup_size(8)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x < 3u { vyreGridSync(); }
    data[id.x] = 1u;
}
