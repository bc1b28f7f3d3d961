// Reads a table in the order of a permutation.

kernel void run(global const uint *restrict table, global const uint *restrict index, global uint *restrict gathered,
                uint table_length, uint index_length, uint gathered_length) {
    size_t i = get_global_id(0);
    if (i >= index_length) {
        return;
    }
    gathered[i] = table[index[i]];
}
