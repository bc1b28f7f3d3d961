//! vyreItem that gives a bool.
//! error: Declare `fn vyreItem() -> u32 { return 0u; }`
//! line: 7

@group(0) @binding(0) var<storage, read_write> data: array<u32>;

fn vyreItem() -> bool { return false; }

@compute @workgroup_size(8)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    data[id.x] = 1u;
}
