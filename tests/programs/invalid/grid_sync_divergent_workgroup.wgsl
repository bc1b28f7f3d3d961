//! A condition that is the same for a workgroup, but not for the grid.
//! error: `workgroup_id`
//! line: 11

@group(0) @binding(0) var<storage, read_write> data: array<u32>;

fn vyreGridSync() {}

@compute @workgroup_size(8)
fn main(@builtin(workgroup_id) id: vec3<u32>) {
    if id.x < 3u { vyreGridSync(); }
    data[id.x] = 1u;
}
