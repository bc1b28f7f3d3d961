//! Workgroup memory that is written before a grid sync and read after it.
//! grid: 3,1,1
//! in data = [4, 13, 22, 0, 9, 18, 27, 5, 14, 23, 1, 10]
//! in total = [0]
//! in result = zeros 12
//! out total = [146]
//! out result = [14600, 14644, 14626, 14608, 14610, 14654, 14636, 14618, 14620, 14602, 14646, 14628]

@group(0) @binding(0) var<storage, read> data: array<u32>;
@group(0) @binding(1) var<storage, read_write> total: array<atomic<u32>, 1>;
@group(0) @binding(2) var<storage, read_write> result: array<u32>;

var<workgroup> tile: array<u32, 4>;

fn vyreGridSync() {}

@compute @workgroup_size(4)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(local_invocation_index) l: u32) {
    tile[l] = data[id.x] * 2u;
    atomicAdd(&total[0], data[id.x]);
    vyreGridSync();
    result[id.x] = tile[3u - l] + atomicLoad(&total[0]) * 100u;
}
