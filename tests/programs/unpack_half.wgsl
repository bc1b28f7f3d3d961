//! unpack2x16float of normal, subnormal and infinite halves, and packing them again.
//! in words = [0x3c000000, 0x7bffc000, 0x00010400, 0xfc007c00, 0x80003555, 0x564003ff]
//! out floats = [0.0, 1.0, -2.0, 65504.0, 6.1035156e-05, 5.9604645e-08, inf, -inf, 0.33325195, -0.0, 6.097555e-05, 100.0]
//! out packed = [0x00003c00, 0xc0007bff, 0x04000001, 0x7c00fc00, 0x35558000, 0x03ff5640]
//! needs: subnormals

@group(0) @binding(0) var<storage, read> words: array<u32, 6>;
@group(0) @binding(1) var<storage, read_write> floats: array<vec2<f32>, 6>;
@group(0) @binding(2) var<storage, read_write> packed: array<u32, 6>;

@compute @workgroup_size(6)
fn main(@builtin(local_invocation_index) i: u32) {
    floats[i] = unpack2x16float(words[i]);
    packed[i] = pack2x16float(floats[i].yx);
}
