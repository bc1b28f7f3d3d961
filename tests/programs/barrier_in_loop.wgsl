//! Barriers in a loop with a uniform count, with the accumulator and the loop variable live across them (an inclusive scan).
//! in source = [3, 10, 6, 2, 9, 5, 1, 8, 4, 0, 7, 3, 10, 6, 2, 9]
//! in result = zeros 16
//! out result = [3, 13, 19, 21, 30, 35, 36, 44, 48, 48, 55, 58, 68, 74, 76, 85]

@group(0) @binding(0) var<storage, read_write> result: array<u32>;

@group(0) @binding(1) var<storage, read> source: array<u32>;

var<workgroup> sums: array<u32, 16>;

@compute @workgroup_size(16)
fn main(@builtin(local_invocation_index) i: u32) {
    var mine = source[i];
    sums[i] = mine;
    workgroupBarrier();
    for (var reach = 1u; reach < 16u; reach <<= 1u) {
        if i >= reach {
            mine += sums[i - reach];
        }
        workgroupBarrier();
        sums[i] = mine;
        workgroupBarrier();
    }
    result[i] = mine;
}
