//! step, smoothstep, mix and saturate, where all intermediate values are exact.
//! in x = [0.0, 1.0, -1.0, 0.5, 2.0, -3.0, 4.0, 0.25]
//! in y = [1.0, 1.0, 1.0, 1.5, 5.0, -2.0, 3.0, 0.5]
//! in z = [0.0, 1.0, 0.5, 0.25, 0.75, 0.5, 0.125, 2.0]
//! out scalars = [0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 1.0, 0.0, 0.75, 4.25, -2.5, 3.875, 0.75, 0.0, 1.0, 0.0, 0.5, 1.0, 0.0, 1.0, 0.25, 0.15625, 0.0, 0.5, 0.15625, 0.84375, 0.15625, 0.0, 0.011230469]
//! out vectors = [0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 1.0, 0.0, 0.75, 4.25, -2.5, 3.875, 0.75, 0.0, 1.0, 0.0, 0.5, 1.0, 0.0, 1.0, 0.25, 0.15625, 0.0, 0.5, 0.15625, 0.84375, 0.15625, 0.0, 0.011230469]
//! inexact scalars = 4
//! inexact vectors = 4

@group(0) @binding(0) var<storage, read> x: array<f32, 8>;
@group(0) @binding(1) var<storage, read> y: array<f32, 8>;
@group(0) @binding(2) var<storage, read> z: array<f32, 8>;
@group(0) @binding(3) var<storage, read_write> scalars: array<array<f32, 8>, 4>;
@group(0) @binding(4) var<storage, read_write> vectors: array<array<f32, 8>, 4>;

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
    scalars[0][i] = step(y[i], x[i]);
    scalars[1][i] = mix(x[i], y[i], z[i]);
    scalars[2][i] = saturate(x[i]);
    scalars[3][i] = smoothstep(x[i], x[i] + 4.0, y[i]);
    if i % 4u != 0u {
        return;
    }
    let x4 = four_x(i);
    let y4 = four_y(i);
    let z4 = four_z(i);
    put(0u, i, step(y4, x4));
    put(1u, i, vec4<f32>(mix(x4.xyz, y4.xyz, z4.xyz), mix(x4.w, y4.w, z4.w)));
    put(2u, i, vec4<f32>(saturate(x4.xy), saturate(x4.zw)));
    put(3u, i, smoothstep(x4, x4 + 4.0, y4));
}
