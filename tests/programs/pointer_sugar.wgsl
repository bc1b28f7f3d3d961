//! Members, components and elements reached through a pointer without an explicit dereference.
//! in result = zeros 8
//! out result = [4, 40, 700, 45, 4, 700, 40, 45]

@group(0) @binding(0) var<storage, read_write> result: array<i32>;

struct Node { value: i32, parts: array<vec2<i32>, 2> }

var<workgroup> shared_node: Node;

fn adjust(node: ptr<function, Node>, at: i32) {
    node.value += 1;
    node.parts[at].y = node.value * 10;
    let part = &node.parts[1 - at];
    part.x = 7;
}

@compute @workgroup_size(2)
fn main(@builtin(local_invocation_index) i: u32) {
    var node = Node(3, array<vec2<i32>, 2>());
    adjust(&node, i32(i));
    let p = &shared_node;
    if i == 1u {
        p.value = node.parts[1].y;
        p.parts[0][i] = 5;
    }
    workgroupBarrier();
    let out_place = &result[4u * i];
    *out_place = node.value;
    result[4u * i + 1u] = node.parts[0].x * 100 + node.parts[0].y;
    result[4u * i + 2u] = node.parts[1].x * 100 + node.parts[1].y;
    result[4u * i + 3u] = p.value + p.parts[0].y;
}
