//! min, max, clamp and abs of u32, compared as unsigned numbers.
//! in x = [1, 2, 0, 5, 2147483648, 4294967295, 3, 9]
//! in y = [2, 3, 1, 5, 2147483647, 0, 10, 20]
//! in z = [7, 1, 5, 6, 3, 3, 4294967280, 0]
//! out scalars = [1, 2, 0, 5, 2147483647, 0, 3, 9, 2, 3, 1, 5, 2147483648, 4294967295, 10, 20, 2, 2, 1, 5, 2147483647, 0, 10, 9, 1, 2, 0, 5, 2147483648, 4294967295, 3, 9]
//! out vectors = [1, 2, 0, 5, 2147483647, 0, 3, 9, 2, 3, 1, 5, 2147483648, 4294967295, 10, 20, 2, 2, 1, 5, 2147483647, 0, 10, 9, 1, 2, 0, 5, 2147483648, 4294967295, 3, 9]

@group(0) @binding(0) var<storage, read> x: array<u32, 8>;
@group(0) @binding(1) var<storage, read> y: array<u32, 8>;
@group(0) @binding(2) var<storage, read> z: array<u32, 8>;
@group(0) @binding(3) var<storage, read_write> scalars: array<array<u32, 8>, 4>;
@group(0) @binding(4) var<storage, read_write> vectors: array<array<u32, 8>, 4>;

fn four_x(i: u32) -> vec4<u32> {
    return vec4<u32>(x[i], x[i + 1u], x[i + 2u], x[i + 3u]);
}

fn four_y(i: u32) -> vec4<u32> {
    return vec4<u32>(y[i], y[i + 1u], y[i + 2u], y[i + 3u]);
}

fn four_z(i: u32) -> vec4<u32> {
    return vec4<u32>(z[i], z[i + 1u], z[i + 2u], z[i + 3u]);
}

fn put(row: u32, i: u32, v: vec4<u32>) {
    for (var k = 0u; k < 4u; k++) {
        vectors[row][i + k] = v[k];
    }
}

@compute @workgroup_size(8)
fn main(@builtin(local_invocation_index) i: u32) {
    scalars[0][i] = min(x[i], y[i]);
    scalars[1][i] = max(x[i], y[i]);
    scalars[2][i] = clamp(z[i], x[i], y[i]);
    scalars[3][i] = abs(x[i]);
    if i % 4u != 0u {
        return;
    }
    let x4 = four_x(i);
    let y4 = four_y(i);
    let z4 = four_z(i);
    put(0u, i, min(x4, y4));
    put(1u, i, vec4<u32>(max(x4.xyz, y4.xyz), max(x4.w, y4.w)));
    put(2u, i, vec4<u32>(clamp(z4.xy, x4.xy, y4.xy), clamp(z4.zw, x4.zw, y4.zw)));
    put(3u, i, abs(x4));
}
