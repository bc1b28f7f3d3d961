//! Atomics on f32 in storage, an extension of naga: add, sub, exchange, load and store; the sums are exact in any order.
//! grid: 4,1,1
//! in cells = [1.0, 2.0, 3.0, 4.0]
//! out cells = [505.0, -94.0, -7.5, -15.0]
//! out old = [3.0, -8.0]

@group(0) @binding(0) var<storage, read_write> cells: array<atomic<f32>, 4>;
@group(0) @binding(1) var<storage, read_write> old: array<f32, 2>;

@compute @workgroup_size(16)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    atomicAdd(&cells[0], f32(id.x) * 0.25);
    atomicSub(&cells[1], 1.5);
    if id.x == 5u {
        old[0] = atomicExchange(&cells[2], -8.0);
        old[1] = atomicAdd(&cells[2], 0.5);
        atomicStore(&cells[3], atomicLoad(&cells[2]) * 2.0);
    }
}
