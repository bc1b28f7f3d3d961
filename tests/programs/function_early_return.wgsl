//! Functions that return early from branches, loops and switches, with the rest skipped.
//! in result = zeros 36
//! out result = [999, 999, 1000, 1101, 1002, 103, 1002, 1105, 1002, 1107, 1002, 1109, -1, -1, 0, 11, 12, 13, 14, -1, 23, -1, 24, 33, 33, 33, 33, 11, 22, 33, 33, 33, 33, 33, 33, 33]

@group(0) @binding(0) var<storage, read_write> result: array<i32>;

fn classify(x: i32) -> i32 {
    if x < 0 {
        return -1;
    }
    if x == 0 {
        return 0;
    } else if x < 10 {
        if x % 2 == 0 {
            return 2;
        }
    }
    return 100 + x;
}

fn find(x: i32) -> i32 {
    for (var i = 0; i < 5; i++) {
        for (var j = 0; j < 5; j++) {
            if i * j == x {
                return i * 10 + j;
            }
        }
    }
    return -1;
}

fn kind(x: i32) -> i32 {
    switch x {
        case 1: { return 11; }
        case 2: { if x > 1 { return 22; } }
        default: { }
    }
    return 33;
}

fn clear(at: u32) {
    if at > 3u {
        return;
    }
    result[at] = 0;
}

@compute @workgroup_size(16)
fn main(@builtin(local_invocation_index) i: u32) {
    if i >= 12u {
        return;
    }
    let x = i32(i) - 2;
    result[i] = classify(x);
    result[12u + i] = find(x);
    result[24u + i] = kind(x);
    clear(24u + i);
    clear(i / 4u + 4u);
    if i == 5u {
        return;
    }
    result[i] += 1000;
}
