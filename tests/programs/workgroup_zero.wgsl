//! Workgroup memory is zero at the start of every workgroup, also when another one has run there before.
//! grid: 6,1,1
//! in result = [9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9]
//! out result = zeros 48

@group(0) @binding(0) var<storage, read_write> result: array<u32>;

struct Scratch { list: array<u32, 8>, matrix: mat2x2<f32>, counter: atomic<u32> }

var<workgroup> scratch: Scratch;
var<workgroup> more: array<vec3<u32>, 4>;

@compute @workgroup_size(8)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(local_invocation_index) i: u32) {
    result[id.x] = scratch.list[i] + more[i / 2u].z + u32(scratch.matrix[1].y) + atomicLoad(&scratch.counter);
    workgroupBarrier();
    scratch.list[i] = 5u;
    more[i / 2u] = vec3<u32>(6u);
    atomicAdd(&scratch.counter, 7u);
    if i == 0u {
        scratch.matrix[1].y = 8.0;
    }
}
