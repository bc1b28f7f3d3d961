//! Slots handed out by an atomic counter: every number is stored once, checked by sums over the slots.
//! grid: 5,1,1
//! out bag = [27, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _]
//! out marks = [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]

struct Bag { count: atomic<u32>, items: array<u32, 40> }

@group(0) @binding(0) var<storage, read_write> bag: Bag;
@group(0) @binding(1) var<storage, read_write> marks: array<atomic<u32>, 40>;

@compute @workgroup_size(8)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x % 3u == 1u {
        return;
    }
    let slot = atomicAdd(&bag.count, 1u);
    bag.items[slot] = id.x;
    atomicAdd(&marks[slot], bag.items[slot] - id.x + 1u);
}
