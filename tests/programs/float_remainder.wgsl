//! % on f32: x - y * trunc(x / y), the sign of the dividend, for exact quotients.
//! in x = [7.0, -7.0, 7.0, -7.0, 5.5, -5.5, 1.0, 0.75, 10.0, -10.0, 3.0, 100.0]
//! in y = [3.0, 3.0, -3.0, -3.0, 2.0, 2.0, 5.0, 0.25, 2.5, 4.0, 8.0, 7.0]
//! out scalars = [1.0, -1.0, 1.0, -1.0, 1.5, -1.5, 1.0, 0.0, 0.0, -2.0, 3.0, 2.0]
//! out vectors = [1.0, -1.0, 1.0, -1.0, 1.5, -1.5, 1.0, 0.0, 0.0, -2.0, 3.0, 2.0]

@group(0) @binding(0) var<storage, read> x: array<f32, 12>;
@group(0) @binding(1) var<storage, read> y: array<f32, 12>;
@group(0) @binding(2) var<storage, read_write> scalars: array<array<f32, 12>, 1>;
@group(0) @binding(3) var<storage, read_write> vectors: array<array<f32, 12>, 1>;

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
    scalars[0][i] = (x[i] % y[i]);
    if i % 4u != 0u {
        return;
    }
    let x4 = four_x(i);
    let y4 = four_y(i);
    put(0u, i, (x4 % y4));
}
