//! An early return before a loop with grid syncs, of as many rounds as a uniform buffer says, and a uniform branch in it.
//! grid: 3,1,1
//! in data = [2, 5, 8, 0, 3, 6, 9, 1, 4, 7, 10, 2]
//! in log = zeros 12
//! in result = zeros 12
//! in limits = [9, 4, 2, 0]
//! out data = [73, 55, 59, 85, 89, 66, 50, 57, 74, 7, 10, 2]
//! out log = [31, 39, 58, 55, 36, 29, 39, 48, 45, 0, 0, 0]
//! out result = [74, 75, 54, 55, 89, 90, 64, 45, 60, 0, 0, 0]

@group(0) @binding(0) var<storage, read_write> data: array<u32>;
@group(0) @binding(1) var<storage, read_write> log: array<u32>;
@group(0) @binding(2) var<storage, read_write> result: array<u32>;
@group(0) @binding(3) var<uniform> limits: vec4<u32>;

fn vyreGridSync() {}

@compute @workgroup_size(4)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let i = id.x;
    let n = limits.x;
    if i >= n {
        return;
    }
    var sum = 0u;
    var round = 0u;
    for (; round < limits.y; round++) {
        let here = data[i];
        let next = data[(i + 1u) % n];
        sum += here;
        vyreGridSync();
        data[i] = (here + next) % 101u;
        vyreGridSync();
        if round % limits.z == 0u {
            log[i] += data[(i + 2u) % n];
            vyreGridSync();
        }
    }
    result[i] = sum + round;
}
