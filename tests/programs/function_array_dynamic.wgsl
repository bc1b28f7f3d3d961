//! Arrays of scalars, vectors and structs in function memory, written and read at dynamic indices; whole-array copies.
//! in result = zeros 12
//! out result = [975310, 1000, 91, 975311, 1100, 3900, 975321, 1001, 509, 975331, 1010, 7090]

@group(0) @binding(0) var<storage, read_write> result: array<u32>;

struct Item { key: u32, values: vec2<u32> }

@compute @workgroup_size(4)
fn main(@builtin(local_invocation_index) i: u32) {
    var order = array<u32, 6>(5u, 3u, 9u, 1u, 7u, i);
    for (var a = 1u; a < 6u; a++) { // insertion sort
        let x = order[a];
        var b = a;
        while b > 0u && order[b - 1u] > x {
            order[b] = order[b - 1u];
            b--;
        }
        order[b] = x;
    }
    var items: array<Item, 3>;
    items[i % 3u].values[i & 1u] = order[i + 1u];
    items[(i + 1u) % 3u] = Item(order[0], vec2<u32>(order[5], 0u));
    let copy = items;
    items[0].key = 1000u;
    result[3u * i] = order[0] + 10u * order[1] + 100u * order[2] + 1000u * order[3] + 10000u * order[4] + 100000u * order[5];
    result[3u * i + 1u] = copy[0].key + 10u * copy[1].key + 100u * copy[2].key + items[0].key;
    result[3u * i + 2u] = copy[0].values.x + 10u * copy[1].values.x + 100u * copy[2].values.x
        + 1000u * (copy[0].values.y + copy[1].values.y + copy[2].values.y);
}
