//! subgroupExclusiveAdd and subgroupInclusiveAdd hand out every rank of the workgroup once, whatever the subgroup size.
//! out ranks = [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0]
//! out differences = [0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2, 0]

@group(0) @binding(0) var<storage, read_write> ranks: array<atomic<u32>, 64>;
@group(0) @binding(1) var<storage, read_write> differences: array<u32, 64>;

var<workgroup> taken: atomic<u32>;

@compute @workgroup_size(64)
fn main(@builtin(local_invocation_index) i: u32, @builtin(subgroup_invocation_id) lane: u32) {
    let need = i % 3u; // 0, 1 or 2 slots
    let before = subgroupExclusiveAdd(need);
    let with_own = subgroupInclusiveAdd(need);
    let all = subgroupAdd(need);
    differences[i] = with_own - before;
    var base = 0u;
    if lane == 0u {
        base = atomicAdd(&taken, all);
    }
    base = subgroupBroadcastFirst(base);
    for (var k = 0u; k < need; k++) {
        atomicAdd(&ranks[base + before + k], 1u);
    }
}
