//! subgroup_size, subgroup_id, num_subgroups and subgroup_invocation_id fit together: every place is taken once.
//! out places = [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]
//! out checks = [64, 1]

@group(0) @binding(0) var<storage, read_write> places: array<atomic<u32>, 64>;
@group(0) @binding(1) var<storage, read_write> checks: array<u32, 2>;

@compute @workgroup_size(64)
fn main(
    @builtin(local_invocation_index) i: u32,
    @builtin(subgroup_invocation_id) lane: u32,
    @builtin(subgroup_size) size: u32,
    @builtin(subgroup_id) subgroup: u32,
    @builtin(num_subgroups) subgroups: u32,
) {
    atomicAdd(&places[subgroup * size + lane], 1u);
    subgroupBarrier();
    if i == 0u {
        checks[0] = subgroups * size;
        checks[1] = u32(countOneBits(size) == 1u && size <= 64u);
    }
}
