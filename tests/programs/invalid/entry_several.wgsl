//! Several entry points and none chosen.
//! error: entry

@group(0) @binding(0) var<storage, read_write> data: array<u32>;

@compute @workgroup_size(1)
fn first() {
    data[0] = 1u;
}

@compute @workgroup_size(1)
fn second() {
    data[0] = 2u;
}
