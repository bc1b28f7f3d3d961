//! A function with early returns from loops, called inside a loop that breaks and continues on its result; it also writes through a pointer.
//! in result = zeros 16
//! out result = [1014, 102, 1006, 101, 1006, 1, 1000, 0, 1166, 205, 1070, 204, 1070, 104, 1038, 103]

@group(0) @binding(0) var<storage, read_write> result: array<i32>;

const DATA = array<i32, 8>(4, 0, 9, 2, 7, 0, 3, 8);

fn probe(k: i32, hits: ptr<function, i32>) -> i32 {
    let v = DATA[k];
    if v == 0 {
        *hits += 100;
        return -1;
    }
    for (var j = 0; j < v; j++) {
        if j * j >= v {
            *hits += 1;
            return j;
        }
    }
    return 1000;
}

@compute @workgroup_size(8)
fn main(@builtin(local_invocation_index) index: u32) {
    let i = i32(index);
    var hits = 0;
    var total = 0;
    for (var round = 0; round < 8; round++) {
        let found = probe((i + round) % 8, &hits);
        if found < 0 {
            continue;
        }
        total = total * 2 + found;
        if total > 200 {
            break;
        }
    }
    result[2 * i] = total;
    result[2 * i + 1] = hits;
}
