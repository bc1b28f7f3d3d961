//! A loop with grid syncs that carries a value of each invocation and one that is the same for all.
//! grid: 3,1,1
//! in a = [0, 1, 2, 3, 4, 0, 1, 2, 3, 4, 0, 1]
//! in b = zeros 12
//! in result = zeros 12
//! out a = [38, 3, 38, 18, 96, 96, 61, 41, 72, 50, 10, 90]
//! out b = [74, 94, 4, 11, 88, 94, 39, 65, 33, 51, 55, 66]
//! out result = [580989, 580435, 580837, 580378, 580410, 580902, 580868, 580131, 580768, 580261, 580523, 580432]

@group(0) @binding(0) var<storage, read_write> a: array<u32>;
@group(0) @binding(1) var<storage, read_write> b: array<u32>;
@group(0) @binding(2) var<storage, read_write> result: array<u32>;

fn vyreGridSync() {}

@compute @workgroup_size(4)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let i = id.x;
    var own = i;
    var scale = 1u;
    for (var t = 0u; t < 5u; t++) {
        var value = 0u;
        if t % 2u == 0u {
            value = (a[(i + 11u) % 12u] + a[(i + 1u) % 12u] * scale) % 97u;
            b[i] = value;
        } else {
            value = (b[(i + 11u) % 12u] + b[(i + 1u) % 12u] * scale) % 97u;
            a[i] = value;
        }
        own = (own * 3u + value) % 1009u;
        scale = scale * 2u + t;
        vyreGridSync();
    }
    result[i] = own + scale * 10000u;
}
