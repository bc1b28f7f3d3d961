// 64 rounds of Marsaglia's xorshift32 for each number.

@group(0) @binding(0) var<storage, read> x: array<u32>;
@group(0) @binding(1) var<storage, read_write> hashes: array<u32>;

const ROUNDS = 64u;

@compute @workgroup_size(512)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let i = id.x;
    if (i >= arrayLength(&x)) {
        return;
    }
    var h = x[i];
    for (var round = 0u; round < ROUNDS; round++) {
        h ^= h << 13u;
        h ^= h >> 17u;
        h ^= h << 5u;
    }
    hashes[i] = h;
}
