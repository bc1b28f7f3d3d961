//! Atomics on u64 and i64 in workgroup memory, with the values they return, and compare-exchange.
//! out old = [-5, 9999999995, -7, 4294967296, 3, 3]
//! out final_values = [532575944704, 18446744073709551615]

@group(0) @binding(0) var<storage, read_write> old: array<i64, 6>;
@group(0) @binding(1) var<storage, read_write> final_values: array<u64, 2>;

var<workgroup> total: atomic<u64>;
var<workgroup> cell: atomic<i64>;

@compute @workgroup_size(32)
fn main(@builtin(local_invocation_index) i: u32) {
    atomicAdd(&total, u64(i) << 30u);
    workgroupBarrier();
    if i == 0u {
        atomicStore(&cell, -5li);
        old[0] = atomicAdd(&cell, 10000000000li);
        old[1] = atomicMin(&cell, -7li);
        old[2] = atomicMax(&cell, 4294967296li);
        old[3] = atomicExchange(&cell, 3li);
        let miss = atomicCompareExchangeWeak(&cell, 4li, 9li);
        old[4] = miss.old_value + select(0li, 100li, miss.exchanged);
        old[5] = atomicSub(&cell, 4li);
        final_values[0] = atomicLoad(&total);
        final_values[1] = u64(atomicLoad(&cell));
    }
}
