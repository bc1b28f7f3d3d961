//! Subnormal numbers are kept as operands and as results of + - * /, of sqrt and of fma.
//! in x = [0x00000001, 0x00400000, 0x007fffff, 0x80000003, 0x00800000, 0x00800001, 0x00000000, 0x80200000]
//! out result = [0x00400001, 0x803fffff, 0x00000003, 0x00000000, 0x00000000, 0x01000000, 0x1a3504f3, 0x00400002, 0x00bfffff, 0x803fffff, 0x00c00000, 0x00200000, 0x00080000, 0x0c000000, 0x1fb504f3, 0x00ffffff, 0x007ffffc, 0x00800002, 0x013ffffe, 0x00400000, 0x00100000, 0x0c7ffffe, 0x1fffffff, 0x00fffffb, 0x007ffffd, 0x80800003, 0x80000009, 0x80000002, 0x80000000, 0x81c00000, 0x1a9cc471, 0x007ffffa, 0x01000000, 0x80000001, 0x01400000, 0x00400000, 0x00100000, 0x0c800000, 0x20000000, 0x01400000, 0x00800001, 0x00800001, 0x01400002, 0x00400000, 0x00100000, 0x0c800001, 0x20000000, 0x01000001, 0x80200000, 0x00200000, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x80200000, 0x801fffff, 0x80200001, 0x80600000, 0x80100000, 0x80040000, 0x8b800000, 0x1f800000, 0x803fffff]
//! inexact result = 7
//! needs: subnormals

@group(0) @binding(0) var<storage, read> x: array<u32, 8>;
@group(0) @binding(1) var<storage, read_write> result: array<array<u32, 8>, 8>;

@compute @workgroup_size(8)
fn main(@builtin(local_invocation_index) i: u32) {
    let a = bitcast<f32>(x[i]);
    let b = bitcast<f32>(x[(i + 1u) % 8u]);
    result[i][0] = bitcast<u32>(a + b);
    result[i][1] = bitcast<u32>(a - b);
    result[i][2] = bitcast<u32>(a * 3.0);
    result[i][3] = bitcast<u32>(a * 0.5);
    result[i][4] = bitcast<u32>(a / 8.0);
    result[i][5] = bitcast<u32>(a * 16777216.0);
    result[i][6] = bitcast<u32>(sqrt(abs(a)));
    result[i][7] = bitcast<u32>(fma(a, 2.0, b));
}
