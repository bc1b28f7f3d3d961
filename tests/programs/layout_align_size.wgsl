//! Explicit @size and @align move the members of a struct.
//! in items = zeros 16
//! out items = [1, 2, 0, 0, 3, 0, 4, 5, 11, 12, 0, 0, 13, 0, 14, 15]

struct Padded {
    a: u32,              // offset 0
    @size(12) b: u32,    // offset 4
    @align(16) c: u32,   // offset 16
    d: vec2<u32>,        // offset 24
}

@group(0) @binding(0) var<storage, read_write> items: array<Padded, 2>;

@compute @workgroup_size(2)
fn main(@builtin(local_invocation_index) i: u32) {
    items[i].a = 1u + 10u * i;
    items[i].b = 2u + 10u * i;
    items[i].c = 3u + 10u * i;
    items[i].d = vec2<u32>(4u, 5u) + 10u * i;
}
