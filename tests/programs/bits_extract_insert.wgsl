//! extractBits and insertBits with every edge of offset and count: zero bits, all bits, and fields that reach beyond the word.
//! in fields = [0, 8, 4, 8, 28, 4, 28, 10, 0, 32, 0, 0, 32, 5, 40, 1, 31, 1, 3, 29, 7, 100, 16, 16]
//! out unsigned_bits = [248, 2596069029, 239, 2596067928, 9, 1522327288, 9, 1522327288, 2596069112, 13733, 0, 2596069112, 0, 2596069112, 0, 2596069112, 1, 2596069112, 324508639, 109864, 20281789, 1757944, 39612, 900062968]
//! out signed_bits = [-8, 1985229566, -17, 1985232879, -7, -430689761, -7, -430689761, -1698898184, -2, 0, 1985229343, 0, 1985229343, 0, 1985229343, -1, 1985229343, -212362273, -9, -13272643, -225, -25924, -118241]

@group(0) @binding(0) var<storage, read> fields: array<vec2<u32>, 12>;
@group(0) @binding(1) var<storage, read_write> unsigned_bits: array<u32, 24>;
@group(0) @binding(2) var<storage, read_write> signed_bits: array<i32, 24>;

@compute @workgroup_size(12)
fn main(@builtin(local_invocation_index) i: u32) {
    let offset = fields[i].x;
    let count = fields[i].y;
    unsigned_bits[2u * i] = extractBits(0x9abcdef8u, offset, count);
    unsigned_bits[2u * i + 1u] = insertBits(0x9abcdef8u, 0x35a5u, offset, count);
    let v = vec2<i32>(-0x65432108, 0x7654321f);
    signed_bits[2u * i] = extractBits(v, offset, count).x;
    signed_bits[2u * i + 1u] = insertBits(v, vec2<i32>(7, -2), offset, count).y;
}
