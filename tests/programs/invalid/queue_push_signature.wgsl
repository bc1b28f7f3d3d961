//! vyrePush that gives something.
//! error: Declare `fn vyrePush(v: u32) {}`
//! line: 7

@group(0) @binding(0) var<storage, read_write> data: array<u32>;

fn vyrePush(v: u32) -> bool { return true; }

@compute @workgroup_size(8)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    data[id.x] = 1u;
}
