//! Tiles of a matrix staged in two-dimensional workgroup memory: a transposition by blocks of 4 x 4.
//! grid: 2,2,1
//! in source = iota 64
//! in result = zeros 64
//! out result = [0, 8, 16, 24, 32, 40, 48, 56, 1, 9, 17, 25, 33, 41, 49, 57, 2, 10, 18, 26, 34, 42, 50, 58, 3, 11, 19, 27, 35, 43, 51, 59, 4, 12, 20, 28, 36, 44, 52, 60, 5, 13, 21, 29, 37, 45, 53, 61, 6, 14, 22, 30, 38, 46, 54, 62, 7, 15, 23, 31, 39, 47, 55, 63]

override width: u32 = 8u;

@group(0) @binding(0) var<storage, read> source: array<u32>;
@group(0) @binding(1) var<storage, read_write> result: array<u32>;

var<workgroup> tile: array<array<u32, 5>, 4>;

@compute @workgroup_size(4, 4)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_id) local: vec3<u32>) {
    let from_here = group.xy * 4u + local.xy;
    tile[local.y][local.x] = source[from_here.y * width + from_here.x];
    workgroupBarrier();
    let to_there = group.yx * 4u + local.xy;
    result[to_there.y * width + to_there.x] = tile[local.x][local.y];
}
