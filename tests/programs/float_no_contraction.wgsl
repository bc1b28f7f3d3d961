//! A product and a sum are rounded each: a * b + c is not fused, and sums are not reordered.
//! in x = [1.0002441, -1.0004883, 3.3554432e+07, 1.0]
//! in result = zeros 6
//! out result = [0x00000000, 0x33800000, 0x00000000, 0x00000000, 0x3f800000, 0x00000000]
//! inexact result = 3

@group(0) @binding(0) var<storage, read_write> result: array<u32>;

@group(0) @binding(1) var<storage, read> x: array<f32, 4>;

@compute @workgroup_size(1)
fn main() {
    let a = x[0]; // 1 + 2^-12
    let c = x[1]; // -(1 + 2^-11)
    result[0] = bitcast<u32>(a * a + c);
    result[1] = bitcast<u32>(fma(a, a, c));
    let big = x[2]; // 2^25
    let one = x[3];
    result[2] = bitcast<u32>((big + one) - big);
    result[3] = bitcast<u32>((one - big) + big);
    result[4] = bitcast<u32>((one + one + one) / 3.0 * one);
    result[5] = bitcast<u32>((big * one + one + one) - big);
}
