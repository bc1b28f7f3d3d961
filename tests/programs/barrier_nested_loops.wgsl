//! Barriers in two nested uniform loops and in a uniform branch, with conditions from a uniform buffer and from workgroup_id.
//! grid: 2,1,1
//! in limits = [3, 2, 1]
//! out result = [42, 59, 32, 49, 670, 723, 644, 697]

struct Limits { outer: u32, inner: u32, extra: u32 }

@group(0) @binding(0) var<uniform> limits: Limits;
@group(0) @binding(1) var<storage, read_write> result: array<u32, 8>;

var<workgroup> ring: array<u32, 4>;

@compute @workgroup_size(4)
fn main(@builtin(local_invocation_index) i: u32, @builtin(workgroup_id) group: vec3<u32>) {
    ring[i] = i + 10u * group.x;
    workgroupBarrier();
    var log = 0u;
    for (var a = 0u; a < limits.outer + group.x; a++) {
        var b = 0u;
        while b < limits.inner {
            let left = ring[(i + 3u) % 4u];
            workgroupBarrier();
            ring[i] = left + a;
            workgroupBarrier();
            b++;
        }
        if a == limits.extra {
            ring[i] *= 2u;
            workgroupBarrier();
        }
        log = log * 3u + ring[i];
    }
    result[group.x * 4u + i] = log;
}
