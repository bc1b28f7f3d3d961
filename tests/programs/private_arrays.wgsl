//! Private arrays and structs with initializers; every invocation has its own copy; dynamic indices.
//! in result = zeros 16
//! out result = [55555, 25, 30, 10, 44448, 20, 34, 11, 33367, 23, 30, 30, 22458, 20, 35, 13]

@group(0) @binding(0) var<storage, read_write> result: array<i32>;

struct Pair { a: i32, b: array<i32, 2> }

var<private> table: array<i32, 5> = array<i32, 5>(5, 4, 3, 2, 1);
var<private> pair: Pair = Pair(10, array<i32, 2>(20, 30));
var<private> zeroed: array<vec2<i32>, 2>;

fn rotate(by: i32) {
    for (var i = 0; i < 5; i++) {
        table[i] = table[(i + by) % 5] + i;
    }
    pair.b[by & 1] += table[by];
}

@compute @workgroup_size(4)
fn main(@builtin(local_invocation_index) index: u32) {
    let i = i32(index);
    rotate(i);
    zeroed[i & 1].y += i;
    result[4 * i] = table[0] * 10000 + table[1] * 1000 + table[2] * 100 + table[3] * 10 + table[4];
    result[4 * i + 1] = pair.b[0];
    result[4 * i + 2] = pair.b[1];
    result[4 * i + 3] = zeroed[0].y * 10 + zeroed[1].y + pair.a;
}
