//! bitcast between f32, i32 and u32, of scalars and vectors, and to itself.
//! in words = [0x3f800000, 0x80000000, 0x7f7fffff, 0xc2280000, 0x00800000, 0x3eaaaaab, 0xff800000, 0x42f6e979]
//! out result = [1, 1, 16777215, 1, 1, 7, 1, 3, 3212836864, 1, 4286578687, 1109917697, 2155872256, 3198855851, 2139095041, 3270961529]

@group(0) @binding(0) var<storage, read> words: array<u32, 8>;
@group(0) @binding(1) var<storage, read_write> result: array<u32, 16>;

@compute @workgroup_size(8)
fn main(@builtin(local_invocation_index) i: u32) {
    let f = bitcast<f32>(words[i]);
    let s = bitcast<i32>(f);
    result[i] = bitcast<u32>(s) ^ bitcast<u32>(words[i] + 1u);
    if i % 4u == 0u {
        let v = vec4<u32>(words[i], words[i + 1u], words[i + 2u], words[i + 3u]);
        let g = bitcast<vec4<f32>>(v);
        let h = bitcast<vec4<i32>>(-g);
        let k = bitcast<vec4<u32>>(bitcast<vec4<i32>>(v) >> vec4<u32>(31u));
        for (var j = 0u; j < 4u; j++) {
            result[8u + i + j] = bitcast<u32>(h[j]) - k[j];
        }
    }
}
