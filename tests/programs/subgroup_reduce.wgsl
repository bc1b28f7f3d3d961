//! A workgroup sum by subgroupAdd and one atomic a subgroup; the same for minimum, maximum and bits.
//! words totals
//! in totals = [0, 0, 0, 0xffffffff, 0, 0]
//! in source = [-35, 52, 139, 34, 121, 16, 103, -2, 85, -20, 67, -38, 49, 136, 31, 118, 13, 100, -5, 82, -23, 64, -41, 46, 133, 28, 115, 10, 97, -8, 79, -26, 61, -44, 43, 130, 25, 112, 7, 94, -11, 76, -29, 58, -47, 40, 127, 22, 109, 4, 91, -14, 73, -32, 55, -50, 37, 124, 19, 106, 1, 88, -17, 70]
//! out totals = [2848, 4294967246, 139, 61680, 4294967040, 4092851136]

struct Totals { sum: atomic<i32>, low: atomic<i32>, high: atomic<i32>, all_bits: atomic<u32>, any_bits: atomic<u32>, parity: atomic<u32> }

@group(0) @binding(0) var<storage, read_write> totals: Totals;
@group(0) @binding(1) var<storage, read> source: array<i32, 64>;

@compute @workgroup_size(64)
fn main(@builtin(local_invocation_index) i: u32, @builtin(subgroup_invocation_id) lane: u32) {
    let x = source[i];
    let sum = subgroupAdd(x);
    let low = subgroupMin(x);
    let high = subgroupMax(x);
    let all_bits = subgroupAnd(u32(x) | 0xf0f0u);
    let any_bits = subgroupOr(u32(x) << 8u);
    let parity = subgroupXor(u32(x) * 0x01010101u);
    if lane == 0u {
        atomicAdd(&totals.sum, sum);
        atomicMin(&totals.low, low);
        atomicMax(&totals.high, high);
        atomicAnd(&totals.all_bits, all_bits);
        atomicOr(&totals.any_bits, any_bits);
        atomicXor(&totals.parity, parity);
    }
}
