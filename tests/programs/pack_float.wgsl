//! pack4x8snorm, pack4x8unorm, pack2x16snorm, pack2x16unorm and pack2x16float; values out of range are clamped.
//! in v = [0.0, 0.5, 1.0, -1.0, 2.0, -3.0, 0.25, -0.25, 0.2, 0.8, -0.2, -0.8, 0.003, -0.003, 0.75, -0.75]
//! out result = [0x817f4000, 0x00ff8000, 0x40000000, 0x0000ffff, 0x3c003800, 0xe020817f, 0x004000ff, 0x80017fff, 0x00004000, 0x3400c200, 0x9ae76619, 0x0000cc33, 0x66661999, 0x00000000, 0xb2663a66, 0xa15f0000, 0x00bf0001, 0xff9e0062, 0x0000bfff, 0x3a009a25]

@group(0) @binding(0) var<storage, read> v: array<vec4<f32>, 4>;
@group(0) @binding(1) var<storage, read_write> result: array<array<u32, 5>, 4>;

@compute @workgroup_size(4)
fn main(@builtin(local_invocation_index) i: u32) {
    result[i][0] = pack4x8snorm(v[i]);
    result[i][1] = pack4x8unorm(v[i]);
    result[i][2] = pack2x16snorm(v[i].xy);
    result[i][3] = pack2x16unorm(v[i].zw);
    result[i][4] = pack2x16float(v[i].yz);
}
