//! A whole workgroup returns before a barrier, from a uniform condition; single invocations return after the last one.
//! grid: 4,1,1
//! in result = [7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7]
//! in limits = [3, 2, 0, 0]
//! out result = [1007, 1007, 1007, 1007, 1007, 1007, 1007, 1007, 2, 3, 7, 5, 7, 7, 7, 7]

@group(0) @binding(0) var<storage, read_write> result: array<u32>;

@group(0) @binding(1) var<uniform> limits: vec4<u32>;

var<workgroup> slots: array<u32, 4>;

@compute @workgroup_size(4)
fn main(@builtin(local_invocation_index) i: u32, @builtin(workgroup_id) group: vec3<u32>) {
    slots[i] = group.x + i;
    if group.x >= limits.x {
        return;
    }
    workgroupBarrier();
    for (var k = 0u; k < 4u; k++) {
        if k == limits.y + group.x {
            result[4u * group.x + i] += 1000u;
            return;
        }
        let next = slots[(i + 1u) % 4u];
        workgroupBarrier();
        slots[i] = next;
        workgroupBarrier();
    }
    if i == 2u {
        return;
    }
    result[4u * group.x + i] = slots[i];
}
