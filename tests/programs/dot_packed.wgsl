//! dot4I8Packed and dot4U8Packed.
//! in pairs = [0x01020304, 0x05060708, 0xff80017f, 0x7f80ffff, 0xffffffff, 0xffffffff, 0x80808080, 0x80808080]
//! out result = [70, 70, 16129, 81409, 4, 260100, 65536, 65536]

@group(0) @binding(0) var<storage, read> pairs: array<vec2<u32>, 4>;
@group(0) @binding(1) var<storage, read_write> result: array<vec2<i32>, 4>;

@compute @workgroup_size(4)
fn main(@builtin(local_invocation_index) i: u32) {
    let p = pairs[i];
    result[i] = vec2<i32>(dot4I8Packed(p.x, p.y), i32(dot4U8Packed(p.x, p.y)));
}
