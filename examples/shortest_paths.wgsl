// Shortest paths from one vertex with a work queue: an item is a vertex whose distance has become smaller.
//
//   vyre run examples/shortest_paths.wgsl --items [0] --set offsets=[0,2,4,5,5] --set targets=[1,2,2,3,3] --set weights=[7,1,1,2,9] --set distances=[0,4294967295,4294967295,4294967295] --out distances=-

@group(0) @binding(0) var<storage, read> offsets: array<u32>; // the edges of vertex v are offsets[v] .. offsets[v + 1]
@group(0) @binding(1) var<storage, read> targets: array<u32>;
@group(0) @binding(2) var<storage, read> weights: array<u32>;
@group(0) @binding(3) var<storage, read_write> distances: array<atomic<u32>>;

fn vyreItem() -> u32 { return 0u; }
fn vyrePush(vertex: u32) {}

@compute @workgroup_size(64)
fn relax() {
    let vertex = vyreItem();
    let distance = atomicLoad(&distances[vertex]);
    let end = offsets[vertex + 1u];
    for (var edge = offsets[vertex]; edge < end; edge++) {
        let target_vertex = targets[edge];
        let next = distance + weights[edge];
        if atomicLoad(&distances[target_vertex]) > next && atomicMin(&distances[target_vertex], next) > next {
            vyrePush(target_vertex);
        }
    }
}
