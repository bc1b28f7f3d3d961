// The place of each key in a sorted table: how many of its elements are less than the key.

kernel void run(global const uint *restrict table, global const uint *restrict keys, global uint *restrict places,
                uint table_length, uint keys_length, uint places_length) {
    size_t i = get_global_id(0);
    if (i >= keys_length) {
        return;
    }
    uint key = keys[i];
    uint low = 0;
    uint high = table_length;
    while (low < high) {
        uint middle = (low + high) / 2;
        if (table[middle] < key) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    places[i] = low;
}
