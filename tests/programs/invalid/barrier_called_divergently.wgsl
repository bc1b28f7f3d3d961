//! A function that contains a barrier is called in a divergent branch.
//! error: uniform

@group(0) @binding(0) var<storage, read_write> data: array<u32>;

fn meet(x: u32) {
    data[x] = x;
    workgroupBarrier();
}

@compute @workgroup_size(8)
fn main(@builtin(local_invocation_index) i: u32, @builtin(workgroup_id) group: vec3<u32>) {
    if i > 1u {
        meet(i);
    }
}
