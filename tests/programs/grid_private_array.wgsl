//! A private array that is indexed dynamically before and after a grid sync.
//! grid: 3,1,1
//! in words = zeros 12
//! in result = zeros 12
//! out words = [1, 5, 4, 5, 1, 1, 0, 1, 4, 2, 2, 4]
//! out result = [105, 504, 405, 401, 501, 100, 1, 104, 302, 502, 604, 501]

@group(0) @binding(0) var<storage, read_write> words: array<u32>;
@group(0) @binding(1) var<storage, read_write> result: array<u32>;

fn vyreGridSync() {}

@compute @workgroup_size(4)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let i = id.x;
    var table: array<u32, 8>;
    for (var j = 0u; j < 8u; j++) {
        table[j] = (i * j + 1u) % 7u;
    }
    table[i % 8u] += 50u;
    words[i] = table[(i + 3u) % 8u];
    vyreGridSync();
    let other = words[(i + 1u) % 12u];
    result[i] = table[other % 8u] * 100u + other;
}
