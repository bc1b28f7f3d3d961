//! Conversions between f16 and f32, i32, u32 and bool, rounded to nearest even or cut toward zero.
//! in x = [0.0, 1.0, -2.7, 65504.0, 0.1, 1.0e-07, 2049.0, -65519.0]
//! out halves = [0.0, 1.0, -2.7, 65500.0, 0.1, 1.0e-07, 2048.0, -65500.0, -999.0, -740.0, -479.0, -220.0, 41.0, 300.0, 561.0, 820.0]
//! out floats = [0.0, 2.0, -5.3984375, 131008.0, 0.19995117, 2.3841858e-07, 4096.0, -131008.0]
//! out integers = [0, 0, 0, 7, 1, 1, 1, 7, -2, 0, 1, 7, 65504, 65504, 1, 7, 0, 0, 1, 7, 0, 0, 1, 7, 2048, 2048, 1, 7, -65504, 0, 1, 7]
//! needs: subnormals

enable f16;

@group(0) @binding(0) var<storage, read> x: array<f32, 8>;
@group(0) @binding(1) var<storage, read_write> halves: array<f16, 16>;
@group(0) @binding(2) var<storage, read_write> floats: array<f32, 8>;
@group(0) @binding(3) var<storage, read_write> integers: array<vec4<i32>, 8>;

@compute @workgroup_size(8)
fn main(@builtin(local_invocation_index) i: u32) {
    let h = f16(x[i]);
    halves[i] = h;
    halves[8u + i] = f16(i32(i) * 257 - 1000) + f16(i * 3u) + f16(i % 2u == 0u);
    floats[i] = f32(h) * 2.0;
    integers[i] = vec4<i32>(i32(h), i32(u32(max(h, 0.0h))), i32(bool(h)), vec2<i32>(vec2<f16>(h, 7.9h)).y);
}
