//! A while loop with a different number of rounds in every invocation (steps of the Collatz sequence).
//! grid: 2,1,1
//! in result = zeros 32
//! out result = [0, 1, 7, 2, 5, 8, 16, 3, 19, 6, 14, 9, 9, 17, 17, 4, 12, 20, 20, 7, 7, 15, 15, 10, 23, 10, 111, 18, 18, 18, 106, 5]

@group(0) @binding(0) var<storage, read_write> result: array<u32>;

@compute @workgroup_size(16)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    var n = id.x + 1u;
    var steps = 0u;
    while n != 1u {
        n = select(n / 2u, 3u * n + 1u, n % 2u == 1u);
        steps++;
    }
    result[id.x] = steps;
}
