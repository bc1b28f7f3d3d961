//! A barrier inside a function that is called from uniform control flow, twice and in a loop.
//! in result = zeros 8
//! out result = [50043, 60053, 70063, 73, 10003, 20013, 30023, 40033]

@group(0) @binding(0) var<storage, read_write> result: array<u32>;

var<workgroup> buffer: array<u32, 8>;

fn shift_left(i: u32, x: u32) -> u32 {
    workgroupBarrier();
    buffer[i] = x;
    workgroupBarrier();
    return buffer[(i + 1u) % 8u];
}

@compute @workgroup_size(8)
fn main(@builtin(local_invocation_index) i: u32) {
    var x = shift_left(i, i * 10u);
    x += shift_left(i, x) * 1000u;
    for (var k = 0u; k < 3u; k++) {
        x = shift_left(i, x + k);
    }
    result[i] = x;
}
