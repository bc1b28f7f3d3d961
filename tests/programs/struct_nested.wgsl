//! Nested structs: construction, member access through several levels, whole-struct copies.
//! out result = [10, _, 11, 12, 20, _, 21, 22, 30, _, 31, 99, 40, _, 41, 42, 51, _]

struct Inner { a: u32, b: vec2<u32> }
struct Outer { first: Inner, list: array<Inner, 3>, last: u32 }

@group(0) @binding(0) var<storage, read_write> result: Outer;

fn make(base: u32) -> Inner {
    return Inner(base, vec2<u32>(base + 1u, base + 2u));
}

@compute @workgroup_size(1)
fn main() {
    var outer: Outer;
    outer.first = make(10u);
    for (var i = 0u; i < 3u; i++) {
        outer.list[i] = make(20u + 10u * i);
    }
    outer.list[1].b.y = 99u;
    outer.last = outer.first.b.x + outer.list[2].a;
    let copy = outer;
    outer.first.a = 7u; // the copy keeps 10
    result = copy;
}
