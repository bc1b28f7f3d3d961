//! Subgroup reductions of vectors and floats whose sums are exact in any order.
//! out result = [2016, -2016, 64, 2016, 64, -1]

@group(0) @binding(0) var<storage, read_write> result: array<i32, 6>;

var<workgroup> sums: array<atomic<i32>, 6>;

@compute @workgroup_size(64)
fn main(@builtin(local_invocation_index) i: u32, @builtin(subgroup_invocation_id) lane: u32) {
    let v = subgroupAdd(vec3<i32>(i32(i), -i32(i), 1));
    let f = subgroupAdd(vec2<f32>(f32(i) * 0.5, 0.25));
    let m = subgroupMax(vec2<f32>(f32(lane), -1.0)).y;
    if lane == 0u {
        atomicAdd(&sums[0], v.x);
        atomicAdd(&sums[1], v.y);
        atomicAdd(&sums[2], v.z);
        atomicAdd(&sums[3], i32(f.x * 2.0));
        atomicAdd(&sums[4], i32(f.y * 4.0));
        atomicMin(&sums[5], i32(m));
    }
    workgroupBarrier();
    if i < 6u {
        result[i] = atomicLoad(&sums[i]);
    }
}
