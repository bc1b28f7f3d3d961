//! Returns from inside of branches, with work before them, and values that branches leave for after the grid sync.
//! grid: 3,1,1
//! in words = zeros 12
//! in result = zeros 12
//! in limits = [11, 1, 0, 0]
//! out words = [0, 900, 4, 6, 8, 900, 18, 21, 24, 900, 30, 0]
//! out result = [907, 0, 13, 15, 907, 0, 29, 32, 908, 0, 8, 0]

@group(0) @binding(0) var<storage, read_write> words: array<u32>;
@group(0) @binding(1) var<storage, read_write> result: array<u32>;
@group(0) @binding(2) var<uniform> limits: vec4<u32>;

fn vyreGridSync() {}

@compute @workgroup_size(4)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let i = id.x;
    var weight = 0u;
    if limits.y == 1u {
        if i >= limits.x {
            return;
        }
        if i % 4u == 1u {
            words[i] = 900u;
            return;
        }
        if i < 6u {
            words[i] = i * 2u;
            weight = 7u;
        } else {
            words[i] = i * 3u;
            weight = 8u;
        }
        vyreGridSync();
    } else {
        words[i] = 1u;
    }
    let next = words[(i + 1u) % 12u];
    vyreGridSync();
    result[i] = next + weight;
}
