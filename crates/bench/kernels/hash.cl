// 64 rounds of Marsaglia's xorshift32 for each number.

#define ROUNDS 64

kernel void run(global const uint *restrict x, global uint *restrict hashes, uint x_length, uint hashes_length) {
    size_t i = get_global_id(0);
    if (i >= x_length) {
        return;
    }
    uint h = x[i];
    for (uint round = 0; round < ROUNDS; round++) {
        h ^= h << 13;
        h ^= h >> 17;
        h ^= h << 5;
    }
    hashes[i] = h;
}
