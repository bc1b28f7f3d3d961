//! ldexp of scalars and vectors within the range of normal numbers.
//! in x = [1.0, -3.0, 0.75, 0.0, 1.0, 1.0, 1.5, -1.0]
//! in e = [4, -2, 10, 100, 127, -126, -100, 0]
//! out result = [16.0, -0.75, 768.0, 0.0, 1.7014118e+38, 1.1754944e-38, 1.1832914e-30, -1.0, 16.0, -0.75, 768.0, 0.0, 1.7014118e+38, 1.1754944e-38, 1.1832914e-30, -1.0]

@group(0) @binding(0) var<storage, read> x: array<f32, 8>;
@group(0) @binding(1) var<storage, read> e: array<i32, 8>;
@group(0) @binding(2) var<storage, read_write> result: array<f32, 16>;

@compute @workgroup_size(8)
fn main(@builtin(local_invocation_index) i: u32) {
    result[i] = ldexp(x[i], e[i]);
    if i % 2u == 0u {
        let v = ldexp(vec2<f32>(x[i], x[i + 1u]), vec2<i32>(e[i], e[i + 1u]));
        result[8u + i] = v.x;
        result[9u + i] = v.y;
    }
}
