//! Pointers to parts of storage and workgroup variables bound by let, chains of them, and dynamic indices in them.
//! words nodes
//! in nodes = [10, 2, 0, 0, 20, 0, 0, 0, 30, 1, 0, 0]
//! out nodes = [60, 2, 10, 10, 80, 0, 20, 0, 30, 1, 0, 30]

struct Node { value: i32, link: u32, extra: array<i32, 2> }

@group(0) @binding(0) var<storage, read_write> nodes: array<Node>;

var<workgroup> scratch: array<vec4<i32>, 2>;

@compute @workgroup_size(1)
fn main() {
    var at = 0u;
    for (var hop = 0; hop < 4; hop++) {
        let node = &nodes[at];
        let extra = &(*node).extra;
        (*extra)[hop & 1] += (*node).value;
        let slot = &scratch[hop & 1];
        (*slot)[hop] = (*node).value * 2;
        at = (*node).link;
    }
    let first = &nodes[0];
    (*first).value = scratch[0].x + scratch[0].z;
    nodes[1].value = scratch[1].y + scratch[1].w;
}
