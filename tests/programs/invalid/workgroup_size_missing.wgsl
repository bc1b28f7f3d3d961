//! A compute entry point without a workgroup size.
//! error: workgroup

@group(0) @binding(0) var<storage, read_write> data: array<u32>;

@compute
fn main(@builtin(local_invocation_index) i: u32) {
    data[i] = 1u;
}
