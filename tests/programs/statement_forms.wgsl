//! Increment, decrement, every compound assignment, phony assignment, empty statements, a call as a statement.
//! in unused_input = [5]
//! in result = zeros 13
//! out result = [107, 98, 294, 73, 23, 368, 92, 3935, 3923, 1529, 1, 1530, 2]

@group(0) @binding(0) var<storage, read_write> result: array<u32>;

@group(0) @binding(1) var<storage, read> unused_input: array<u32>;

var<private> calls: u32;

fn bump(by: u32) -> u32 {
    calls += by;
    return calls;
}

fn bump_quietly() {
    calls++;
}

@compute @workgroup_size(1)
fn main() {
    _ = bump(1u);
    bump_quietly();
    _ = unused_input[0];
    ;
    var x = 100u;
    x += 7u;
    result[0] = x;
    x -= 9u;
    result[1] = x;
    x *= 3u;
    result[2] = x;
    x /= 4u;
    result[3] = x;
    x %= 50u;
    result[4] = x;
    x <<= 4u;
    result[5] = x;
    x >>= 2u;
    result[6] = x;
    x |= 0xf0fu;
    result[7] = x;
    x &= 0xff3u;
    result[8] = x;
    x ^= 0xaaau;
    result[9] = x;
    x++;
    result[10]++;
    result[10]++;
    result[10]--;
    result[11] = x;
    result[12] = calls;
}
