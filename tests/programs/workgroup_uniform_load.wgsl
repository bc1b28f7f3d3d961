//! workgroupUniformLoad of scalars, vectors, array elements and structs, whose result may decide about barriers.
//! grid: 2,1,1
//! in result = zeros 16
//! out result = [21042, 20043, 27044, 26045, 25046, 24047, 23040, 22041, 53, 54, 55, 56, 57, 50, 51, 52]

@group(0) @binding(0) var<storage, read_write> result: array<u32>;

struct Plan { rounds: u32, offset: vec2<u32> }

var<workgroup> plan: Plan;
var<workgroup> flags: array<u32, 4>;
var<workgroup> ring: array<u32, 8>;

@compute @workgroup_size(8)
fn main(@builtin(local_invocation_index) i: u32, @builtin(workgroup_id) group: vec3<u32>) {
    if i == 3u {
        plan = Plan(2u + group.x, vec2<u32>(10u, 20u));
        flags[2] = 1u - group.x;
    }
    let p = workgroupUniformLoad(&plan);
    ring[i] = i;
    for (var r = 0u; r < p.rounds; r++) {
        workgroupBarrier();
        let next = ring[(i + 1u) % 8u];
        workgroupBarrier();
        ring[i] = next + p.offset.x;
    }
    var extra = 0u;
    if workgroupUniformLoad(&flags[2]) == 1u {
        workgroupBarrier();
        extra = 1000u * ring[7u - i];
        workgroupBarrier();
    }
    result[8u * group.x + i] = ring[i] + extra + workgroupUniformLoad(&plan.offset).y;
}
