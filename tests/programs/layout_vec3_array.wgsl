//! Arrays of vec3 have a stride of 16 bytes; the fourth word of every element is left alone.
//! in source = [1, 2, 3, -9, 4, 5, 6, -9, 7, 8, 9, -9]
//! out result = [3, 1, 2, _, 6, 4, 5, _, 9, 7, 8, _]
//! out info = [3]

@group(0) @binding(0) var<storage, read> source: array<vec3<i32>>;
@group(0) @binding(1) var<storage, read_write> result: array<vec3<i32>, 3>;
@group(0) @binding(2) var<storage, read_write> info: array<u32, 1>;

@compute @workgroup_size(1)
fn main() {
    info[0] = arrayLength(&source);
    for (var i = 0u; i < arrayLength(&source); i++) {
        result[i] = source[i].zxy;
    }
}
