//! Nested loops with grid syncs: Batcher's odd-even merge sort of sixteen numbers.
//! grid: 2,1,1
//! in data = [15, 36, 9, 30, 3, 24, 45, 18, 39, 12, 33, 6, 27, 0, 21, 42]
//! out data = [0, 3, 6, 9, 12, 15, 18, 21, 24, 27, 30, 33, 36, 39, 42, 45]

@group(0) @binding(0) var<storage, read_write> data: array<u32>;

fn vyreGridSync() {}

@compute @workgroup_size(8)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let i = id.x;
    for (var p = 1u; p < 16u; p *= 2u) {
        for (var k = p; k > 0u; k /= 2u) {
            let low = k % p;
            if i >= low && (i - low) / k % 2u == 0u && i + k < 16u && i / (2u * p) == (i + k) / (2u * p) {
                let a = data[i];
                let b = data[i + k];
                data[i] = min(a, b);
                data[i + k] = max(a, b);
            }
            vyreGridSync();
        }
    }
}
