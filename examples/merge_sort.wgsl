// Sorts any number of keys with Batcher's odd-even merge sort, in one launch.
//
//   vyre run examples/merge_sort.wgsl --threads 4096 --set keys=random:1:100000 --out keys=-
//
// Keys are compared and exchanged at distances that do not depend on them, in log2(n) * (log2(n) + 1) / 2 steps; all
// pairs of a step are apart, so that invocations take them in any order. This is Batcher's network as in Knuth, The Art of
// Computer Programming, volume 3, algorithm 5.2.2M, which also sorts a number of keys that is no power of two. A grid of
// any size does.

@group(0) @binding(0) var<storage, read_write> keys: array<u32>;

// Waits until all invocations of the grid are here and sees what they have written. See docs/grid-sync.md.
fn vyreGridSync() {}

@compute @workgroup_size(256)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let n = arrayLength(&keys);
    let threads = groups.x * 256u;
    var top = 1u; // the highest power of two below n
    while 2u * top < n {
        top *= 2u;
    }

    for (var p = top; p > 0u; p /= 2u) {
        var q = top;
        var r = 0u;
        var distance = p;
        loop {
            for (var i = id.x; i + distance < n; i += threads) {
                if (i & p) == r {
                    let low = keys[i];
                    let high = keys[i + distance];
                    keys[i] = min(low, high);
                    keys[i + distance] = max(low, high);
                }
            }
            vyreGridSync();
            if q == p {
                break;
            }
            distance = q - p;
            q /= 2u;
            r = p;
        }
    }
}
