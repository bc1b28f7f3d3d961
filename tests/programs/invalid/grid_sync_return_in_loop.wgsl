//! An invocation that returns from a loop in which others wait for the grid.
//! error: the `if` around it depends on
//! line: 13

@group(0) @binding(0) var<storage, read_write> data: array<u32>;

fn vyreGridSync() {}

@compute @workgroup_size(8)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    for (var k = 0u; k < 4u; k++) {
        if id.x == k { return; }
        vyreGridSync();
        data[id.x] += 1u;
    }
}
