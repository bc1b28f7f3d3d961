//! acosh from 1 upward, and atanh inside -1 to 1.
//! in x = [1.0, 1.125, 1.5, 2.0, 3.0, 10.0, 100.0, 10000.0]
//! in y = [0.0, 0.1, -0.1, 0.5, -0.5, 0.9, -0.99, 0.001]
//! out scalars = [0.0, 0.49493292, 0.9624236, 1.316958, 1.7627472, 2.993223, 5.298292, 9.903487, 0.0, 0.10033535, -0.10033535, 0.54930615, -0.54930615, 1.4722193, -2.646653, 0.0010000004]
//! out vectors = [0.0, 0.49493292, 0.9624236, 1.316958, 1.7627472, 2.993223, 5.298292, 9.903487, 0.0, 0.10033535, -0.10033535, 0.54930615, -0.54930615, 1.4722193, -2.646653, 0.0010000004]
//! ulp scalars = 4
//! ulp vectors = 4
//! abs scalars = 1e-07
//! abs vectors = 1e-07
//! inexact scalars = 9
//! inexact vectors = 9

@group(0) @binding(0) var<storage, read> x: array<f32, 8>;
@group(0) @binding(1) var<storage, read> y: array<f32, 8>;
@group(0) @binding(2) var<storage, read_write> scalars: array<array<f32, 8>, 2>;
@group(0) @binding(3) var<storage, read_write> vectors: array<array<f32, 8>, 2>;

fn four_x(i: u32) -> vec4<f32> {
    return vec4<f32>(x[i], x[i + 1u], x[i + 2u], x[i + 3u]);
}

fn four_y(i: u32) -> vec4<f32> {
    return vec4<f32>(y[i], y[i + 1u], y[i + 2u], y[i + 3u]);
}

fn put(row: u32, i: u32, v: vec4<f32>) {
    for (var k = 0u; k < 4u; k++) {
        vectors[row][i + k] = v[k];
    }
}

@compute @workgroup_size(8)
fn main(@builtin(local_invocation_index) i: u32) {
    scalars[0][i] = acosh(x[i]);
    scalars[1][i] = atanh(y[i]);
    if i % 4u != 0u {
        return;
    }
    let x4 = four_x(i);
    let y4 = four_y(i);
    put(0u, i, acosh(x4));
    put(1u, i, vec4<f32>(atanh(y4.xyz), atanh(y4.w)));
}
