//! i32 addition, subtraction, multiplication and negation wrap.
//! in x = [2147483647, -2147483648, 65536, -65537, 123456789, -1, 46341, -2147483648]
//! in y = [1, -1, 65536, 65537, 987654321, -1, 46341, -2147483648]
//! out scalars = [-2147483648, 2147483647, 131072, 0, 1111111110, -2, 92682, 0, 2147483646, -2147483647, 0, -131074, -864197532, 0, 0, 0, 2147483647, -2147483648, 0, -131073, -67153019, 1, -2147479015, 0, -2147483647, -2147483648, -65536, 65537, -123456789, 1, -46341, -2147483648]
//! out vectors = [-2147483648, 2147483647, 131072, 0, 1111111110, -2, 92682, 0, 2147483646, -2147483647, 0, -131074, -864197532, 0, 0, 0, 2147483647, -2147483648, 0, -131073, -67153019, 1, -2147479015, 0, -2147483647, -2147483648, -65536, 65537, -123456789, 1, -46341, -2147483648]

@group(0) @binding(0) var<storage, read> x: array<i32, 8>;
@group(0) @binding(1) var<storage, read> y: array<i32, 8>;
@group(0) @binding(2) var<storage, read_write> scalars: array<array<i32, 8>, 4>;
@group(0) @binding(3) var<storage, read_write> vectors: array<array<i32, 8>, 4>;

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

@compute @workgroup_size(8)
fn main(@builtin(local_invocation_index) i: u32) {
    scalars[0][i] = (x[i] + y[i]);
    scalars[1][i] = (x[i] - y[i]);
    scalars[2][i] = (x[i] * y[i]);
    scalars[3][i] = (-x[i]);
    if i % 4u != 0u {
        return;
    }
    let x4 = four_x(i);
    let y4 = four_y(i);
    put(0u, i, (x4 + y4));
    put(1u, i, vec4<i32>((x4.xyz - y4.xyz), (x4.w - y4.w)));
    put(2u, i, vec4<i32>((x4.xy * y4.xy), (x4.zw * y4.zw)));
    put(3u, i, (-x4));
}
