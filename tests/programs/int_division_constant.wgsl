//! Division and remainder by constants, and constants divided by variables.
//! in result = zeros 64
//! out result = [-571430, -2, 500001, -4, 0, 0, -250, 0, -428572, -5, 375001, -1, 53687091, 3, -333, -1, -285715, -1, 250000, -6, 107374182, 6, -500, 0, -142857, -4, 125000, -3, 161061273, 9, -1000, 0, 0, 0, 0, 0, 214748365, 2, 1000, 0, 142857, 4, -125000, 3, 268435456, 5, 1000, 0, 285715, 1, -250000, 6, 322122547, 8, 500, 0, 428572, 5, -375001, 1, 375809639, 1, 333, -1]

@group(0) @binding(0) var<storage, read_write> result: array<i32>;

@compute @workgroup_size(8)
fn main(@builtin(local_invocation_index) i: u32) {
    let x = (i32(i) - 4) * 1000003;
    let u = i * 0x20000001u;
    result[8u * i] = x / 7;
    result[8u * i + 1u] = x % 7;
    result[8u * i + 2u] = x / -8;
    result[8u * i + 3u] = x % 8;
    result[8u * i + 4u] = i32(u / 10u);
    result[8u * i + 5u] = i32(u % 10u);
    result[8u * i + 6u] = 1000 / (i32(i) - 4);
    result[8u * i + 7u] = -1000 % (i32(i) - 4);
}
