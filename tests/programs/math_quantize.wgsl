//! quantizeToF16 rounds to the nearest half, ties to even.
//! in x = [0.0, 1.0, -1.0, 0.1, 3.1415927, 65504.0, 1.0009766, 1.0004883, 1.0014648, 6.1035156e-05, -2049.0, 2051.0]
//! out scalars = [0.0, 1.0, -1.0, 0.099975586, 3.140625, 65504.0, 1.0009766, 1.0, 1.0019531, 6.1035156e-05, -2048.0, 2052.0]
//! out vectors = [0.0, 1.0, -1.0, 0.099975586, 3.140625, 65504.0, 1.0009766, 1.0, 1.0019531, 6.1035156e-05, -2048.0, 2052.0]

@group(0) @binding(0) var<storage, read> x: array<f32, 12>;
@group(0) @binding(1) var<storage, read_write> scalars: array<array<f32, 12>, 1>;
@group(0) @binding(2) var<storage, read_write> vectors: array<array<f32, 12>, 1>;

fn four_x(i: u32) -> vec4<f32> {
    return vec4<f32>(x[i], x[i + 1u], x[i + 2u], x[i + 3u]);
}

fn put(row: u32, i: u32, v: vec4<f32>) {
    for (var k = 0u; k < 4u; k++) {
        vectors[row][i + k] = v[k];
    }
}

@compute @workgroup_size(12)
fn main(@builtin(local_invocation_index) i: u32) {
    scalars[0][i] = quantizeToF16(x[i]);
    if i % 4u != 0u {
        return;
    }
    let x4 = four_x(i);
    put(0u, i, quantizeToF16(x4));
}
