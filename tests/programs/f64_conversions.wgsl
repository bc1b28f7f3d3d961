//! Conversions between f64 and f32, i32, u32, i64, bool, and literals with the full precision of f64.
//! in x = [1.5, -2.9, 10000000000.0, -10000000000.0, 0.1, 16777217.0, 1e+40, 3000000000.0]
//! out singles = [1.5, -2.9, 1.0e+10, -1.0e+10, 0.1, 1.6777216e+07, inf, 3.0e+09]
//! out integers = [1, 1, -2, 0, 2147483647, 100, -2147483648, 0, 0, 0, 16777217, 100, 2147483647, 100, 2147483647, 100]
//! out wide = [1, -2, 10000000000, -10000000000, 0, 16777217, 1000000000000000, 3000000000]
//! out doubles = [-9.42477796076938, -6.18318530568947, -2.941592650609561, 0.30000001192092896, 3.5415926595502576, 6.783185307179586, 10.024777984611237, 13.266370602438244]

@group(0) @binding(0) var<storage, read> x: array<f64, 8>;
@group(0) @binding(1) var<storage, read_write> singles: array<f32, 8>;
@group(0) @binding(2) var<storage, read_write> integers: array<vec2<i32>, 8>;
@group(0) @binding(3) var<storage, read_write> wide: array<i64, 8>;
@group(0) @binding(4) var<storage, read_write> doubles: array<f64, 8>;

@compute @workgroup_size(8)
fn main(@builtin(local_invocation_index) i: u32) {
    singles[i] = f32(x[i]);
    integers[i] = vec2<i32>(i32(clamp(x[i], -2147483648.0lf, 2147483647.0lf)), i32(u32(clamp(x[i], 0.0lf, 100.0lf))));
    wide[i] = i64(clamp(x[i], -1e15lf, 1e15lf));
    doubles[i] = f64(f32(i) * 0.1) + f64(i32(i) - 3) * 3.141592653589793lf;
}
