//! Ten thousand small workgroups in three dimensions.
//! grid: 20,25,20
//! out counters = [40000, 380000, 980000, 394919]

@group(0) @binding(0) var<storage, read_write> counters: array<atomic<u32>, 4>;

@compute @workgroup_size(2, 2)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(global_invocation_id) id: vec3<u32>) {
    atomicAdd(&counters[0], 1u);
    atomicAdd(&counters[1], group.x);
    atomicAdd(&counters[2], id.y);
    atomicMax(&counters[3], id.x * 10000u + id.y * 100u + id.z);
}
