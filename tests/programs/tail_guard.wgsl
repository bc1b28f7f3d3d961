//! A grid larger than the data: invocations beyond the end leave early.
//! grid: 3,1,1
//! in source = iota 19
//! in result = zeros 20
//! out result = [0, 17, 32, 45, 56, 65, 72, 77, 80, 81, 80, 77, 72, 65, 56, 45, 32, 17, 0, 0]

@group(0) @binding(0) var<storage, read_write> result: array<u32>;

@group(0) @binding(1) var<storage, read> source: array<u32>;

@compute @workgroup_size(8)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x >= arrayLength(&source) {
        return;
    }
    result[id.x] = source[id.x] * source[arrayLength(&source) - 1u - id.x];
}
