//! pack4xI8, pack4xU8, their clamping forms, and unpack4xI8 and unpack4xU8.
//! in v = [0, 1, -1, 127, -128, 128, 255, 256, -129, 300, -1000, 70000]
//! out packed = [0x7fff0100, 0x7fff0100, 0x7fff0100, 0x7fff0100, 0x00ff8080, 0x00ff8080, 0x7f7f7f80, 0xffff80ff, 0x70182c7f, 0x70182c7f, 0x7f807f80, 0xffffffff]
//! out unpacked = [0, 1, -1, 127, 0, 1, 255, 127, -128, -128, -1, 0, 128, 128, 255, 0, 127, 44, 24, 112, 127, 44, 24, 112]

@group(0) @binding(0) var<storage, read> v: array<vec4<i32>, 3>;
@group(0) @binding(1) var<storage, read_write> packed: array<array<u32, 4>, 3>;
@group(0) @binding(2) var<storage, read_write> unpacked: array<array<vec4<i32>, 2>, 3>;

@compute @workgroup_size(3)
fn main(@builtin(local_invocation_index) i: u32) {
    let word = pack4xI8(v[i]);
    packed[i][0] = word;
    packed[i][1] = pack4xU8(vec4<u32>(v[i]));
    packed[i][2] = pack4xI8Clamp(v[i]);
    packed[i][3] = pack4xU8Clamp(vec4<u32>(v[i]));
    unpacked[i][0] = unpack4xI8(word);
    unpacked[i][1] = vec4<i32>(unpack4xU8(word));
}
