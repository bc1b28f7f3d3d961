//! A loop that runs until a flag in memory says that nothing changed any more.
//! grid: 3,1,1
//! in labels = [3, 8, 1, 6, 11, 4, 9, 2, 7, 0, 5, 10]
//! in changed = [0]
//! in result = zeros 12
//! out labels = [1, 1, 1, 6, 2, 2, 2, 2, 0, 0, 5, 10]
//! out changed = [0]
//! out result = [401, 401, 401, 406, 402, 402, 402, 402, 400, 400, 405, 410]

@group(0) @binding(0) var<storage, read_write> labels: array<u32>;
@group(0) @binding(1) var<storage, read_write> changed: array<atomic<u32>, 1>;
@group(0) @binding(2) var<storage, read_write> result: array<u32>;

fn vyreGridSync() {}

fn vyreGridUniform(v: u32) -> u32 {
    return v;
}

@compute @workgroup_size(4)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let i = id.x;
    var rounds = 0u;
    loop {
        if i == 0u {
            atomicStore(&changed[0], 0u);
        }
        let here = labels[i];
        var next = i + 1u;
        if i % 4u == 3u {
            next = i;
        }
        let other = labels[next % 12u];
        vyreGridSync();
        if other < here {
            labels[i] = other;
            atomicStore(&changed[0], 1u);
        }
        rounds++;
        vyreGridSync();
        if vyreGridUniform(atomicLoad(&changed[0])) == 0u {
            break;
        }
    }
    result[i] = rounds * 100u + labels[i];
}
