//! pow of positive bases, with whole, fractional, negative and zero exponents.
//! in x = [2.0, 2.0, 2.0, 10.0, 10.0, 0.5, 3.0, 3.0, 1.0, 7.0, 0.0, 1.5, 100.0, 9.0, 1.0001, 0.3]
//! in y = [10.0, -3.0, 0.5, 3.0, -2.0, 4.0, 0.0, 2.5, 50.0, 1.0, 2.0, 20.0, -1.5, 0.5, 1000.0, 0.7]
//! out scalars = [1024.0, 0.125, 1.4142135, 1000.0, 0.01, 0.0625, 1.0, 15.588457, 1.0, 7.0, 0.0, 3325.2568, 0.001, 3.0, 1.1051837, 0.43051162]
//! out vectors = [1024.0, 0.125, 1.4142135, 1000.0, 0.01, 0.0625, 1.0, 15.588457, 1.0, 7.0, 0.0, 3325.2568, 0.001, 3.0, 1.1051837, 0.43051162]
//! ulp scalars = 8
//! ulp vectors = 8

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
    scalars[0][i] = pow(x[i], y[i]);
    if i % 4u != 0u {
        return;
    }
    let x4 = four_x(i);
    let y4 = four_y(i);
    put(0u, i, pow(x4, y4));
}
