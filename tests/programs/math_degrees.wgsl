//! degrees and radians.
//! in x = [0.0, 1.0, -1.0, 3.1415927, 180.0, 90.0, -45.0, 0.001]
//! out scalars = [0.0, 57.29578, -57.29578, 180.0, 10313.24, 5156.62, -2578.31, 0.05729578, 0.0, 0.017453292, -0.017453292, 0.054831136, 3.1415927, 1.5707964, -0.7853982, 1.7453292e-05]
//! out vectors = [0.0, 57.29578, -57.29578, 180.0, 10313.24, 5156.62, -2578.31, 0.05729578, 0.0, 0.017453292, -0.017453292, 0.054831136, 3.1415927, 1.5707964, -0.7853982, 1.7453292e-05]
//! ulp scalars = 2
//! ulp vectors = 2

@group(0) @binding(0) var<storage, read> x: array<f32, 8>;
@group(0) @binding(1) var<storage, read_write> scalars: array<array<f32, 8>, 2>;
@group(0) @binding(2) var<storage, read_write> vectors: array<array<f32, 8>, 2>;

fn four_x(i: u32) -> vec4<f32> {
    return vec4<f32>(x[i], x[i + 1u], x[i + 2u], x[i + 3u]);
}

fn put(row: u32, i: u32, v: vec4<f32>) {
    for (var k = 0u; k < 4u; k++) {
        vectors[row][i + k] = v[k];
    }
}

@compute @workgroup_size(8)
fn main(@builtin(local_invocation_index) i: u32) {
    scalars[0][i] = degrees(x[i]);
    scalars[1][i] = radians(x[i]);
    if i % 4u != 0u {
        return;
    }
    let x4 = four_x(i);
    put(0u, i, degrees(x4));
    put(1u, i, vec4<f32>(radians(x4.xyz), radians(x4.w)));
}
