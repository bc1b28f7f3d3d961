//! Control flow that is uniform in less obvious ways may contain barriers.
//! grid: 2,1,1
//! in settings = [1, 1]
//! in table = [3, 9, 0, 0]
//! out result = [1060, 2060, 3060, 60, 164, 1164, 2164, 3164]

struct Settings { rounds: u32, mode: u32 }

@group(0) @binding(0) var<uniform> settings: Settings;
@group(0) @binding(1) var<storage, read> table: array<u32, 4>;
@group(0) @binding(2) var<storage, read_write> result: array<u32, 8>;

override steps: u32 = 2u;

var<workgroup> slots: array<u32, 4>;

fn rotate(i: u32, by: u32) -> u32 {
    workgroupBarrier();
    let x = slots[(i + by) % 4u];
    workgroupBarrier();
    return x;
}

@compute @workgroup_size(4)
fn main(@builtin(local_invocation_index) i: u32, @builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    slots[i] = 10u * i + group.x;
    let uniform_value = settings.rounds * groups.x + steps;
    var count = 0u;
    var x = 0u;
    while count < uniform_value {
        x += rotate(i, count);
        count += 1u;
    }
    switch settings.mode {
        case 1u: {
            x += 100u * rotate(i, 1u);
        }
        default: {
            workgroupBarrier();
        }
    }
    if table[group.x] > 5u && small_enough() {
        slots[i] = x;
        x = rotate(i, 3u);
    }
    result[4u * group.x + i] = x;
}

fn small_enough() -> bool {
    return steps < 100u;
}
