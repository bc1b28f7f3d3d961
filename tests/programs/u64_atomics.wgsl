//! Atomics on u64 in storage: add, max, min, and, or, xor, exchange.
//! grid: 3,1,1
//! in cells = [9223372036854775808, 5, 18446744073709551615, 18446744073709551615, 0, 0, 1]
//! out cells = [9223373222265749780, 98784247831, 0, 18446744073692774400, 93824992236885, 0, 18364758544493064720]

@group(0) @binding(0) var<storage, read_write> cells: array<atomic<u64>, 7>;

@compute @workgroup_size(8)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let x = u64(id.x) * 0x100000001lu;
    _ = atomicAdd(&cells[0], x);
    _ = atomicMax(&cells[1], x);
    _ = atomicMin(&cells[2], x);
    _ = atomicAnd(&cells[3], ~(1lu << id.x));
    _ = atomicOr(&cells[4], 1lu << (id.x * 2u));
    _ = atomicXor(&cells[5], x);
    if id.x == 9u {
        _ = atomicExchange(&cells[6], 0xfedcba9876543210lu);
    }
}
