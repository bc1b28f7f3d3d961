//! A loop around a grid sync whose end depends on memory that the program writes, without vyreGridUniform.
//! error: `load`
//! line: 12

@group(0) @binding(0) var<storage, read_write> data: array<u32>;

fn vyreGridSync() {}

@compute @workgroup_size(8)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    while data[0] < 10u {
        vyreGridSync();
        data[id.x] += 1u;
    }
}
