//! Subnormal numbers in abs, negation, min, max, floor, ceil, sign, comparison, frexp and ldexp.
//! in x = [0x00000001, 0x80400000, 0x007fffff, 0x80000003]
//! out result = [0x00000001, 0x80000001, 0x00000001, 0x00000001, 0x3f800000, 0xbf800000, 0x00000005, 0x3f000000, 0xffffff6c, 0x00300000, 0x00400000, 0x00400000, 0x80400000, 0x80400000, 0x3f800000, 0xbf800000, 0x00000006, 0xbf000000, 0xffffff82, 0x00030000, 0x007fffff, 0x807fffff, 0x007fffff, 0x007fffff, 0x3f800000, 0xbf800000, 0x00000005, 0x3f7ffffe, 0xffffff82, 0x00003000, 0x00000003, 0x00000003, 0x80000003, 0x80000003, 0x3f800000, 0xbf800000, 0x00000006, 0xbf400000, 0xffffff6d, 0x00000300]
//! needs: subnormals

@group(0) @binding(0) var<storage, read> x: array<u32, 4>;
@group(0) @binding(1) var<storage, read_write> result: array<array<u32, 10>, 4>;

@compute @workgroup_size(4)
fn main(@builtin(local_invocation_index) i: u32) {
    let a = bitcast<f32>(x[i]);
    result[i][0] = bitcast<u32>(abs(a));
    result[i][1] = bitcast<u32>(-a);
    result[i][2] = bitcast<u32>(min(a, 1.0));
    result[i][3] = bitcast<u32>(max(a, -1.0));
    result[i][4] = bitcast<u32>(ceil(abs(a)));
    result[i][5] = bitcast<u32>(floor(-abs(a)));
    result[i][6] = u32(a > 0.0) + 2u * u32(a < 0.0) + 4u * u32(sign(a) != 0.0);
    result[i][7] = bitcast<u32>(frexp(a).fract);
    result[i][8] = bitcast<u32>(frexp(a).exp);
    result[i][9] = bitcast<u32>(ldexp(1.5, -128 - 4 * i32(i)));
}
