//! A counter buffer of one element beside buffers of many.
//! grid: 3,1,1
//! in counter = [3]
//! in data = [0, 5, 1, 6, 2, 7, 3, 8, 4, 0, 5, 1]
//! in result = zeros 12
//! out counter = [8]
//! out result = [8, 16, 24, 32, 40, 48, 56, 64, 72, 80, 88, 96]

@group(0) @binding(0) var<storage, read_write> counter: atomic<u32>;
@group(0) @binding(1) var<storage, read> data: array<u32>;
@group(0) @binding(2) var<storage, read_write> result: array<u32>;

fn vyreGridSync() {}

@compute @workgroup_size(4)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let i = id.x;
    if data[i] >= 5u {
        atomicAdd(&counter, 1u);
    }
    vyreGridSync();
    result[i] = atomicLoad(&counter) * (i + 1u);
}
