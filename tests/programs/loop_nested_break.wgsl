//! Nested loops with break and continue on both levels.
//! in result = zeros 8
//! out result = [41646, 8841, 15600, 13899, 13899, 41691, 375240, 375240]

@group(0) @binding(0) var<storage, read_write> result: array<u32>;

@compute @workgroup_size(8)
fn main(@builtin(local_invocation_index) i: u32) {
    var code = 0u;
    for (var a = 0u; a < 6u; a++) {
        if a == i {
            continue;
        }
        for (var b = 0u; b <= a; b++) {
            if (a + b) % 4u == 3u {
                continue;
            }
            if a * b > i + 6u {
                break;
            }
            code = code * 3u + a + b;
        }
        if code > 5000000u {
            break;
        }
    }
    result[i] = code;
}
