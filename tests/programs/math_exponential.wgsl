//! exp and exp2, with overflow to infinity and underflow to zero.
//! in x = [0.0, 1.0, -1.0, 0.5, -0.5, 2.0, 10.0, -10.0, 50.0, -50.0, 88.5, -87.0, 0.001, -200.0, 1000.0, 3.25]
//! out scalars = [1.0, 2.7182817, 0.36787945, 1.6487212, 0.60653067, 7.389056, 22026.465, 4.539993e-05, 5.1847055e+21, 1.9287499e-22, 2.723088e+38, 1.6458115e-38, 1.0010005, 0.0, inf, 25.79034, 1.0, 2.0, 0.5, 1.4142135, 0.70710677, 4.0, 1024.0, 9.765625e-04, 1.1258999e+15, 8.881784e-16, 4.376779e+26, 6.4623485e-27, 1.0006934, 0.0, inf, 9.513657]
//! out vectors = [1.0, 2.7182817, 0.36787945, 1.6487212, 0.60653067, 7.389056, 22026.465, 4.539993e-05, 5.1847055e+21, 1.9287499e-22, 2.723088e+38, 1.6458115e-38, 1.0010005, 0.0, inf, 25.79034, 1.0, 2.0, 0.5, 1.4142135, 0.70710677, 4.0, 1024.0, 9.765625e-04, 1.1258999e+15, 8.881784e-16, 4.376779e+26, 6.4623485e-27, 1.0006934, 0.0, inf, 9.513657]
//! ulp scalars = 4
//! ulp vectors = 4

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
    scalars[0][i] = exp(x[i]);
    scalars[1][i] = exp2(x[i]);
    if i % 4u != 0u {
        return;
    }
    let x4 = four_x(i);
    put(0u, i, exp(x4));
    put(1u, i, vec4<f32>(exp2(x4.xyz), exp2(x4.w)));
}
