//! Invocations return before a grid sync, and others after it: nobody waits for them.
//! grid: 3,1,1
//! in data = [0, 1, 4, 9, 16, 25, 36, 49, 64, 81, 100, 121]
//! in result = zeros 12
//! in limits = [10, 3, 0, 0]
//! out data = [1, 2, 5, 10, 17, 26, 37, 50, 65, 82, 100, 121]
//! out result = [82, 11065, 1050, 37, 11026, 1017, 10, 11005, 1002, 1, 0, 0]

@group(0) @binding(0) var<storage, read_write> data: array<u32>;
@group(0) @binding(1) var<storage, read_write> result: array<u32>;
@group(0) @binding(2) var<uniform> limits: vec4<u32>;

fn vyreGridSync() {}

@compute @workgroup_size(4)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let i = id.x;
    if i >= limits.x {
        return;
    }
    data[i] += 1u;
    vyreGridSync();
    result[i] = data[limits.x - 1u - i];
    if i % limits.y == 0u {
        return;
    }
    result[i] += 1000u;
    vyreGridSync();
    let next = result[(i + 1u) % limits.x];
    vyreGridSync();
    if next >= 1000u {
        result[i] += 10000u;
    }
}
