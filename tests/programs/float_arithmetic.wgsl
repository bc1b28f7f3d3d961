//! + - * / on f32 are rounded correctly; % keeps the sign of the dividend.
//! in x = [1.0, 0.1, 1.0e+30, -1.0e-30, 1.6777216e+07, 3.0, inf, 0.0, 1.5, -7.25, 1.0e+38, 2.5]
//! in y = [3.0, 0.2, 1.0e-08, 1.0e-12, 1.0, -7.0, 2.0, 5.0, -0.5, 2.5, 1.0e+38, -0.75]
//! out scalars = [4.0, 0.3, 1.0e+30, 1.0e-12, 1.6777216e+07, -4.0, inf, 5.0, 1.0, -4.75, 2.0e+38, 1.75, -2.0, -0.1, 1.0e+30, -1.0e-12, 1.6777215e+07, 10.0, inf, -5.0, 2.0, -9.75, 0.0, 3.25, 3.0, 0.020000001, 1.0e+22, -1.0e-42, 1.6777216e+07, -21.0, inf, 0.0, -0.75, -18.125, inf, -1.875, 0.33333334, 0.5, 1.0000001e+38, -1.0e-18, 1.6777216e+07, -0.42857143, inf, 0.0, -3.0, -2.9, 1.0, -3.3333333, -1.0, -0.1, -1.0e+30, 1.0e-30, -1.6777216e+07, -3.0, -inf, -0.0, -1.5, 7.25, -1.0e+38, -2.5]
//! out vectors = [4.0, 0.3, 1.0e+30, 1.0e-12, 1.6777216e+07, -4.0, inf, 5.0, 1.0, -4.75, 2.0e+38, 1.75, -2.0, -0.1, 1.0e+30, -1.0e-12, 1.6777215e+07, 10.0, inf, -5.0, 2.0, -9.75, 0.0, 3.25, 3.0, 0.020000001, 1.0e+22, -1.0e-42, 1.6777216e+07, -21.0, inf, 0.0, -0.75, -18.125, inf, -1.875, 0.33333334, 0.5, 1.0000001e+38, -1.0e-18, 1.6777216e+07, -0.42857143, inf, 0.0, -3.0, -2.9, 1.0, -3.3333333, -1.0, -0.1, -1.0e+30, 1.0e-30, -1.6777216e+07, -3.0, -inf, -0.0, -1.5, 7.25, -1.0e+38, -2.5]
//! inexact scalars = 3
//! inexact vectors = 3

@group(0) @binding(0) var<storage, read> x: array<f32, 12>;
@group(0) @binding(1) var<storage, read> y: array<f32, 12>;
@group(0) @binding(2) var<storage, read_write> scalars: array<array<f32, 12>, 5>;
@group(0) @binding(3) var<storage, read_write> vectors: array<array<f32, 12>, 5>;

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

@compute @workgroup_size(12)
fn main(@builtin(local_invocation_index) i: u32) {
    scalars[0][i] = (x[i] + y[i]);
    scalars[1][i] = (x[i] - y[i]);
    scalars[2][i] = (x[i] * y[i]);
    scalars[3][i] = (x[i] / y[i]);
    scalars[4][i] = (-x[i]);
    if i % 4u != 0u {
        return;
    }
    let x4 = four_x(i);
    let y4 = four_y(i);
    put(0u, i, (x4 + y4));
    put(1u, i, vec4<f32>((x4.xyz - y4.xyz), (x4.w - y4.w)));
    put(2u, i, vec4<f32>((x4.xy * y4.xy), (x4.zw * y4.zw)));
    put(3u, i, (x4 / y4));
    put(4u, i, vec4<f32>((-x4.xyz), (-x4.w)));
}
