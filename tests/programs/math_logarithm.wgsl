//! log and log2, of 1, of powers of two, near 1, of zero, infinity and a negative number.
//! in x = [1.0, 2.0, 0.5, 8.0, 10.0, 0.1, 1.001, 0.999, 1.0e-30, 1.0e+30, 3.0, 100.0, 0.0, inf, -1.0, 1.9999999]
//! out scalars = [0.0, 0.6931472, -0.6931472, 2.0794415, 2.3025851, -2.3025851, 9.99547e-04, -0.0010004875, -69.07755, 69.07755, 1.0986123, 4.6051702, -inf, inf, nan, 0.6931471, 0.0, 1.0, -1.0, 3.0, 3.321928, -3.321928, 0.0014420415, -0.0014433983, -99.657845, 99.657845, 1.5849625, 6.643856, -inf, inf, nan, 0.99999994]
//! out vectors = [0.0, 0.6931472, -0.6931472, 2.0794415, 2.3025851, -2.3025851, 9.99547e-04, -0.0010004875, -69.07755, 69.07755, 1.0986123, 4.6051702, -inf, inf, nan, 0.6931471, 0.0, 1.0, -1.0, 3.0, 3.321928, -3.321928, 0.0014420415, -0.0014433983, -99.657845, 99.657845, 1.5849625, 6.643856, -inf, inf, nan, 0.99999994]
//! ulp scalars = 4
//! ulp vectors = 4
//! abs scalars = 1e-07
//! abs vectors = 1e-07

@group(0) @binding(0) var<storage, read> x: array<f32, 16>;
@group(0) @binding(1) var<storage, read_write> scalars: array<array<f32, 16>, 2>;
@group(0) @binding(2) var<storage, read_write> vectors: array<array<f32, 16>, 2>;

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
    scalars[0][i] = log(x[i]);
    scalars[1][i] = log2(x[i]);
    if i % 4u != 0u {
        return;
    }
    let x4 = four_x(i);
    put(0u, i, log(x4));
    put(1u, i, vec4<f32>(log2(x4.xyz), log2(x4.w)));
}
