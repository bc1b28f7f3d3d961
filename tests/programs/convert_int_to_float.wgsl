//! i32 and u32 to f32 round to nearest, ties to even; conversions between i32, u32 and bool.
//! in x = [0, 1, -1, 16777217, 16777219, 2147483647, -2147483648, 33554435]
//! out floats = [0.0, 0.0, 1.0, 1.0, -1.0, 4.2949673e+09, 1.6777216e+07, 1.6777216e+07, 1.677722e+07, 1.677722e+07, 2.1474836e+09, 2.1474836e+09, -2.1474836e+09, 2.1474836e+09, 3.3554436e+07, 3.3554436e+07]
//! out others = [0, 0, 1, 1, 1, 1, 0, 1, 4294967295, 1, 1, 1, 16777217, 1, 1, 1, 16777219, 1, 1, 1, 2147483647, 1, 1, 1, 2147483648, 1, 1, 1, 33554435, 1, 1, 1]

@group(0) @binding(0) var<storage, read> x: array<i32, 8>;
@group(0) @binding(1) var<storage, read_write> floats: array<vec2<f32>, 8>;
@group(0) @binding(2) var<storage, read_write> others: array<vec4<u32>, 8>;

@compute @workgroup_size(8)
fn main(@builtin(local_invocation_index) i: u32) {
    let u = u32(x[i]);
    floats[i] = vec2<f32>(f32(x[i]), f32(u));
    others[i] = vec4<u32>(u, u32(bool(x[i])), u32(bool(f32(x[i]) - 1.0)), u32(i32(u) == x[i]));
}
