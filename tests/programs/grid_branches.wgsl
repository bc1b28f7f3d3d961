//! Grid syncs in an `if` and in the cases of a `switch` whose conditions are the same for the whole grid.
//! grid: 3,1,1
//! in data = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]
//! in modes = [2, 0, 1, 7]
//! out data = [210, 178, 194, 210, 178, 194, 210, 178, 194, 210, 178, 194]

@group(0) @binding(0) var<storage, read_write> data: array<u32>;
@group(0) @binding(1) var<uniform> modes: vec4<u32>;

fn vyreGridSync() {}

@compute @workgroup_size(4)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let i = id.x;
    for (var t = 0u; t < 4u; t++) {
        let mode = modes[t];
        switch mode {
            case 0u: {
                let next = data[(i + 1u) % 12u];
                vyreGridSync();
                data[i] = next + 10u;
            }
            case 1u: {
                let other = data[(i + 2u) % 12u];
                vyreGridSync();
                data[i] = other * 2u;
                vyreGridSync();
                let far = data[(i + 3u) % 12u];
                vyreGridSync();
                data[i] = (data[i] + far) % 1000u;
            }
            case 2u: {
                data[i] += 1u;
            }
            default: {
                let other = data[(i + 11u) % 12u];
                vyreGridSync();
                data[i] = other ^ 5u;
            }
        }
        vyreGridSync();
        if mode >= 2u {
            let sum = data[(i + 6u) % 12u] + data[i];
            vyreGridSync();
            data[i] = sum;
            vyreGridSync();
        }
    }
}
