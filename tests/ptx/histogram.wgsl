//! Atomics whose result nobody takes are reductions in global memory.
//! has REDG
//! has ATOMS
//! lacks ATOMG

@group(0) @binding(0) var<storage, read> data: array<u32>;
@group(0) @binding(1) var<storage, read_write> counts: array<atomic<u32>, 256>;

var<workgroup> own: array<atomic<u32>, 256>;

@compute @workgroup_size(256)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    if id.x < arrayLength(&data) { atomicAdd(&own[data[id.x] & 255u], 1u); }
    workgroupBarrier();
    atomicAdd(&counts[local], atomicLoad(&own[local]));
}
