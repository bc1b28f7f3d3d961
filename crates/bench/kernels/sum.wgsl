// The sum of each 4096 numbers: 16 loads by each of 256 invocations, then a tree in workgroup memory.

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> partials: array<f32>;

const SIZE = 256u;
const LOADS = 16u;

var<workgroup> tree: array<f32, SIZE>;

@compute @workgroup_size(SIZE)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let first = group.x * SIZE * LOADS + local;
    var sum = 0.0;
    for (var k = 0u; k < LOADS; k++) {
        let i = first + k * SIZE;
        if (i < arrayLength(&x)) {
            sum += x[i];
        }
    }
    tree[local] = sum;
    workgroupBarrier();

    for (var half = SIZE / 2u; half > 0u; half /= 2u) {
        if (local < half) {
            tree[local] += tree[local + half];
        }
        workgroupBarrier();
    }
    if (local == 0u) {
        partials[group.x] = tree[0];
    }
}
