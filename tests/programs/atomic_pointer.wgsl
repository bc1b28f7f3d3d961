//! Atomics through pointers bound by let, into structs and nested arrays, at dynamic indices.
//! in bins = [100, 0, 0, 200, 0, 0, 300, 0, 0]
//! out bins = [111, 10, 16, 210, 14, 8, 309, 6, 12]

struct Bin { low: atomic<u32>, high: array<atomic<u32>, 2> }

@group(0) @binding(0) var<storage, read_write> bins: array<Bin, 3>;

var<workgroup> shared_bins: array<Bin, 3>;

@compute @workgroup_size(12)
fn main(@builtin(local_invocation_index) i: u32) {
    let bin = &shared_bins[i % 3u];
    let cell = &(*bin).high[i & 1u];
    atomicAdd(cell, i);
    atomicMax(&(*bin).low, i);
    workgroupBarrier();
    if i < 3u {
        let target_bin = &bins[2u - i];
        atomicAdd(&(*target_bin).low, atomicLoad(&shared_bins[i].low));
        for (var k = 0u; k < 2u; k++) {
            atomicStore(&(*target_bin).high[k], atomicLoad(&shared_bins[i].high[k]));
        }
    }
}
