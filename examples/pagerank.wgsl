// PageRank: how important each vertex of a graph is, in one launch.
//
//   vyre run examples/pagerank.wgsl --threads 4 --set offsets=[0,1,2,5,5] --set sources=[2,0,0,1,3] \
//       --set degrees=[2,1,1,1] --set ranks=zeros:4 --set shares=zeros:4 --set progress=zeros:2 --out ranks=-
//
// The graph is given by the edges that lead to each vertex: those to vertex v come from sources[offsets[v]] to
// sources[offsets[v + 1] - 1]. degrees[v] is the number of edges that leave v. In each round a vertex shares its rank
// among the edges that leave it and gets what comes in, until no rank changes by more than the tolerance (Brin and Page,
// 1998). The ranks of vertices that no edge leaves are lost, as in the GAP benchmark suite. Sums are made in the order of
// the edges, so each run gives the same. A grid of any size does.

override damping: f32 = 0.85;
override tolerance: f32 = 0.000001;
override max_rounds: u32 = 200u;

struct Progress {
    // The bits of the largest change of this round. Of numbers that are not negative the larger one has the larger bits.
    change: atomic<u32>,
    // Rounds that were made.
    rounds: u32,
}

@group(0) @binding(0) var<storage, read> offsets: array<u32>;
@group(0) @binding(1) var<storage, read> sources: array<u32>;
@group(0) @binding(2) var<storage, read> degrees: array<u32>;
@group(0) @binding(3) var<storage, read_write> ranks: array<f32>;
@group(0) @binding(4) var<storage, read_write> shares: array<f32>;
@group(0) @binding(5) var<storage, read_write> progress: Progress;

// Waits until all invocations of the grid are here and sees what they have written. See docs/grid-sync.md.
fn vyreGridSync() {}

// The same, and gives all of them what invocation 0 has: a loop may depend on that.
fn vyreGridUniform(v: f32) -> f32 {
    return v;
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let n = arrayLength(&ranks);
    let threads = groups.x * 64u;
    for (var v = id.x; v < n; v += threads) {
        ranks[v] = 1.0 / f32(n);
    }

    var round = 0u;
    loop {
        round++;
        // Each invocation goes over the same vertices again and again, so it needs no sync to see their ranks. All have
        // read the change of the round before when it is cleared.
        for (var v = id.x; v < n; v += threads) {
            shares[v] = ranks[v] / f32(max(degrees[v], 1u));
        }
        if id.x == 0u {
            atomicStore(&progress.change, 0u);
        }
        vyreGridSync();

        for (var v = id.x; v < n; v += threads) {
            var sum = 0.0;
            for (var e = offsets[v]; e < offsets[v + 1u]; e++) {
                sum += shares[sources[e]];
            }
            let rank = (1.0 - damping) / f32(n) + damping * sum;
            atomicMax(&progress.change, bitcast<u32>(abs(rank - ranks[v])));
            ranks[v] = rank;
        }
        vyreGridSync(); // the change is that of all vertices
        let change = vyreGridUniform(bitcast<f32>(atomicLoad(&progress.change)));
        if change <= tolerance || round == max_rounds {
            break;
        }
    }
    if id.x == 0u {
        progress.rounds = round;
    }
}
