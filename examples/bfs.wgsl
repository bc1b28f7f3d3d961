// Breadth-first search with a work queue: an item is a vertex whose depth has become smaller.
//
//   vyre run examples/bfs.wgsl --items [0] --set offsets=[0,2,4,5,6,6] --set targets=[1,2,0,3,3,4] --set depths=[0,9,9,9,9] --out depths=-
//
// `depths` starts as 0 for the source and any larger number than there are vertices elsewhere.

@group(0) @binding(0) var<storage, read> offsets: array<u32>; // the edges of vertex v are offsets[v] .. offsets[v + 1]
@group(0) @binding(1) var<storage, read> targets: array<u32>;
@group(0) @binding(2) var<storage, read_write> depths: array<atomic<u32>>;

fn vyreItem() -> u32 { return 0u; }
fn vyrePush(vertex: u32) {}

@compute @workgroup_size(64)
fn visit() {
    let vertex = vyreItem();
    let next = atomicLoad(&depths[vertex]) + 1u;
    let end = offsets[vertex + 1u];
    for (var edge = offsets[vertex]; edge < end; edge++) {
        let target_vertex = targets[edge];
        if atomicLoad(&depths[target_vertex]) > next && atomicMin(&depths[target_vertex], next) > next {
            vyrePush(target_vertex);
        }
    }
}
