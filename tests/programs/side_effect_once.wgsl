//! The index function of a compound assignment is called exactly once, also for increments and for component writes.
//! in result = [0, 0, 0, 0, 100, 0]
//! out result = [15, 40, 31, 36040, 107, 5]

@group(0) @binding(0) var<storage, read_write> result: array<u32>;

var<private> calls: u32;

fn next_index() -> u32 {
    calls++;
    return calls - 1u;
}

@compute @workgroup_size(1)
fn main() {
    var list = array<u32, 4>(10u, 20u, 30u, 40u);
    list[next_index()] += 5u;   // element 0
    list[next_index()] <<= 1u;  // element 1
    list[next_index()]++;       // element 2
    var v = vec4<u32>(1u, 2u, 3u, 4u);
    v[next_index()] *= 9u;      // component 3
    result[next_index()] += 7u; // element 4
    result[0] = list[0];
    result[1] = list[1];
    result[2] = list[2];
    result[3] = v.w * 1000u + list[3];
    result[5] = calls;
}
