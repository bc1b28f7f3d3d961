//! The bit functions of 64-bit integers, with fields that cross the middle and reach beyond the end.
//! in x = [0x0000000000000000, 0x0000000000000001, 0xffffffffffffffff, 0x8000000000000000, 0x00ff000000000000, 0x123456789abcdef0]
//! out unsigned = [0, 64, 64, 0, 18446744073709551615, 18446744073709551615, 0, 24019198012641280, 0, 1, 63, 0, 9223372036854775808, 0, 0, 0, 24019198012641281, 0, 64, 0, 0, 18446744073709551615, 63, 0, 1099511627775, 18398705677684269055, 16383, 1, 0, 63, 1, 63, 63, 0, 9247391234867417088, 8192, 8, 8, 48, 65280, 55, 48, 68451041280, 24019198012641280, 63, 32, 3, 4, 1115552785675988040, 60, 4, 151488268715, 1321055890695347952, 1165]
//! out signed = [-1, 0, -1152921504606846976, 64, 0, 0, -1152921504606846975, 63, -1, -1, -1, 0, 62, -576460752303423488, -1152921504606846976, 0, 55, 4486007441326080, -1081145385545629696, 8, 60, 81985529216486895, -994074541749903632, 3]

@group(0) @binding(0) var<storage, read> x: array<u64, 6>;
@group(0) @binding(1) var<storage, read_write> unsigned: array<array<u64, 9>, 6>;
@group(0) @binding(2) var<storage, read_write> signed: array<array<i64, 4>, 6>;

@compute @workgroup_size(6)
fn main(@builtin(local_invocation_index) i: u32) {
    let a = x[i];
    let s = i64(a);
    unsigned[i][0] = countOneBits(a);
    unsigned[i][1] = countLeadingZeros(a);
    unsigned[i][2] = countTrailingZeros(a);
    unsigned[i][3] = reverseBits(a);
    unsigned[i][4] = firstLeadingBit(a);
    unsigned[i][5] = firstTrailingBit(a);
    unsigned[i][6] = extractBits(a, 20u, 40u);
    unsigned[i][7] = insertBits(a, 0x5555555555555555lu, 12u, 44u);
    unsigned[i][8] = extractBits(a, 50u, 30u);
    signed[i][0] = firstLeadingBit(s);
    signed[i][1] = extractBits(s, 4u, 60u);
    signed[i][2] = insertBits(s, -1li, 60u, 10u);
    signed[i][3] = countLeadingZeros(s);
}
