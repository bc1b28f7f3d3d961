//! A grid sync in a function that is called in a loop, and an early return from a function after one.
//! grid: 3,1,1
//! in data = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]
//! out data = [106, 7, 108, 9, 110, 11, 100, 1, 102, 3, 104, 5]

@group(0) @binding(0) var<storage, read_write> data: array<u32>;

fn vyreGridSync() {}

fn rotate(i: u32, by: u32) {
    let value = data[(i + by) % 12u];
    vyreGridSync();
    data[i] = value;
    vyreGridSync();
}

fn finish(i: u32) {
    vyreGridSync();
    if i % 2u == 1u {
        return;
    }
    data[i] += 100u;
}

@compute @workgroup_size(4)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let i = id.x;
    for (var t = 0u; t < 3u; t++) {
        rotate(i, t + 1u);
    }
    finish(i);
}
