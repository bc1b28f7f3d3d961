//! The same expressions on constants and on values the compiler cannot know give the same results.
//! in x = [0.1, 0.2, -7.5]
//! in n = [-17, 5, 16777217]
//! out floats = [0.3, 0.3, 0.020000001, 0.020000001, 0.5, 0.5, -1.5, -1.5, -15.0, -15.0, -8.0, -8.0, 0.75, 0.75, 1.6777216e+07, 1.6777216e+07]
//! out integers = [-3, -3, -2, -2, -5, -5, -136, -136, 15, 15, 29, 29, -7, -7, -1610612736, -1610612736, 4, 4]
//! inexact floats = 3

@group(0) @binding(0) var<storage, read> x: array<f32, 3>;
@group(0) @binding(1) var<storage, read> n: array<i32, 3>;
@group(0) @binding(2) var<storage, read_write> floats: array<vec2<f32>, 8>;
@group(0) @binding(3) var<storage, read_write> integers: array<vec2<i32>, 9>;

@compute @workgroup_size(1)
fn main() {
    floats[0] = vec2<f32>(0.1f + 0.2f, x[0] + x[1]);
    floats[1] = vec2<f32>(0.1f * 0.2f, x[0] * x[1]);
    floats[2] = vec2<f32>(0.1f / 0.2f, x[0] / x[1]);
    floats[3] = vec2<f32>(-7.5f % 2.0f, x[2] % 2.0f);
    floats[4] = vec2<f32>(floor(-7.5f) + ceil(-7.5f), floor(x[2]) + ceil(x[2]));
    floats[5] = vec2<f32>(round(-7.5f), round(x[2]));
    floats[6] = vec2<f32>(fract(-7.25f), fract(x[2] + 0.25));
    floats[7] = vec2<f32>(f32(16777217i), f32(n[2]));
    integers[0] = vec2<i32>(-17i / 5i, n[0] / n[1]);
    integers[1] = vec2<i32>(-17i % 5i, n[0] % n[1]);
    integers[2] = vec2<i32>(-17i >> 2u, n[0] >> 2u);
    integers[3] = vec2<i32>(-17i << 3u, n[0] << 3u);
    integers[4] = vec2<i32>(i32(u32(-17i) >> 28u), i32(u32(n[0]) >> 28u));
    integers[5] = vec2<i32>(i32(countLeadingZeros(5u)), countLeadingZeros(n[1]));
    integers[6] = vec2<i32>(i32(-7.9f), i32(x[2] - 0.4));
    integers[7] = vec2<i32>(reverseBits(5i), reverseBits(n[1]));
    integers[8] = vec2<i32>(firstLeadingBit(-17i), firstLeadingBit(n[0]));
}
