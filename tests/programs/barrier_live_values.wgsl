//! Values of every kind that live across barriers: scalars, bools, vectors, arrays, a struct, uniform values.
//! in result = zeros 8
//! out result = [160.0, 122.0, 117.0, 164.5, 175.5, 127.5, 131.0, 177.0]

@group(0) @binding(0) var<storage, read_write> result: array<f32>;

struct Pair { a: f32, b: vec2<u32> }

var<workgroup> exchange: array<f32, 8>;

@compute @workgroup_size(8)
fn main(@builtin(local_invocation_index) i: u32, @builtin(num_workgroups) groups: vec3<u32>) {
    let scalar = f32(i) * 0.5;
    let flag = i % 3u == 0u;
    let vector = vec3<i32>(i32(i), -1, 2);
    var list = array<u32, 4>(i, i + 1u, i + 2u, i + 3u);
    var pair = Pair(scalar + 1.0, vec2<u32>(i, 9u));
    let uniform_value = groups.x * 100u;
    exchange[i] = scalar;
    list[i & 3u] = 50u;
    workgroupBarrier();
    let other = exchange[(i + 1u) % 8u];
    pair.a += other;
    workgroupBarrier();
    exchange[i] = select(-1.0, pair.a, flag);
    workgroupBarrier();
    result[i] = exchange[7u - i] + f32(vector.x + vector.y) + f32(list[0] + list[3]) + f32(pair.b.y + uniform_value) + scalar;
}
