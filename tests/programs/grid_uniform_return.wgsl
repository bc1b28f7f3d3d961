//! Those that returned pass nothing to what the grid agrees on.
//! grid: 3,1,1
//! in data = [3, 1, 4, 1, 5, 9, 2, 9, 9, 9, 9, 9]
//! in top = [0]
//! in result = zeros 12
//! in limits = [7, 0, 0, 0]
//! out data = [0, 0, 0, 0, 0, 0, 0, 9, 9, 9, 9, 9]
//! out top = [0]
//! out result = [5, 5, 5, 5, 5, 5, 5, 0, 0, 0, 0, 0]

@group(0) @binding(0) var<storage, read_write> data: array<u32>;
@group(0) @binding(1) var<storage, read_write> top: array<atomic<u32>, 1>;
@group(0) @binding(2) var<storage, read_write> result: array<u32>;
@group(0) @binding(3) var<uniform> limits: vec4<u32>;

fn vyreGridSync() {}

fn vyreGridUniform(v: u32) -> u32 {
    return v;
}

@compute @workgroup_size(4)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let i = id.x;
    if i >= limits.x {
        return;
    }
    var steps = 0u;
    loop {
        if i == 0u {
            atomicStore(&top[0], 0u);
        }
        vyreGridSync();
        atomicMax(&top[0], data[i]);
        vyreGridSync();
        steps++;
        if vyreGridUniform(atomicLoad(&top[0])) == 0u {
            break;
        }
        data[i] /= 2u;
    }
    result[i] = steps;
}
