//! subgroupBallot: the bit of each invocation says its condition, and the counts of all subgroups add up.
//! out counts = [64, 13]
//! out own_bit = [0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0]

@group(0) @binding(0) var<storage, read_write> counts: array<atomic<u32>, 2>;
@group(0) @binding(1) var<storage, read_write> own_bit: array<u32, 64>;

@compute @workgroup_size(64)
fn main(@builtin(local_invocation_index) i: u32, @builtin(subgroup_invocation_id) lane: u32) {
    let everyone = countOneBits(subgroupBallot(true));
    let votes = subgroupBallot(i % 5u == 2u);
    own_bit[i] = (votes[lane / 32u] >> (lane % 32u)) & 1u;
    if lane == 0u {
        atomicAdd(&counts[0], everyone.x + everyone.y + everyone.z + everyone.w);
        let bits = countOneBits(votes);
        atomicAdd(&counts[1], bits.x + bits.y + bits.z + bits.w);
    }
}
