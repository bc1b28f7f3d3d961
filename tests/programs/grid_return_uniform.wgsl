//! The whole grid returns from a branch that has a grid sync of its own.
//! grid: 3,1,1
//! in data = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]
//! in limits = [1, 0, 0, 0]
//! out data = [11001, 21011, 31021, 41031, 51041, 61051, 71061, 81071, 91081, 101091, 111101, 1111]

@group(0) @binding(0) var<storage, read_write> data: array<u32>;
@group(0) @binding(1) var<uniform> limits: vec4<u32>;

fn vyreGridSync() {}

@compute @workgroup_size(4)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let i = id.x;
    if limits.x == 1u {
        data[i] = i * 10u + 1u;
        vyreGridSync();
        let next = data[(i + 1u) % 12u];
        vyreGridSync();
        data[i] += next * 1000u;
        return;
    }
    data[i] = 5u;
    vyreGridSync();
    data[i] = data[(i + 1u) % 12u];
}
