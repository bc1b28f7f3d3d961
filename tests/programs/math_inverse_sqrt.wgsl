//! inverseSqrt.
//! in x = [1.0, 4.0, 0.25, 2.0, 3.0, 10.0, 100.0, 1.0e-10, 1.0e+10, 0.5, 7.0, 123.456]
//! out scalars = [1.0, 0.5, 2.0, 0.70710677, 0.57735026, 0.31622776, 0.1, 100000.0, 1.0e-05, 1.4142135, 0.37796447, 0.09000029]
//! out vectors = [1.0, 0.5, 2.0, 0.70710677, 0.57735026, 0.31622776, 0.1, 100000.0, 1.0e-05, 1.4142135, 0.37796447, 0.09000029]
//! ulp scalars = 2
//! ulp vectors = 2
//! inexact scalars = 12
//! inexact vectors = 12

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
    scalars[0][i] = inverseSqrt(x[i]);
    if i % 4u != 0u {
        return;
    }
    let x4 = four_x(i);
    put(0u, i, inverseSqrt(x4));
}
