//! A grid of three axes, larger than the data along each of them.
//! grid: 2,2,2
//! in a = [1, 14, 27, 11, 24, 8, 21, 5, 18, 2, 15, 28, 12, 25, 9, 22, 6, 19, 3, 16, 0, 13, 26, 10, 23, 7, 20, 4, 17, 1, 14, 27, 11, 24, 8, 21, 5, 18, 2, 15, 28, 12, 25, 9, 22]
//! in b = zeros 45
//! in size = [3, 5, 3, 0]
//! out a = [96, 161, 100, 165, 114, 111, 105, 112, 138, 103, 168, 107, 188, 137, 134, 209, 158, 242, 191, 256, 195, 189, 225, 222, 216, 223, 249, 214, 279, 218, 278, 314, 253, 318, 325, 322, 345, 352, 291, 285, 321, 318, 341, 348, 345]
//! out b = [103, 107, 101, 86, 90, 55, 69, 131, 125, 110, 114, 108, 51, 113, 78, 76, 138, 74, 117, 92, 86, 100, 104, 69, 83, 145, 81, 140, 57, 109, 92, 96, 148, 75, 137, 73, 116, 91, 85, 99, 103, 155, 98, 160, 96]

@group(0) @binding(0) var<storage, read_write> a: array<u32>;
@group(0) @binding(1) var<storage, read_write> b: array<u32>;
@group(0) @binding(2) var<uniform> size: vec4<u32>;

fn vyreGridSync() {}

fn cell(at: vec3<u32>) -> u32 {
    let p = at % size.xyz;
    return (p.z * size.y + p.y) * size.x + p.x;
}

@compute @workgroup_size(2, 3, 2)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if any(id >= size.xyz) {
        return;
    }
    var sum = a[cell(id)] + a[cell(id + vec3(1u, 0u, 0u))];
    sum += 2u * a[cell(id + vec3(0u, 1u, 0u))] + 3u * a[cell(id + vec3(0u, 0u, 1u))];
    b[cell(id)] = sum;
    vyreGridSync();
    a[cell(id)] = b[cell(size.xyz - 1u - id)] + id.x + id.y * 10u + id.z * 100u;
}
