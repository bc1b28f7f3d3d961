// How often each of the 256 byte values occurs in a file.
//
//   vyre run examples/byte_histogram.wgsl --set data=bytes:Cargo.lock --out counts=-
//
// `data` holds the file's bytes, four to a word, the first in the lowest bits. A file whose length is not a multiple
// of four ends in up to three zero bytes of padding, which are counted like any other byte; to leave them out, give
// the exact length: --override byte_count=12345.
//
// Each workgroup counts into its own memory first, where atomics are cheap and no other workgroup contends for them,
// and adds its 256 sums to the result once. A grid of any size, even of one workgroup, counts everything.

// The number of bytes to count; 0 means all of `data`.
override byte_count: u32 = 0u;

@group(0) @binding(0) var<storage, read> data: array<u32>;
@group(0) @binding(1) var<storage, read_write> counts: array<atomic<u32>, 256>;

const WORKGROUP_SIZE = 256u;

var<workgroup> local_counts: array<atomic<u32>, 256>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(
    @builtin(global_invocation_id) id: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
    @builtin(num_workgroups) groups: vec3<u32>,
) {
    let bytes = select(byte_count, 4u * arrayLength(&data), byte_count == 0u);
    let words = min((bytes + 3u) / 4u, arrayLength(&data));
    let stride = groups.x * WORKGROUP_SIZE;

    for (var i = id.x; i < words; i += stride) {
        let word = data[i];
        let valid = min(bytes - 4u * i, 4u);
        for (var k = 0u; k < valid; k++) {
            atomicAdd(&local_counts[(word >> (8u * k)) & 0xffu], 1u);
        }
    }
    workgroupBarrier();

    // One invocation a bin. Most bins of a text are empty and need no trip to the shared counters.
    let count = atomicLoad(&local_counts[lane]);
    if count != 0u {
        atomicAdd(&counts[lane], count);
    }
}
