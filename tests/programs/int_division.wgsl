//! i32 division and remainder: toward zero, x / 0 = x, x % 0 = 0, MIN / -1 = MIN, MIN % -1 = 0.
//! in x = [7, -7, 7, -7, 5, 0, -2147483648, -2147483648, 2147483647, -1, -2147483648, 1]
//! in y = [2, 2, -2, -2, 0, 0, -1, 0, -1, 3, 2, -2147483648]
//! out scalars = [3, -3, -3, 3, 5, 0, -2147483648, -2147483648, -2147483647, 0, -1073741824, 0, 1, -1, 1, -1, 0, 0, 0, 0, 0, -1, 0, 1]
//! out vectors = [3, -3, -3, 3, 5, 0, -2147483648, -2147483648, -2147483647, 0, -1073741824, 0, 1, -1, 1, -1, 0, 0, 0, 0, 0, -1, 0, 1]

@group(0) @binding(0) var<storage, read> x: array<i32, 12>;
@group(0) @binding(1) var<storage, read> y: array<i32, 12>;
@group(0) @binding(2) var<storage, read_write> scalars: array<array<i32, 12>, 2>;
@group(0) @binding(3) var<storage, read_write> vectors: array<array<i32, 12>, 2>;

fn four_x(i: u32) -> vec4<i32> {
    return vec4<i32>(x[i], x[i + 1u], x[i + 2u], x[i + 3u]);
}

fn four_y(i: u32) -> vec4<i32> {
    return vec4<i32>(y[i], y[i + 1u], y[i + 2u], y[i + 3u]);
}

fn put(row: u32, i: u32, v: vec4<i32>) {
    for (var k = 0u; k < 4u; k++) {
        vectors[row][i + k] = v[k];
    }
}

@compute @workgroup_size(12)
fn main(@builtin(local_invocation_index) i: u32) {
    scalars[0][i] = (x[i] / y[i]);
    scalars[1][i] = (x[i] % y[i]);
    if i % 4u != 0u {
        return;
    }
    let x4 = four_x(i);
    let y4 = four_y(i);
    put(0u, i, (x4 / y4));
    put(1u, i, vec4<i32>((x4.xyz % y4.xyz), (x4.w % y4.w)));
}
