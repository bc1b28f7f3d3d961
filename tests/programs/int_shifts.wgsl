//! Shifts by dynamic amounts, taken modulo 32, and by constants; >> of i32 copies the sign.
//! in amounts = [0, 1, 4, 31, 32, 33, 63, 4294967295]
//! out result = [0x9abcdef1, 0x9abcdef1, 0x89abcdf1, 0x89abcdf1, 0x9abcdef1, 0x00000000, 0x80000001, 0xfffffff0, 0x3579bde2, 0x4d5e6f78, 0x13579be2, 0xc4d5e6f8, 0x4d5e6f78, 0x00000002, 0x80000001, 0xfffffff1, 0xabcdef10, 0x09abcdef, 0x9abcdf10, 0xf89abcdf, 0x09abcdef, 0x00000008, 0x80000001, 0xfffffff4, 0x80000000, 0x00000001, 0x80000000, 0xffffffff, 0x00000001, 0x0000003e, 0x80000001, 0xffffffef, 0x9abcdef1, 0x9abcdef1, 0x89abcdf1, 0x89abcdf1, 0x9abcdef1, 0x00000040, 0x80000001, 0xffffffd0, 0x3579bde2, 0x4d5e6f78, 0x13579be2, 0xc4d5e6f8, 0x4d5e6f78, 0x00000042, 0x80000001, 0xffffffd1, 0x80000000, 0x00000001, 0x80000000, 0xffffffff, 0x00000001, 0x0000007e, 0x80000001, 0xffffffcf, 0x80000000, 0x00000001, 0x80000000, 0xffffffff, 0x00000001, 0xfffffffe, 0x80000001, 0x0000000f]

@group(0) @binding(0) var<storage, read> amounts: array<u32, 8>;
@group(0) @binding(1) var<storage, read_write> result: array<array<u32, 8>, 8>;

@compute @workgroup_size(8)
fn main(@builtin(local_invocation_index) i: u32) {
    let n = amounts[i];
    var u = 0x9abcdef1u;
    var s = -1985229327;
    result[i][0] = u << n;
    result[i][1] = u >> n;
    result[i][2] = u32(s << n);
    result[i][3] = u32(s >> n);
    result[i][4] = (vec2<u32>(u, n) >> vec2<u32>(n, 1u)).x;
    result[i][5] = (vec2<u32>(u, n) << vec2<u32>(3u, 1u)).y;
    result[i][6] = (u << 31u) | (u >> 31u);
    result[i][7] = u32((s >> 31u) << 4u) ^ (n << 0u);
}
