//! Atomics out of bounds give zero and do nothing; a compare-exchange there reports zero and failure.
//! in counters = [10, 20, 30, 40]
//! in at = [0, 3, 4, -1, 1000000, -3]
//! out counters = [15, 20, 30, 45]
//! out returned = [10, 0, 15, 15, 40, 60, 45, 45, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 60008008]

@group(0) @binding(0) var<storage, read_write> counters: array<atomic<u32>, 4>;
@group(0) @binding(1) var<storage, read> at: array<i32, 6>; // indices unknown to the compiler
@group(0) @binding(2) var<storage, read_write> returned: array<vec4<u32>, 6>;

var<workgroup> local_counters: array<atomic<u32>, 4>;

@compute @workgroup_size(1)
fn main() {
    atomicStore(&local_counters[3], 60u);
    for (var i = 0u; i < 6u; i++) {
        let a = atomicAdd(&counters[at[i]], 5u);
        let b = atomicMax(&local_counters[at[i]], 33u);
        let c = atomicCompareExchangeWeak(&counters[at[i]], 100u, 200u);
        atomicStore(&local_counters[u32(at[i]) + 1u], 8u);
        returned[i] = vec4<u32>(a, b, c.old_value, atomicLoad(&counters[at[i]]));
    }
    returned[5].w = atomicLoad(&local_counters[0]) + 1000u * atomicLoad(&local_counters[1]) + 1000000u * atomicLoad(&local_counters[3]);
}
