//! What a loop loads last, in invocations that leave it one after the other.
//! in data = [10, 20, 30, 40, 50, 60, 70, 80]
//! out result = [10, 20, 30, 40, 50, 60, 70, 80]
@group(0) @binding(0) var<storage, read> data: array<u32>;
@group(0) @binding(1) var<storage, read_write> result: array<u32, 8>;

@compute @workgroup_size(8)
fn main(@builtin(local_invocation_index) local: u32) {
    var turns = 0u;
    var last = 0u;
    loop {
        last = data[turns];
        turns += 1u;
        if turns > local { break; }
    }
    result[local] = last;
}
