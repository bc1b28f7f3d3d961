//! min, max, clamp, abs and sign of f32.
//! in x = [1.0, -2.0, 0.0, 5.0, -0.5, inf, -inf, 1.0e-40]
//! in y = [2.0, -3.0, 1.0, 5.0, 0.5, 1.0, 1.0, -1.0e-40]
//! in z = [1.5, -1.0, 0.5, 6.0, -9.0, 3.0, 0.0, 0.0]
//! out scalars = [1.0, -3.0, 0.0, 5.0, -0.5, 1.0, -inf, -1.0e-40, 2.0, -2.0, 1.0, 5.0, 0.5, inf, 1.0, 1.0e-40, 1.5, -2.0, 0.5, 5.0, -0.5, 3.0, 0.0, 0.0, 1.0, 2.0, 0.0, 5.0, 0.5, inf, inf, 1.0e-40, 1.0, -1.0, 0.0, 1.0, -1.0, 1.0, -1.0, 1.0]
//! out vectors = [1.0, -3.0, 0.0, 5.0, -0.5, 1.0, -inf, -1.0e-40, 2.0, -2.0, 1.0, 5.0, 0.5, inf, 1.0, 1.0e-40, 1.5, -2.0, 0.5, 5.0, -0.5, 3.0, 0.0, 0.0, 1.0, 2.0, 0.0, 5.0, 0.5, inf, inf, 1.0e-40, 1.0, -1.0, 0.0, 1.0, -1.0, 1.0, -1.0, 1.0]
//! needs: subnormals

@group(0) @binding(0) var<storage, read> x: array<f32, 8>;
@group(0) @binding(1) var<storage, read> y: array<f32, 8>;
@group(0) @binding(2) var<storage, read> z: array<f32, 8>;
@group(0) @binding(3) var<storage, read_write> scalars: array<array<f32, 8>, 5>;
@group(0) @binding(4) var<storage, read_write> vectors: array<array<f32, 8>, 5>;

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
    scalars[0][i] = min(x[i], y[i]);
    scalars[1][i] = max(x[i], y[i]);
    scalars[2][i] = clamp(z[i], min(x[i], y[i]), max(x[i], y[i]));
    scalars[3][i] = abs(x[i]);
    scalars[4][i] = sign(x[i]);
    if i % 4u != 0u {
        return;
    }
    let x4 = four_x(i);
    let y4 = four_y(i);
    let z4 = four_z(i);
    put(0u, i, min(x4, y4));
    put(1u, i, vec4<f32>(max(x4.xyz, y4.xyz), max(x4.w, y4.w)));
    put(2u, i, vec4<f32>(clamp(z4.xy, min(x4.xy, y4.xy), max(x4.xy, y4.xy)), clamp(z4.zw, min(x4.zw, y4.zw), max(x4.zw, y4.zw))));
    put(3u, i, abs(x4));
    put(4u, i, vec4<f32>(sign(x4.xyz), sign(x4.w)));
}
