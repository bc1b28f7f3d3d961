//! Workgroup arrays out of bounds: loads give zero, stores are dropped and hit no other variable.
//! in at = [0, 3, 4, -1, 1000000, -2147483648]
//! out result = [10, 13, 0, 0, 0, 0, 90, 11, 12, 91, 0, 0, 0, 0]

@group(0) @binding(0) var<storage, read_write> result: array<u32, 14>;
@group(0) @binding(1) var<storage, read> at: array<i32, 6>; // indices unknown to the compiler

var<workgroup> before: array<u32, 4>;
var<workgroup> middle: array<u32, 4>;
var<workgroup> after: array<u32, 4>;

@compute @workgroup_size(6)
fn main(@builtin(local_invocation_index) i: u32) {
    if i < 4u {
        middle[i] = 10u + i;
    }
    workgroupBarrier();
    result[i] = middle[at[i]];
    workgroupBarrier();
    middle[at[i]] = 90u + i;
    workgroupBarrier();
    if i < 4u {
        result[6u + i] = middle[i];
        result[10u + i] = before[i] + after[i];
    }
}
