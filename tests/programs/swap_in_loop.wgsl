//! Vectors and structs that are exchanged, rotated and rebuilt in a loop, with values from the round before.
//! in result = zeros 16
//! out result = [4.0, 3.0, 1.0, 2.0, -2.0, 1.0, 5.0, 5.0, 5.0, 5.0, 2.0, 4.0, 4.0, 2.0, 3.0, 6.0]

@group(0) @binding(0) var<storage, read_write> result: array<f32>;

struct Pair { left: vec2<f32>, right: vec2<f32> }

@compute @workgroup_size(4)
fn main(@builtin(local_invocation_index) i: u32) {
    var pair = Pair(vec2<f32>(1.0, 2.0), vec2<f32>(3.0, 4.0));
    var previous = vec2<f32>();
    for (var k = 0u; k <= i; k++) {
        let old = pair;
        pair = Pair(old.right.yx, old.left + previous);
        previous = old.left;
        if k == 1u {
            pair.left.x = -pair.left.x;
        }
    }
    result[4u * i] = pair.left.x;
    result[4u * i + 1u] = pair.left.y;
    result[4u * i + 2u] = pair.right.x;
    result[4u * i + 3u] = pair.right.y;
}
