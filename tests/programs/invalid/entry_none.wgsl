//! A module without an entry point.
//! error: entry

@group(0) @binding(0) var<storage, read_write> data: array<u32>;

fn helper(x: u32) {
    data[x] = 1u;
}
