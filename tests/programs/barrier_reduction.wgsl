//! A tree reduction with a barrier in a loop that halves its stride, for several workgroups, then an atomic total.
//! grid: 3,1,1
//! in source = [-100, -52, 58, 29, 62, -44, -88, -70, 10, -49, -46, 19, -55, -67, -17, 95, 68, -98, -1, -43, -23, 59, 2, 7, 74, 2, -8, 44, -43, -68, -31, 68, 28, 50, -67, 79, 86, -46, 85, 77, -70, 46, 23, 62, -38, -76, -52, 34, -19, -10, 61, -7, -13, 43, -40, -61, -20, 83, 47, 73, -40, -91, -80, -7, -73, -77, -19, -100, 82, -76, 29, -5, 23, -88, 64, 77, -49, 88, 86, -55, 67, 50, 95, 1, -31, -1, 91, 44, 59, -65, 74, 74, -65, 59, 44, 91]
//! out largest = [95, 86, 95]
//! out total = [276]

@group(0) @binding(0) var<storage, read> source: array<i32>;
@group(0) @binding(1) var<storage, read_write> largest: array<i32, 3>;
@group(0) @binding(2) var<storage, read_write> total: atomic<i32>;

var<workgroup> best: array<i32, 32>;

@compute @workgroup_size(32)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(local_invocation_index) i: u32, @builtin(workgroup_id) group: vec3<u32>) {
    best[i] = source[id.x];
    var stride = 16u;
    loop {
        workgroupBarrier();
        if stride == 0u {
            break;
        }
        if i < stride {
            best[i] = max(best[i], best[i + stride]);
        }
        continuing {
            stride /= 2u;
        }
    }
    if i == 0u {
        largest[group.x] = best[0];
        atomicAdd(&total, best[0]);
    }
}
