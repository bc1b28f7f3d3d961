//! subgroupAll and subgroupAny.
//! out result = [19, 19, 19, 19, 19, 19, 19, 19, 19, 19, 19, 19, 19, 19, 19, 19, 19, 19, 19, 19, 19, 19, 19, 19, 19, 19, 19, 19, 19, 19, 19, 19, 19, 19, 19, 19, 19, 19, 19, 19, 19, 19, 19, 19, 19, 19, 19, 19, 19, 19, 19, 19, 19, 19, 19, 19, 19, 19, 19, 19, 19, 19, 19, 19]

@group(0) @binding(0) var<storage, read_write> result: array<u32, 64>;

@compute @workgroup_size(64)
fn main(@builtin(local_invocation_index) i: u32, @builtin(subgroup_invocation_id) lane: u32, @builtin(subgroup_size) size: u32) {
    var code = 0u;
    if subgroupAll(i < 64u) { code |= 1u; }
    if subgroupAny(lane == 0u) { code |= 2u; }
    if subgroupAny(i > 63u) { code |= 4u; }
    if subgroupAll(lane != size - 1u) { code |= 8u; }
    if subgroupAll(lane < size) { code |= 16u; }
    result[i] = code;
}
