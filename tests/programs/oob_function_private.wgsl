//! Function and private arrays out of bounds: loads give zero, stores are dropped and hit no other variable.
//! in at = [0, 3, 4, -1, 1000000, -2147483648]
//! out result = [1010, 4040, 0, 0, 0, 0, 99, 20, 30, 99, 101, 2, 3, 104, 26, 16, 14, 0, 0, 0]

@group(0) @binding(0) var<storage, read_write> result: array<u32, 20>;
@group(0) @binding(1) var<storage, read> at: array<i32, 6>; // indices unknown to the compiler

var<private> before: u32 = 7u;
var<private> hidden: array<u32, 4> = array<u32, 4>(1u, 2u, 3u, 4u);
var<private> after: u32 = 9u;

@compute @workgroup_size(1)
fn main() {
    var first = array<u32, 2>(5u, 6u);
    var local = array<u32, 4>(10u, 20u, 30u, 40u);
    var last = array<u32, 2>(7u, 8u);
    for (var i = 0u; i < 6u; i++) {
        result[i] = local[at[i]] + 1000u * hidden[u32(at[i])];
        local[at[i]] = 99u;
        hidden[at[i]] += 100u;
    }
    for (var i = 0u; i < 4u; i++) {
        result[6u + i] = local[i];
        result[10u + i] = hidden[i];
    }
    result[14] = first[0] + first[1] + last[0] + last[1];
    result[15] = before + after;
    let value = array<u32, 4>(11u, 12u, 13u, 14u);
    result[16] = value[at[1]];
    result[17] = value[at[2]];
    result[18] = value[at[3]];
}
