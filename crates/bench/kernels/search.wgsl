// The place of each key in a sorted table: how many of its elements are less than the key.

@group(0) @binding(0) var<storage, read> table: array<u32>;
@group(0) @binding(1) var<storage, read> keys: array<u32>;
@group(0) @binding(2) var<storage, read_write> places: array<u32>;

@compute @workgroup_size(512)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let i = id.x;
    if (i >= arrayLength(&keys)) {
        return;
    }
    let key = keys[i];
    var low = 0u;
    var high = arrayLength(&table);
    while (low < high) {
        let middle = (low + high) / 2u;
        if (table[middle] < key) {
            low = middle + 1u;
        } else {
            high = middle;
        }
    }
    places[i] = low;
}
