//! f16 in memory: scalars of two bytes, vec3<f16> aligned to 8, matrices, pairs packed in a u32.
//! words items
//! out items = [0xbc003c00, 0x0000004d, 0x42004000, 0x38004400, 0x40003c00, 0x44004200, 0xc0004000, 0x0000004e, 0x46004400, 0x38004800, 0x44004000, 0x48004600]
//! out words = [0x40003c00, 0x40004000, 201, 301]

enable f16;

struct Mixed {
    a: f16,            // offset 0
    b: f16,            // offset 2
    c: u32,            // offset 4
    d: vec3<f16>,      // offset 8
    e: f16,            // offset 14
    f: mat2x2<f16>,    // offset 16
}

@group(0) @binding(0) var<storage, read_write> items: array<Mixed, 2>;
@group(0) @binding(1) var<storage, read_write> words: array<u32, 4>;

@compute @workgroup_size(2)
fn main(@builtin(local_invocation_index) i: u32) {
    let h = f16(i) + 1.0h;
    items[i].a = h;
    items[i].b = -h;
    items[i].c = 77u + i;
    items[i].d = vec3<f16>(2.0h, 3.0h, 4.0h) * h;
    items[i].e = 0.5h;
    items[i].f = mat2x2<f16>(h, 0.0h, 0.0h, h) * mat2x2<f16>(1.0h, 2.0h, 3.0h, 4.0h);
    words[i] = pack2x16float(vec2<f32>(vec2<f16>(h, 2.0h)));
    let pair = vec2<f16>(unpack2x16float(0x3c004000u + i * 0x200u));
    words[2u + i] = u32(pair.x * 100.0h) + u32(pair.y);
}
