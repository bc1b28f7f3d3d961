//! modf and frexp of scalars and vectors, and their result structures.
//! in x = [0.0, 1.0, -1.0, 0.75, 8.0, -0.3, 1.0e+10, 1.0e-10]
//! out parts = [0.0, 0.0, 0.0, 0.5, 1.0, 0.5, -0.5, -1.0, -0.5, 0.125, 1.0, 0.75, 0.0, 12.0, 0.5, -0.45000002, -0.0, -0.6, 0.0, 1.5e+10, 0.5820766, 1.5e-10, 0.0, 0.8589935]
//! out exponents = [0, 1, 1, 0, 4, -1, 34, -33]
//! out vectors = [0.0, 0.0, 1.0, 0.5, -1.0, -0.5, 0.0, 0.75, 8.0, 0.5, -0.0, -0.6, 1.0e+10, 0.5820766, 0.0, 0.8589935]
//! out vector_exponents = [0, 1, 1, 0, 4, -1, 34, -33]

@group(0) @binding(0) var<storage, read> x: array<f32, 8>;
@group(0) @binding(1) var<storage, read_write> parts: array<array<f32, 3>, 8>;
@group(0) @binding(2) var<storage, read_write> exponents: array<i32, 8>;
@group(0) @binding(3) var<storage, read_write> vectors: array<f32, 16>;
@group(0) @binding(4) var<storage, read_write> vector_exponents: array<i32, 8>;

@compute @workgroup_size(8)
fn main(@builtin(local_invocation_index) i: u32) {
    let split = modf(x[i] * 1.5);
    parts[i][0] = split.fract;
    parts[i][1] = split.whole;
    let scaled = frexp(x[i]);
    parts[i][2] = scaled.fract;
    exponents[i] = scaled.exp;
    if i % 4u == 0u {
        let v = vec4<f32>(x[i], x[i + 1u], x[i + 2u], x[i + 3u]);
        let m = modf(v).whole;
        let f = frexp(v);
        for (var k = 0u; k < 4u; k++) {
            vectors[2u * (i + k)] = m[k];
            vectors[2u * (i + k) + 1u] = f.fract[k];
            vector_exponents[i + k] = f.exp[k];
        }
    }
}
