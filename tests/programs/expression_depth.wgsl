//! Deeply nested expressions, long chains, and wide argument lists.
//! in result = zeros 12
//! out result = [720775, 1045, 1, 407, 1059, 1, 935, 1079, 1, 1463, 1088, 1]

@group(0) @binding(0) var<storage, read_write> result: array<i32>;

fn weigh(a: i32, b: i32, c: i32, d: i32, e: i32, f: i32, g: i32, h: i32) -> i32 {
    return a + 2 * b + 3 * c + 4 * d + 5 * e + 6 * f + 7 * g + 8 * h;
}

@compute @workgroup_size(4)
fn main(@builtin(local_invocation_index) index: u32) {
    let i = i32(index);
    let nested = ((((((((i + 1) * 2 - 3) * 4 + 5) * 6 - 7) ^ 8) | 9) & 0xffff) - 10) * 11;
    let chain = i - 1 - 2 - 3 - 4 - 5 + 6 * 7 / 3 % 5 - -i;
    let logic = (i > 0 && i < 3) || !(i == 0 || i == 2) || ((i & 1) == 0) != (i > 1);
    result[3 * i] = nested;
    result[3 * i + 1] = weigh(i, i + 1, i * 2, -i, weigh(1, 2, 3, 4, 5, 6, 7, 8), select(3, 4, i == 2), min(i, 2), max(i, 2)) + chain;
    result[3 * i + 2] = i32(logic);
}
