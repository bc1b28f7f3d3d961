//! Vectors, arrays, structs and matrices of indices with 64-bit integers: layout, swizzles, dynamic components.
//! words items
//! out items = [5, _, 0xfffffffe, 0xffffffff, _, _, _, _, 2, 0, 1, 0xffffffff, 4, 0, _, _]
//! out result = [49999999999, 49999999999, 49999999999, 49999999999]

struct Wide { a: u32, b: i64, c: vec3<u64> } // offsets 0, 8, 32

@group(0) @binding(0) var<storage, read_write> items: array<Wide, 1>;
@group(0) @binding(1) var<storage, read_write> result: array<i64, 4>;

@compute @workgroup_size(4)
fn main(@builtin(local_invocation_index) i: u32) {
    var v = vec4<i64>(1li, 2li, 3li, 4li) * 10000000000li;
    v[i] -= 1li;
    result[i] = v.wzyx[i] + v[i];
    if i == 0u {
        items[0].a = 5u;
        items[0].b = -2li;
        items[0].c = vec3<u64>(1lu, 0xffffffff00000000lu, 3lu) + 1lu;
    }
}
