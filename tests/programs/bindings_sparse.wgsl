//! Buffers in several groups with gaps in the numbers, and declared after their use.
//! in first = [1, 2, 3, 4]
//! in third = [10, 20, 30, 40]
//! in scale = [100, 0, 0, 0]
//! out second = [141, 132, 123, 114]

@compute @workgroup_size(4)
fn main(@builtin(local_invocation_index) i: u32) {
    second[i] = first[i] + scale[i / 4u] + third[3u - i];
}

@group(2) @binding(7) var<storage, read_write> second: array<u32, 4>;
@group(0) @binding(3) var<storage, read> third: array<u32, 4>;
@group(2) @binding(1) var<uniform> scale: vec4<u32>;
@group(0) @binding(9) var<storage, read> first: array<u32, 4>;
