//! Variables that are assigned before a grid sync, in a branch and outside, keep their value over it.
//! grid: 3,1,1
//! in data = [1, 6, 11, 16, 4, 9, 14, 2, 7, 12, 0, 5]
//! in shared_words = zeros 12
//! in result = zeros 12
//! out shared_words = [5, 20, 26, 41, 14, 20, 35, 8, 14, 29, 2, 17]
//! out result = [4014, 19021, 25037, 40008, 13015, 19031, 34002, 7018, 13007, 28020, 1027, 16043]

@group(0) @binding(0) var<storage, read> data: array<u32>;
@group(0) @binding(1) var<storage, read_write> shared_words: array<u32>;
@group(0) @binding(2) var<storage, read_write> result: array<u32>;

fn vyreGridSync() {}

@compute @workgroup_size(4)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let i = id.x;
    var v = data[i];
    var pair = vec2<u32>(i, 0u);
    v = v * 3u + 1u;
    if v > 20u {
        v -= 9u;
    }
    pair.y = i % 3u;
    shared_words[i] = v + 1u;
    vyreGridSync();
    v *= 1000u;
    result[pair.x] = v + shared_words[(i + 4u) % 12u] + pair.y;
}
