//! u32 division and remainder: x / 0 = x, x % 0 = 0.
//! in x = [7, 4294967295, 2147483648, 5, 0, 10, 4294967294, 3]
//! in y = [2, 2, 4294967295, 0, 0, 3, 4294967295, 7]
//! out scalars = [3, 2147483647, 0, 5, 0, 3, 0, 0, 1, 1, 2147483648, 0, 0, 1, 4294967294, 3]
//! out vectors = [3, 2147483647, 0, 5, 0, 3, 0, 0, 1, 1, 2147483648, 0, 0, 1, 4294967294, 3]

@group(0) @binding(0) var<storage, read> x: array<u32, 8>;
@group(0) @binding(1) var<storage, read> y: array<u32, 8>;
@group(0) @binding(2) var<storage, read_write> scalars: array<array<u32, 8>, 2>;
@group(0) @binding(3) var<storage, read_write> vectors: array<array<u32, 8>, 2>;

fn four_x(i: u32) -> vec4<u32> {
    return vec4<u32>(x[i], x[i + 1u], x[i + 2u], x[i + 3u]);
}

fn four_y(i: u32) -> vec4<u32> {
    return vec4<u32>(y[i], y[i + 1u], y[i + 2u], y[i + 3u]);
}

fn put(row: u32, i: u32, v: vec4<u32>) {
    for (var k = 0u; k < 4u; k++) {
        vectors[row][i + k] = v[k];
    }
}

@compute @workgroup_size(8)
fn main(@builtin(local_invocation_index) i: u32) {
    scalars[0][i] = (x[i] / y[i]);
    scalars[1][i] = (x[i] % y[i]);
    if i % 4u != 0u {
        return;
    }
    let x4 = four_x(i);
    let y4 = four_y(i);
    put(0u, i, (x4 / y4));
    put(1u, i, vec4<u32>((x4.xyz % y4.xyz), (x4.w % y4.w)));
}
