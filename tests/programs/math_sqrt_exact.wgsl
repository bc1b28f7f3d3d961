//! sqrt is rounded correctly.
//! in x = [0.0, 1.0, 2.0, 3.0, 4.0, 0.5, 10.0, 1.0e-10, 1.0e+10, 3.4e+38, 1.1754944e-38, 123.456, 2.25, 1.0e-20, 7.0, 0.1]
//! out scalars = [0.0, 1.0, 1.4142135, 1.7320508, 2.0, 0.70710677, 3.1622777, 1.0e-05, 100000.0, 1.8439089e+19, 1.0842022e-19, 11.111075, 1.5, 1.0e-10, 2.6457512, 0.31622776]
//! out vectors = [0.0, 1.0, 1.4142135, 1.7320508, 2.0, 0.70710677, 3.1622777, 1.0e-05, 100000.0, 1.8439089e+19, 1.0842022e-19, 11.111075, 1.5, 1.0e-10, 2.6457512, 0.31622776]
//! inexact scalars = 7
//! inexact vectors = 7

@group(0) @binding(0) var<storage, read> x: array<f32, 16>;
@group(0) @binding(1) var<storage, read_write> scalars: array<array<f32, 16>, 1>;
@group(0) @binding(2) var<storage, read_write> vectors: array<array<f32, 16>, 1>;

fn four_x(i: u32) -> vec4<f32> {
    return vec4<f32>(x[i], x[i + 1u], x[i + 2u], x[i + 3u]);
}

fn put(row: u32, i: u32, v: vec4<f32>) {
    for (var k = 0u; k < 4u; k++) {
        vectors[row][i + k] = v[k];
    }
}

@compute @workgroup_size(16)
fn main(@builtin(local_invocation_index) i: u32) {
    scalars[0][i] = sqrt(x[i]);
    if i % 4u != 0u {
        return;
    }
    let x4 = four_x(i);
    put(0u, i, sqrt(x4));
}
