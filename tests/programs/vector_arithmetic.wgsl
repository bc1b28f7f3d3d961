//! Vector with vector, vector with scalar and scalar with vector, for all integer operators and comparisons.
//! in result = zeros 51
//! out result = [9, -5, 5, 5, -11, 13, 14, -24, -36, 3, -2, -2, 1, -2, 1, 8, -7, 10, 93, 108, 91, 21, -24, 27, -7, 8, -9, -8, 7, -10, 2, 0, 8, 7, -5, -3, 5, -5, -11, 14, -32, 72, 3, -2, 1, 1, 100, 1, 2, -8, -4]

@group(0) @binding(0) var<storage, read_write> result: array<i32>;

fn put(at: u32, v: vec3<i32>) {
    result[at] = v.x;
    result[at + 1u] = v.y;
    result[at + 2u] = v.z;
}

@compute @workgroup_size(1)
fn main() {
    let a = vec3<i32>(7, -8, 9);
    let b = vec3<i32>(2, 3, -4);
    put(0u, a + b);
    put(3u, a - b);
    put(6u, a * b);
    put(9u, a / b);
    put(12u, a % b);
    put(15u, a + 1);
    put(18u, 100 - a);
    put(21u, a * 3);
    put(24u, -a);
    put(27u, ~a);
    put(30u, a & b);
    put(33u, a | b);
    put(36u, a ^ b);
    put(39u, a << vec3<u32>(1u, 2u, 3u));
    put(42u, a >> vec3<u32>(1u, 2u, 3u));
    put(45u, vec3<i32>(a > b) + 10 * vec3<i32>(a == -b) + 100 * vec3<i32>(a <= b));
    put(48u, select(a, b, vec3<bool>(true, false, true)));
}
