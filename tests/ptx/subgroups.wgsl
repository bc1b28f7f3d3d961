//! What invocations of a subgroup tell each other goes through registers.
//! has SHFL
//! has VOTE
//! has REDUX
//! lacks LDL
//! lacks STL

@group(0) @binding(0) var<storage, read> data: array<u32>;
@group(0) @binding(1) var<storage, read_write> results: array<u32>;

@compute @workgroup_size(128)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let x = data[id.x];
    let next = subgroupShuffleXor(x, 1u);
    let sum = subgroupAdd(x);
    let odd = subgroupBallot((x & 1u) == 1u).x;
    results[id.x] = next ^ sum ^ odd;
}
