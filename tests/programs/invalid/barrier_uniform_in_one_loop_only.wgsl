//! The loop count becomes divergent in a later round.
//! error: uniform

@group(0) @binding(0) var<storage, read_write> data: array<u32>;

@compute @workgroup_size(8)
fn main(@builtin(local_invocation_index) i: u32, @builtin(workgroup_id) group: vec3<u32>) {
    var limit = 2u;
    for (var k = 0u; k < limit; k++) {
        workgroupBarrier();
        limit = data[i];
    }
}
