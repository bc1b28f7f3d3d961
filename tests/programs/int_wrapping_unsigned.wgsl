//! u32 addition, subtraction and multiplication wrap; complement.
//! in x = [4294967295, 0, 2147483648, 65536, 3735928559, 7, 4294967294, 12345]
//! in y = [1, 1, 2, 65537, 3405691582, 8, 4294967294, 0]
//! out scalars = [0, 1, 2147483650, 131073, 2846652845, 15, 4294967292, 12345, 4294967294, 4294967295, 2147483646, 4294967295, 330236977, 4294967295, 0, 12345, 4294967295, 0, 0, 65536, 2295290722, 56, 4, 0, 0, 4294967295, 2147483647, 4294901759, 559038736, 4294967288, 1, 4294954950]
//! out vectors = [0, 1, 2147483650, 131073, 2846652845, 15, 4294967292, 12345, 4294967294, 4294967295, 2147483646, 4294967295, 330236977, 4294967295, 0, 12345, 4294967295, 0, 0, 65536, 2295290722, 56, 4, 0, 0, 4294967295, 2147483647, 4294901759, 559038736, 4294967288, 1, 4294954950]

@group(0) @binding(0) var<storage, read> x: array<u32, 8>;
@group(0) @binding(1) var<storage, read> y: array<u32, 8>;
@group(0) @binding(2) var<storage, read_write> scalars: array<array<u32, 8>, 4>;
@group(0) @binding(3) var<storage, read_write> vectors: array<array<u32, 8>, 4>;

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
    scalars[0][i] = (x[i] + y[i]);
    scalars[1][i] = (x[i] - y[i]);
    scalars[2][i] = (x[i] * y[i]);
    scalars[3][i] = (~x[i]);
    if i % 4u != 0u {
        return;
    }
    let x4 = four_x(i);
    let y4 = four_y(i);
    put(0u, i, (x4 + y4));
    put(1u, i, vec4<u32>((x4.xyz - y4.xyz), (x4.w - y4.w)));
    put(2u, i, vec4<u32>((x4.xy * y4.xy), (x4.zw * y4.zw)));
    put(3u, i, (~x4));
}
