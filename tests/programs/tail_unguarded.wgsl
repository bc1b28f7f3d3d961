//! A grid larger than the data without a guard: reads beyond the end give zero, writes are dropped.
//! grid: 3,1,1
//! in source = iota 10
//! in result = zeros 13
//! out result = [104, 106, 108, 110, 112, 114, 106, 107, 108, 109, 100, 100, 100]

@group(0) @binding(0) var<storage, read_write> result: array<u32>;

@group(0) @binding(1) var<storage, read> source: array<u32>;

@compute @workgroup_size(8)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    result[id.x] = source[id.x] + source[id.x + 4u] + 100u;
}
