// One level of a breadth-first search: the vertices of `now` are `depth` deep, and those found are put into `next`.

@group(0) @binding(0) var<storage, read> offsets: array<u32>;
@group(0) @binding(1) var<storage, read> targets: array<u32>;
@group(0) @binding(2) var<storage, read_write> depths: array<atomic<u32>>;
@group(0) @binding(3) var<storage, read> now: array<u32>;
@group(0) @binding(4) var<storage, read_write> next: array<u32>;
@group(0) @binding(5) var<storage, read_write> counts: array<atomic<u32>, 2>; // of `now` and of `next`

@compute @workgroup_size(64)
fn level(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x >= atomicLoad(&counts[0]) {
        return;
    }
    let vertex = now[id.x];
    let deeper = atomicLoad(&depths[vertex]) + 1u;
    let end = offsets[vertex + 1u];
    for (var edge = offsets[vertex]; edge < end; edge++) {
        let target_vertex = targets[edge];
        if atomicLoad(&depths[target_vertex]) > deeper && atomicMin(&depths[target_vertex], deeper) > deeper {
            next[atomicAdd(&counts[1], 1u)] = target_vertex;
        }
    }
}
