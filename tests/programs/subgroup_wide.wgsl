//! Subgroup reductions of 64-bit integers.
//! out result = [17317308137472, 18446744073709551615]

@group(0) @binding(0) var<storage, read_write> result: array<u64, 2>;

var<workgroup> sum: atomic<u64>;
var<workgroup> bits: atomic<u64>;

@compute @workgroup_size(64)
fn main(@builtin(local_invocation_index) i: u32, @builtin(subgroup_invocation_id) lane: u32) {
    let added = subgroupAdd(u64(i) * 0x200000000lu);
    let joined = subgroupOr(1lu << i);
    if lane == 0u {
        atomicAdd(&sum, added);
        atomicOr(&bits, joined);
    }
    workgroupBarrier();
    if i == 0u {
        result[0] = atomicLoad(&sum);
        result[1] = atomicLoad(&bits);
    }
}
