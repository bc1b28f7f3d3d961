// How often each of the 256 byte values occurs: into workgroup memory first, from there into the result.

@group(0) @binding(0) var<storage, read> data: array<u32>;
@group(0) @binding(1) var<storage, read_write> counts: array<atomic<u32>, 256>;

var<workgroup> own: array<atomic<u32>, 256>;

@compute @workgroup_size(256)
fn main(
    @builtin(global_invocation_id) id: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
    @builtin(num_workgroups) groups: vec3<u32>,
) {
    let words = arrayLength(&data);
    for (var i = id.x; i < words; i += groups.x * 256u) {
        let word = data[i];
        for (var k = 0u; k < 4u; k++) {
            atomicAdd(&own[(word >> (8u * k)) & 0xffu], 1u);
        }
    }
    workgroupBarrier();
    atomicAdd(&counts[local], atomicLoad(&own[local]));
}
