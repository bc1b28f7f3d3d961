//! What was loaded before a grid sync stays what it was, although others overwrite the buffer after it.
//! grid: 3,1,1
//! in data = [3, 10, 17, 24, 31, 38, 45, 2, 9, 16, 23, 30]
//! in result = zeros 12
//! out data = [100, 101, 102, 103, 104, 105, 106, 107, 108, 109, 110, 111]
//! out result = [183, 198, 113, 128, 143, 146, 161, 108, 123, 138, 153, 168]

@group(0) @binding(0) var<storage, read_write> data: array<u32>;
@group(0) @binding(1) var<storage, read_write> result: array<u32>;

fn vyreGridSync() {}

@compute @workgroup_size(4)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let i = id.x;
    let before = data[(i + 5u) % 12u];
    vyreGridSync();
    data[i] = 100u + i;
    result[i] = before * 2u;
    vyreGridSync();
    result[i] += data[(i + 7u) % 12u];
}
