//! atomicCompareExchangeWeak: success and failure, and a loop that multiplies a counter from many invocations.
//! grid: 4,1,1
//! in cells = [5, 5, 7]
//! in signed_cell = [3]
//! out cells = [5, 9, 785626503]
//! out old = [5, 0, 5, 1]
//! out signed_cell = [3]

@group(0) @binding(0) var<storage, read_write> cells: array<atomic<u32>, 3>;
@group(0) @binding(1) var<storage, read_write> old: array<u32, 4>;
@group(0) @binding(2) var<storage, read_write> signed_cell: atomic<i32>;

@compute @workgroup_size(8)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x == 0u {
        let miss = atomicCompareExchangeWeak(&cells[0], 6u, 9u);
        old[0] = miss.old_value;
        old[1] = u32(miss.exchanged);
        var hit = atomicCompareExchangeWeak(&cells[1], 5u, 9u);
        while !hit.exchanged && hit.old_value == 5u { // it may fail without a reason
            hit = atomicCompareExchangeWeak(&cells[1], 5u, 9u);
        }
        old[2] = hit.old_value;
        old[3] = u32(hit.exchanged);
        let r = atomicCompareExchangeWeak(&signed_cell, -1, 4);
        _ = r.old_value;
    }
    var expected = atomicLoad(&cells[2]);
    loop {
        let attempt = atomicCompareExchangeWeak(&cells[2], expected, expected * 3u);
        if attempt.exchanged {
            break;
        }
        expected = attempt.old_value;
    }
}
