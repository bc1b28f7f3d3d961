//! Overrides computed from overrides with operators and functions, used in arrays of workgroup memory, constants of loops and conditions.
//! override: size=6
//! in result = zeros 9
//! out result = [36.0, 33.0, 30.0, 27.0, 24.0, 21.0, -9.0, 1.0, 9.0]

@group(0) @binding(0) var<storage, read_write> result: array<f32>;

override size: u32 = 4u;
override doubled: u32 = size * 2u;
override negative: i32 = -3 - i32(size);
override half_size: f32 = f32(size) / 2.0;
override large: bool = size > 5u && doubled != 0u;
override limited: u32 = min(doubled, 9u);

var<workgroup> shared_values: array<f32, doubled + 1>;

@compute @workgroup_size(size)
fn main(@builtin(local_invocation_index) i: u32) {
    for (var k = i; k < doubled + 1u; k += size) {
        shared_values[k] = f32(k) * half_size;
    }
    workgroupBarrier();
    result[i] = shared_values[doubled - i];
    if i == 0u {
        result[size] = f32(negative);
        result[size + 1u] = select(-1.0, 1.0, large);
        result[size + 2u] = f32(limited);
    }
}
