//! The six comparisons, on i32 and on u32 with the same bits, and equality of bools.
//! in pairs = [1, 2, 2, 1, -1, 1, 1, -1, -5, -5, -2147483648, 2147483647]
//! out result = [35, 35, 3, _, 44, 44, 3, _, 35, 44, 0, _, 44, 35, 0, _, 26, 26, 1, _, 35, 44, 0, _]

@group(0) @binding(0) var<storage, read> pairs: array<vec2<i32>, 6>;
@group(0) @binding(1) var<storage, read_write> result: array<vec3<u32>, 6>;

@compute @workgroup_size(6)
fn main(@builtin(local_invocation_index) i: u32) {
    let a = pairs[i].x;
    let b = pairs[i].y;
    let c = u32(a);
    let d = u32(b);
    result[i].x = u32(a < b) + 2u * u32(a <= b) + 4u * u32(a > b) + 8u * u32(a >= b) + 16u * u32(a == b) + 32u * u32(a != b);
    result[i].y = u32(c < d) + 2u * u32(c <= d) + 4u * u32(c > d) + 8u * u32(c >= d) + 16u * u32(c == d) + 32u * u32(c != d);
    result[i].z = u32((a < b) == (c < d)) + 2u * u32((a < b) != (c > d));
}
