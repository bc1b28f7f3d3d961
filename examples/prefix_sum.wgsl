// Inclusive prefix sums of blocks of 1024 numbers.
//
//   vyre run examples/prefix_sum.wgsl --grid 64 --set values=iota:65536 --set sums=zeros:65536 --set totals=zeros:64
//
// Workgroup b scans values[1024 * b .. 1024 * b + 1024]: sums[i] is the sum, modulo 2^32, of the values from the
// beginning of i's block up to and including i, and totals[b] is the sum of block b. The last block may be short.
// With one block that is the whole prefix sum; for a longer array scan `totals` in the same way and add to every
// block the sum of those before it.
//
// 256 invocations take four neighboring values each. The 256 sums of four are scanned in workgroup memory in
// log2(256) = 8 steps (Hillis and Steele, 1986): in step s every sum adds the one 2^s places to its left.

@group(0) @binding(0) var<storage, read> values: array<u32>;
@group(0) @binding(1) var<storage, read_write> sums: array<u32>;
@group(0) @binding(2) var<storage, read_write> totals: array<u32>;

const LANES = 256u;
const PER_LANE = 4u;

var<workgroup> partial: array<u32, LANES>;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let length = arrayLength(&values);
    let first = (group.x * LANES + lane) * PER_LANE;

    // Scan the four in registers. Beyond the end stands a zero.
    var scanned: array<u32, PER_LANE>;
    var running = 0u;
    for (var k = 0u; k < PER_LANE; k++) {
        if first + k < length {
            running += values[first + k];
        }
        scanned[k] = running;
    }
    partial[lane] = running;
    workgroupBarrier();

    for (var reach = 1u; reach < LANES; reach *= 2u) {
        var left = 0u;
        if lane >= reach {
            left = partial[lane - reach];
        }
        workgroupBarrier(); // everyone has read before anyone writes
        partial[lane] += left;
        workgroupBarrier();
    }

    let before = partial[lane] - running;
    for (var k = 0u; k < PER_LANE; k++) {
        if first + k < length {
            sums[first + k] = before + scanned[k];
        }
    }
    if lane == LANES - 1u {
        totals[group.x] = partial[lane];
    }
}
