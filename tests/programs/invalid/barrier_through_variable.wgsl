//! The condition is a variable that was assigned in a divergent branch.
//! error: uniform
//! line: 13

@group(0) @binding(0) var<storage, read_write> data: array<u32>;

@compute @workgroup_size(8)
fn main(@builtin(local_invocation_index) i: u32, @builtin(workgroup_id) group: vec3<u32>) {
    var chosen = 0u;
    if data[i] > 2u {
        chosen = 1u;
    }
    if chosen == 1u { workgroupBarrier(); }
}
