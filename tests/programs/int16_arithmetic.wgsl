//! i16 and u16, an extension of naga: wrapping, division, shifts modulo 16, conversions.
//! in x = [1, -32768, -1, 0, 32767, 300, -300, 7]
//! out result = [-32767, -32768, 0, 1, 1, 1, -32765, 0, 32767, -32768, -32768, 0, 1024, 0, 0, 16384, -1, 0, -1, 0, 63, -1024, -2, 32767, 32767, 0, 0, 0, 0, 0, 0, 0, -32469, -300, 109, 67, 2047, -16, 32465, 16383, 0, -24464, -1, 0, 0, 22528, 1200, 150, -293, -2100, -42, -6, 3, 0, -600, 32618, 8, 7, 7, 0, 0, 56, 20, 3]

enable wgpu_int16;

@group(0) @binding(0) var<storage, read> x: array<i16, 8>;
@group(0) @binding(1) var<storage, read_write> result: array<array<i16, 8>, 8>;

@compute @workgroup_size(8)
fn main(@builtin(local_invocation_index) i: u32) {
    let a = x[i];
    let b = x[(i + 1u) % 8u];
    result[i][0] = a + b;
    result[i][1] = a * b;
    result[i][2] = a / b;
    result[i][3] = a % b;
    result[i][4] = i16(u16(a) >> (i * 5u));
    result[i][5] = a << (i * 5u);
    result[i][6] = i16(i32(a) * 3) - min(a, b);
    result[i][7] = i16(u32(u16(a)) / 2u);
}
