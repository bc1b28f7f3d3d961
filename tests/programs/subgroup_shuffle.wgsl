//! Shuffles by lane, by exclusive or, up and down; a subgroup of one invocation skips them.
//! out result = [63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63]

@group(0) @binding(0) var<storage, read_write> result: array<u32, 64>;

@compute @workgroup_size(64)
fn main(
    @builtin(local_invocation_index) i: u32,
    @builtin(subgroup_invocation_id) lane: u32,
    @builtin(subgroup_size) size: u32,
    @builtin(subgroup_id) subgroup: u32,
) {
    let mine = 1000u * subgroup + lane;
    var good = 1u;
    if subgroupShuffle(mine, lane) == mine {
        good += 2u;
    }
    if size == 1u {
        result[i] = 63u;
        return;
    }
    let reversed = subgroupShuffle(mine, size - 1u - lane);
    let swapped = subgroupShuffleXor(mine, 1u);
    let from_below = subgroupShuffleUp(mine, 1u);
    let from_above = subgroupShuffleDown(mine, 1u);
    good += select(0u, 4u, reversed == mine - lane + size - 1u - lane);
    good += select(0u, 8u, swapped == 1000u * subgroup + (lane ^ 1u));
    good += select(0u, 16u, lane == 0u || from_below == mine - 1u);
    good += select(0u, 32u, lane == size - 1u || from_above == mine + 1u);
    result[i] = good;
}
