//! sin, cos and tan of large arguments: the reduction keeps all digits.
//! in x = [100.0, -355.0, 1000.5, -10000.25, 65536.0, -123456.0, 1.0e+07, 1.0e+10]
//! out scalars = [-0.50636566, 3.0144354e-05, 0.99527395, 0.5316806, 0.6920655, 0.7402834, 0.42054778, -0.48750603, 0.8623189, -1.0, 0.097106904, -0.8469449, -0.7218348, -0.67229486, -0.9072704, 0.87311965, -0.58721393, -3.0144354e-05, 10.249261, -0.62776285, -0.95875883, -1.101129, -0.46353084, -0.5583496]
//! out vectors = [-0.50636566, 3.0144354e-05, 0.99527395, 0.5316806, 0.6920655, 0.7402834, 0.42054778, -0.48750603, 0.8623189, -1.0, 0.097106904, -0.8469449, -0.7218348, -0.67229486, -0.9072704, 0.87311965, -0.58721393, -3.0144354e-05, 10.249261, -0.62776285, -0.95875883, -1.101129, -0.46353084, -0.5583496]
//! ulp scalars = 4
//! ulp vectors = 4
//! abs scalars = 1e-06
//! abs vectors = 1e-06

@group(0) @binding(0) var<storage, read> x: array<f32, 8>;
@group(0) @binding(1) var<storage, read_write> scalars: array<array<f32, 8>, 3>;
@group(0) @binding(2) var<storage, read_write> vectors: array<array<f32, 8>, 3>;

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
    scalars[0][i] = sin(x[i]);
    scalars[1][i] = cos(x[i]);
    scalars[2][i] = tan(x[i]);
    if i % 4u != 0u {
        return;
    }
    let x4 = four_x(i);
    put(0u, i, sin(x4));
    put(1u, i, vec4<f32>(cos(x4.xyz), cos(x4.w)));
    put(2u, i, vec4<f32>(tan(x4.xy), tan(x4.zw)));
}
