//! Atomic operations on both sides of a grid sync happen once; what they left before is seen by all after.
//! grid: 3,1,1
//! in sums = [0, 5, 0]
//! in result = zeros 12
//! out sums = [78, 473, 77]
//! out result = [78, 79, 80, 81, 82, 83, 84, 85, 86, 87, 88, 89]

@group(0) @binding(0) var<storage, read_write> sums: array<atomic<u32>, 3>;
@group(0) @binding(1) var<storage, read_write> result: array<u32>;

fn vyreGridSync() {}

@compute @workgroup_size(4)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let i = id.x;
    atomicAdd(&sums[0], i + 1u);
    vyreGridSync();
    let total = atomicLoad(&sums[0]);
    if i % 2u == 0u {
        atomicAdd(&sums[1], total);
    }
    atomicMax(&sums[2], total - 1u);
    result[i] = total + i;
}
