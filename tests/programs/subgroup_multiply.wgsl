//! subgroupMul, and its scans, combined over the subgroups through subgroup_id and num_subgroups.
//! out result = [2326146305, 0, 0]

@group(0) @binding(0) var<storage, read_write> result: array<u32, 3>;

var<workgroup> products: array<u32, 64>;
var<workgroup> faults: atomic<u32>;

@compute @workgroup_size(64)
fn main(
    @builtin(local_invocation_index) i: u32,
    @builtin(subgroup_invocation_id) lane: u32,
    @builtin(subgroup_id) subgroup: u32,
    @builtin(num_subgroups) subgroups: u32,
) {
    let x = 2u * i + 3u; // odd, so that no product vanishes
    let product = subgroupMul(x);
    if subgroupInclusiveMul(x) != subgroupExclusiveMul(x) * x {
        atomicAdd(&faults, 1u);
    }
    if lane == 0u {
        products[subgroup] = product;
    }
    workgroupBarrier();
    if i == 0u {
        var all = 1u;
        for (var k = 0u; k < subgroups; k++) {
            all *= products[k];
        }
        result[0] = all;
        result[1] = atomicLoad(&faults);
    }
}
