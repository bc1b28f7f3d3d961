//! Workgroup memory written before a barrier and read after it by other invocations, in several workgroups.
//! grid: 2,1,1
//! in result = zeros 32
//! out result = [225, 196, 169, 144, 121, 100, 81, 64, 49, 36, 25, 16, 9, 4, 1, 0, 1225, 1196, 1169, 1144, 1121, 1100, 1081, 1064, 1049, 1036, 1025, 1016, 1009, 1004, 1001, 1000]

@group(0) @binding(0) var<storage, read_write> result: array<u32>;

var<workgroup> slots: array<u32, 16>;

@compute @workgroup_size(16)
fn main(@builtin(local_invocation_index) lane: u32, @builtin(workgroup_id) group: vec3<u32>) {
    slots[lane] = lane * lane + 1000u * group.x;
    workgroupBarrier();
    result[group.x * 16u + lane] = slots[15u - lane];
}
