//! A barrier that some invocations skip by continue.
//! error: uniform
//! line: 10

@group(0) @binding(0) var<storage, read_write> data: array<u32>;

@compute @workgroup_size(8)
fn main(@builtin(local_invocation_index) i: u32, @builtin(workgroup_id) group: vec3<u32>) {
    for (var k = 0u; k < 4u; k++) {
        if k == i { continue; } storageBarrier();
    }
}
