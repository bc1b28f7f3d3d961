//! Module and function constants that are arrays, indexed dynamically.
//! in result = zeros 8
//! out result = [11192, 12245, 9252, 8075, 11080, 12063, 9012, 8005]

@group(0) @binding(0) var<storage, read_write> result: array<u32>;

const SQUARES = array<u32, 8>(1u, 4u, 9u, 16u, 25u, 36u, 49u, 64u);
const OFFSETS = array<vec2<i32>, 4>(vec2<i32>(1, 0), vec2<i32>(0, 1), vec2<i32>(-1, 0), vec2<i32>(0, -1));

@compute @workgroup_size(8)
fn main(@builtin(local_invocation_index) i: u32) {
    const WEIGHTS = array(3u, 5u, 7u);
    let step = OFFSETS[i % 4u];
    result[i] = SQUARES[7u - i] * WEIGHTS[i % 3u] + u32(step.x + 2 * step.y + 10) * 1000u;
}
