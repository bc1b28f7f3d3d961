//! Switches with several selectors in a clause, default beside values, default in the middle, negative values, and a constant expression as selector.
//! in result = zeros 24
//! out result = [20, 4, 3, 10, 1, 2, 10, 2, 1, 20, 3, 0, 30, 2, -1, 20, 2, -2, 20, 2, 3, 30, 2, -4]

@group(0) @binding(0) var<storage, read_write> result: array<i32>;

const EDGE = 3;

fn signed_case(x: i32) -> i32 {
    switch x {
        case -2, -1: { return 10; }
        case 0, default: { return 20; }
        case EDGE + 1, 1: { return 30; }
    }
}

fn middle_default(x: u32) -> i32 {
    var value = 0;
    switch x {
        case 0u: { value = 1; }
        default: { value = 2; }
        case 2u: { value = 3; }
        case 0xffffffffu: { value = 4; }
    }
    return value;
}

fn only_default(x: i32) -> i32 {
    var value = x;
    switch x {
        default: {
            if x == 3 {
                break;
            }
            value = -x;
        }
    }
    return value;
}

@compute @workgroup_size(8)
fn main(@builtin(local_invocation_index) i: u32) {
    let x = i32(i) - 3;
    result[3u * i] = signed_case(x);
    result[3u * i + 1u] = middle_default(i - 1u);
    result[3u * i + 2u] = only_default(x);
}
