//! Many invocations of many workgroups on the same few words: sums, extremes and bit sets do not depend on the order.
//! grid: 5,1,1
//! words summary
//! out summary = [3160, 4294967246, 29, 1048575, 0, 600, 632, 664, 616, 648]

struct Summary { sum: atomic<u32>, low: atomic<i32>, high: atomic<i32>, bits: atomic<u32>, parity: atomic<u32>, group_sums: array<u32, 5> }

@group(0) @binding(0) var<storage, read_write> summary: Summary;

var<workgroup> partial: atomic<u32>;

@compute @workgroup_size(16)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(local_invocation_index) lane: u32, @builtin(workgroup_id) group: vec3<u32>) {
    let x = (id.x * 37u) % 80u;
    atomicAdd(&summary.sum, x);
    atomicMin(&summary.low, i32(x) - 50);
    atomicMax(&summary.high, i32(x) - 50);
    atomicOr(&summary.bits, 1u << (id.x / 4u));
    atomicXor(&summary.parity, x);
    atomicAdd(&partial, x);
    workgroupBarrier();
    if lane == 0u {
        summary.group_sums[group.x] = atomicLoad(&partial);
    }
}
