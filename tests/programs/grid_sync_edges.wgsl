//! Grid syncs as the first and the last statement, and two with nothing between.
//! grid: 3,1,1
//! in data = [0, 1, 4, 9, 16, 2, 13, 3, 18, 12, 8, 6]
//! in result = zeros 12
//! out data = [0, 2, 8, 18, 32, 4, 26, 6, 36, 24, 16, 12]
//! out result = [3, 9, 19, 33, 5, 27, 7, 37, 25, 17, 13, 1]

@group(0) @binding(0) var<storage, read_write> data: array<u32>;
@group(0) @binding(1) var<storage, read_write> result: array<u32>;

fn vyreGridSync() {}

@compute @workgroup_size(4)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    vyreGridSync();
    let i = id.x;
    data[i] *= 2u;
    vyreGridSync();
    vyreGridSync();
    result[i] = data[(i + 1u) % 12u] + 1u;
    vyreGridSync();
}
