// Inclusive prefix sums of an array of any length, in one launch.
//
//   vyre run examples/prefix_sum_grid.wgsl --grid 64 --set values=iota:1000000 --set sums=zeros:1000000 --set totals=zeros:64
//
// sums[i] is the sum, modulo 2^32, of values[0] to values[i]. Every workgroup has a piece of the array, and `totals` one
// element for each workgroup. It adds up its piece, waits until all others have done the same, and then scans its piece,
// beginning with the sum of all pieces before. A grid of any size does.

@group(0) @binding(0) var<storage, read> values: array<u32>;
@group(0) @binding(1) var<storage, read_write> sums: array<u32>;
@group(0) @binding(2) var<storage, read_write> totals: array<u32>;

const LANES = 256u;
const PER_LANE = 4u;
const TILE = LANES * PER_LANE;

var<workgroup> partial: array<u32, LANES>;

// Waits until all invocations of the grid are here and sees what they have written. See docs/grid-sync.md.
fn vyreGridSync() {}

// The sum of the values of all lanes up to this one (Hillis and Steele, 1986). The last sum stays in `partial`.
fn scan(lane: u32, value: u32) -> u32 {
    workgroupBarrier(); // nobody needs the sums before any more
    partial[lane] = value;
    workgroupBarrier();
    for (var reach = 1u; reach < LANES; reach *= 2u) {
        var left = 0u;
        if lane >= reach {
            left = partial[lane - reach];
        }
        workgroupBarrier();
        partial[lane] += left;
        workgroupBarrier();
    }
    return partial[lane];
}

@compute @workgroup_size(LANES)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let length = arrayLength(&values);
    let tiles = (length - 1u) / (TILE * groups.x) + 1u;
    let start = group.x * tiles * TILE;
    let end = min(start + tiles * TILE, length);

    var sum = 0u;
    for (var i = start + lane; i < end; i += LANES) {
        sum += values[i];
    }
    sum = scan(lane, sum);
    if lane == LANES - 1u {
        totals[group.x] = sum;
    }
    vyreGridSync();

    var before = 0u;
    for (var other = lane; other < group.x; other += LANES) {
        before += totals[other];
    }
    scan(lane, before);
    var carry = partial[LANES - 1u];
    for (var tile = start; tile < end; tile += TILE) {
        // Four neighboring values a lane are scanned in registers. Beyond the end stands a zero.
        let first = tile + lane * PER_LANE;
        var scanned: array<u32, PER_LANE>;
        var running = 0u;
        for (var k = 0u; k < PER_LANE; k++) {
            if first + k < end {
                running += values[first + k];
            }
            scanned[k] = running;
        }
        let left = carry + scan(lane, running) - running;
        for (var k = 0u; k < PER_LANE; k++) {
            if first + k < end {
                sums[first + k] = left + scanned[k];
            }
        }
        carry += partial[LANES - 1u];
    }
}
