//! fma rounds once.
//! in x = [1.0002441, 1.0002441, 3.0, -2.0, 1.0e+20, 0.1, 1.6777215e+07, 1.0e-20]
//! in y = [1.0002441, 0.99975586, 4.0, 2.5, 1.0e+20, 10.0, 1.6777215e+07, 1.0e-20]
//! in z = [-1.0004883, -1.0, 5.0, 0.25, -1.0, -1.0, -2.8147494e+14, 1.0e-30]
//! out scalars = [5.9604645e-08, -5.9604645e-08, 17.0, -4.75, inf, 1.4901161e-08, 1.0, 1.0e-30]
//! out vectors = [5.9604645e-08, -5.9604645e-08, 17.0, -4.75, inf, 1.4901161e-08, 1.0, 1.0e-30]

@group(0) @binding(0) var<storage, read> x: array<f32, 8>;
@group(0) @binding(1) var<storage, read> y: array<f32, 8>;
@group(0) @binding(2) var<storage, read> z: array<f32, 8>;
@group(0) @binding(3) var<storage, read_write> scalars: array<array<f32, 8>, 1>;
@group(0) @binding(4) var<storage, read_write> vectors: array<array<f32, 8>, 1>;

fn four_x(i: u32) -> vec4<f32> {
    return vec4<f32>(x[i], x[i + 1u], x[i + 2u], x[i + 3u]);
}

fn four_y(i: u32) -> vec4<f32> {
    return vec4<f32>(y[i], y[i + 1u], y[i + 2u], y[i + 3u]);
}

fn four_z(i: u32) -> vec4<f32> {
    return vec4<f32>(z[i], z[i + 1u], z[i + 2u], z[i + 3u]);
}

fn put(row: u32, i: u32, v: vec4<f32>) {
    for (var k = 0u; k < 4u; k++) {
        vectors[row][i + k] = v[k];
    }
}

@compute @workgroup_size(8)
fn main(@builtin(local_invocation_index) i: u32) {
    scalars[0][i] = fma(x[i], y[i], z[i]);
    if i % 4u != 0u {
        return;
    }
    let x4 = four_x(i);
    let y4 = four_y(i);
    let z4 = four_z(i);
    put(0u, i, fma(x4, y4, z4));
}
