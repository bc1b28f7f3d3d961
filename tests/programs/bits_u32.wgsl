//! countOneBits, countLeadingZeros, countTrailingZeros, firstLeadingBit, firstTrailingBit and reverseBits of u32.
//! in x = [0, 1, 2, 2147483648, 4294967295, 16711680, 305419896, 2147483647]
//! out scalars = [0, 1, 1, 1, 32, 8, 13, 31, 32, 31, 30, 0, 0, 8, 3, 1, 32, 0, 1, 31, 0, 16, 3, 0, 4294967295, 0, 1, 31, 31, 23, 28, 30, 4294967295, 0, 1, 31, 0, 16, 3, 0, 0, 2147483648, 1073741824, 1, 4294967295, 65280, 510274632, 4294967294]
//! out vectors = [0, 1, 1, 1, 32, 8, 13, 31, 32, 31, 30, 0, 0, 8, 3, 1, 32, 0, 1, 31, 0, 16, 3, 0, 4294967295, 0, 1, 31, 31, 23, 28, 30, 4294967295, 0, 1, 31, 0, 16, 3, 0, 0, 2147483648, 1073741824, 1, 4294967295, 65280, 510274632, 4294967294]

@group(0) @binding(0) var<storage, read> x: array<u32, 8>;
@group(0) @binding(1) var<storage, read_write> scalars: array<array<u32, 8>, 6>;
@group(0) @binding(2) var<storage, read_write> vectors: array<array<u32, 8>, 6>;

fn four_x(i: u32) -> vec4<u32> {
    return vec4<u32>(x[i], x[i + 1u], x[i + 2u], x[i + 3u]);
}

fn put(row: u32, i: u32, v: vec4<u32>) {
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
    put(1u, i, vec4<u32>(countLeadingZeros(x4.xyz), countLeadingZeros(x4.w)));
    put(2u, i, vec4<u32>(countTrailingZeros(x4.xy), countTrailingZeros(x4.zw)));
    put(3u, i, firstLeadingBit(x4));
    put(4u, i, vec4<u32>(firstTrailingBit(x4.xyz), firstTrailingBit(x4.w)));
    put(5u, i, vec4<u32>(reverseBits(x4.xy), reverseBits(x4.zw)));
}
