//! One of several entry points is chosen by name.
//! entry: second
//! in result = zeros 4
//! out result = [2, 5, 8, 11]

@group(0) @binding(0) var<storage, read_write> result: array<u32>;

fn shared_part(x: u32) -> u32 {
    return x * 3u;
}

@compute @workgroup_size(1)
fn first() {
    result[0] = 1u;
}

@compute @workgroup_size(4)
fn second(@builtin(local_invocation_index) i: u32) {
    result[i] = shared_part(i) + 2u;
}
