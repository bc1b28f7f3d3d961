//! Divergent branches and loops that end before a barrier; some invocations skip work but all meet again.
//! in result = zeros 8
//! out result = [0, 16, 16, 26, 29, 32, 33, 33]

@group(0) @binding(0) var<storage, read_write> result: array<u32>;

var<workgroup> work: array<u32, 8>;

@compute @workgroup_size(8)
fn main(@builtin(local_invocation_index) i: u32) {
    var x = i;
    if i % 2u == 0u {
        for (var k = 0u; k < i; k++) {
            x += k;
            if x > 12u {
                break;
            }
        }
    } else if i > 4u {
        x = 100u;
    }
    work[i] = x;
    workgroupBarrier();
    var sum = 0u;
    for (var k = i; k < 8u; k++) {
        if work[k] == 100u {
            continue;
        }
        sum += work[k];
    }
    workgroupBarrier();
    work[i] = sum;
    workgroupBarrier();
    result[i] = work[7u - i];
}
