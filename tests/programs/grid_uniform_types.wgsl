//! Values of every type that the grid agrees on decide how often loops run.
//! grid: 3,1,1
//! in ints = [-3]
//! in floats = [0.5]
//! in words = [0]
//! in result = zeros 12
//! out ints = [2]
//! out floats = [8.0]
//! out words = [36]
//! out result = [543, 1543, 2543, 3543, 4543, 5543, 6543, 7543, 8543, 9543, 10543, 11543]

@group(0) @binding(0) var<storage, read_write> ints: array<i32>;
@group(0) @binding(1) var<storage, read_write> floats: array<f32>;
@group(0) @binding(2) var<storage, read_write> words: array<atomic<u32>, 1>;
@group(0) @binding(3) var<storage, read_write> result: array<u32>;

fn vyreGridSync() {}

fn vyreGridUniformI32(v: i32) -> i32 {
    return v;
}

fn vyreGridUniformF32(v: f32) -> f32 {
    return v;
}

fn vyreGridUniformBool(v: bool) -> bool {
    return v;
}

fn vyreGridUniformU32(v: u32) -> u32 {
    return v;
}

@compute @workgroup_size(4)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let i = id.x;
    var counts = vec3<u32>();
    while vyreGridUniformI32(ints[0]) < 2i {
        if i == 0u {
            ints[0] += 1i;
        }
        counts.x++;
        vyreGridSync();
    }
    while vyreGridUniformF32(floats[0]) != 8.0 {
        if i == 3u {
            floats[0] *= 2.0;
        }
        counts.y++;
        vyreGridSync();
    }
    // The grid's first invocation passes true three times.
    while vyreGridUniformBool(atomicLoad(&words[0]) < 30u) {
        atomicAdd(&words[0], 1u);
        counts.z++;
        vyreGridSync();
    }
    let total = vyreGridUniformU32(counts.x * 100u + counts.y * 10u + counts.z);
    result[i] = total + 1000u * i;
}
