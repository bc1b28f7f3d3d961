//! A prefix sum over several workgroups in one program, with barriers of the workgroup beside a grid sync.
//! grid: 3,1,1
//! in data = [2, 5, 8, 11, 1, 4, 7, 10, 0, 3, 6, 9]
//! in sums = zeros 3
//! out data = [2, 7, 15, 26, 27, 31, 38, 48, 48, 51, 57, 66]
//! out sums = [26, 22, 18]

@group(0) @binding(0) var<storage, read_write> data: array<u32>;
@group(0) @binding(1) var<storage, read_write> sums: array<u32>;

var<workgroup> tile: array<u32, 4>;

fn vyreGridSync() {}

@compute @workgroup_size(4)
fn main(
    @builtin(global_invocation_id) id: vec3<u32>,
    @builtin(local_invocation_index) l: u32,
    @builtin(workgroup_id) group: vec3<u32>,
) {
    tile[l] = data[id.x];
    workgroupBarrier();
    for (var step = 1u; step < 4u; step *= 2u) {
        var left = 0u;
        if l >= step {
            left = tile[l - step];
        }
        workgroupBarrier();
        tile[l] += left;
        workgroupBarrier();
    }
    if l == 3u {
        sums[group.x] = tile[l];
    }
    vyreGridSync();
    var before = 0u;
    for (var g = 0u; g < group.x; g++) {
        before += sums[g];
    }
    data[id.x] = tile[l] + before;
}
