//! The bit functions of i32; firstLeadingBit of a negative number finds the highest zero.
//! in x = [0, 1, -1, -2, -2147483648, 2147483647, -256, 12345]
//! out scalars = [0, 1, 32, 31, 1, 31, 24, 6, 32, 31, 0, 0, 0, 1, 0, 18, 32, 0, 0, 1, 31, 0, 8, 0, -1, 0, -1, 0, 30, 30, 7, 13, -1, 0, 0, 1, 31, 0, 8, 0, 0, -2147483648, -1, 2147483647, 1, -2, 16777215, -1676935168]
//! out vectors = [0, 1, 32, 31, 1, 31, 24, 6, 32, 31, 0, 0, 0, 1, 0, 18, 32, 0, 0, 1, 31, 0, 8, 0, -1, 0, -1, 0, 30, 30, 7, 13, -1, 0, 0, 1, 31, 0, 8, 0, 0, -2147483648, -1, 2147483647, 1, -2, 16777215, -1676935168]

@group(0) @binding(0) var<storage, read> x: array<i32, 8>;
@group(0) @binding(1) var<storage, read_write> scalars: array<array<i32, 8>, 6>;
@group(0) @binding(2) var<storage, read_write> vectors: array<array<i32, 8>, 6>;

fn four_x(i: u32) -> vec4<i32> {
    return vec4<i32>(x[i], x[i + 1u], x[i + 2u], x[i + 3u]);
}

fn put(row: u32, i: u32, v: vec4<i32>) {
    for (var k = 0u; k < 4u; k++) {
        vectors[row][i + k] = v[k];
    }
}

@compute @workgroup_size(8)
fn main(@builtin(local_invocation_index) i: u32) {
    scalars[0][i] = countOneBits(x[i]);
    scalars[1][i] = countLeadingZeros(x[i]);
    scalars[2][i] = countTrailingZeros(x[i]);
    scalars[3][i] = firstLeadingBit(x[i]);
    scalars[4][i] = firstTrailingBit(x[i]);
    scalars[5][i] = reverseBits(x[i]);
    if i % 4u != 0u {
        return;
    }
    let x4 = four_x(i);
    put(0u, i, countOneBits(x4));
    put(1u, i, vec4<i32>(countLeadingZeros(x4.xyz), countLeadingZeros(x4.w)));
    put(2u, i, vec4<i32>(countTrailingZeros(x4.xy), countTrailingZeros(x4.zw)));
    put(3u, i, firstLeadingBit(x4));
    put(4u, i, vec4<i32>(firstTrailingBit(x4.xyz), firstTrailingBit(x4.w)));
    put(5u, i, vec4<i32>(reverseBits(x4.xy), reverseBits(x4.zw)));
}
