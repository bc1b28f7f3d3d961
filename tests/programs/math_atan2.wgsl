//! atan2 in all four quadrants and on the axes.
//! in x = [1.0, 1.0, -1.0, -1.0, 2.0, -2.0, 0.5, -0.5, 0.0, 0.0, 3.0, -3.0, 100.0, -0.01, 0.001, -7.0]
//! in y = [1.0, -1.0, 1.0, -1.0, 0.5, 0.5, -3.0, -3.0, 2.0, -2.0, 1.0, 1.0e-04, -50.0, 0.02, 0.001, -0.7]
//! out scalars = [0.7853982, -0.7853982, 2.3561945, -2.3561945, 0.24497867, 2.896614, -1.4056476, -1.735945, 1.5707964, -1.5707964, 0.32175055, 3.1415594, -0.4636476, 2.0344439, 0.7853982, -3.041924]
//! out vectors = [0.7853982, -0.7853982, 2.3561945, -2.3561945, 0.24497867, 2.896614, -1.4056476, -1.735945, 1.5707964, -1.5707964, 0.32175055, 3.1415594, -0.4636476, 2.0344439, 0.7853982, -3.041924]
//! ulp scalars = 4
//! ulp vectors = 4

@group(0) @binding(0) var<storage, read> x: array<f32, 16>;
@group(0) @binding(1) var<storage, read> y: array<f32, 16>;
@group(0) @binding(2) var<storage, read_write> scalars: array<array<f32, 16>, 1>;
@group(0) @binding(3) var<storage, read_write> vectors: array<array<f32, 16>, 1>;

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

@compute @workgroup_size(16)
fn main(@builtin(local_invocation_index) i: u32) {
    scalars[0][i] = atan2(y[i], x[i]);
    if i % 4u != 0u {
        return;
    }
    let x4 = four_x(i);
    let y4 = four_y(i);
    put(0u, i, atan2(y4, x4));
}
