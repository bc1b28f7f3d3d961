//! A grid sync with an argument.
//! error: Declare `fn vyreGridSync() {}`
//! line: 7

@group(0) @binding(0) var<storage, read_write> data: array<u32>;

fn vyreGridSync(rounds: u32) {}

@compute @workgroup_size(8)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    data[id.x] = 1u;
}
