//! A three-dimensional workgroup that exchanges along all three axes.
//! in result = zeros 24
//! out result = [60301, 70402, 80500, 90004, 100105, 110203, 120907, 131008, 141106, 150610, 160711, 170809, 181513, 191614, 201712, 211216, 221317, 231415, 2119, 12220, 22318, 31822, 41923, 52021]

@group(0) @binding(0) var<storage, read_write> result: array<u32>;

var<workgroup> cube: array<array<array<u32, 3>, 2>, 4>;

@compute @workgroup_size(3, 2, 4)
fn main(@builtin(local_invocation_id) id: vec3<u32>, @builtin(local_invocation_index) i: u32) {
    cube[id.z][id.y][id.x] = i;
    workgroupBarrier();
    var sum = cube[id.z][id.y][(id.x + 1u) % 3u];
    sum += 100u * cube[id.z][1u - id.y][id.x];
    sum += 10000u * cube[(id.z + 1u) % 4u][id.y][id.x];
    result[i] = sum;
}
