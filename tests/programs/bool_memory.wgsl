//! bool in function, private and workgroup variables, in structs, arrays and vectors with dynamic indices.
//! in result = zeros 8
//! out result = [301001, 310106, 300011, 301002, 300105, 310012, 301001, 300106]

@group(0) @binding(0) var<storage, read_write> result: array<u32>;

struct Flags { ready: bool, steps: array<bool, 4>, pair: vec2<bool> }

var<private> flags: Flags;
var<private> started: bool = true;
var<workgroup> votes: array<bool, 8>;

@compute @workgroup_size(8)
fn main(@builtin(local_invocation_index) i: u32) {
    var seen: array<bool, 8>;
    var triple: vec3<bool>;
    seen[i] = true;
    triple[i % 3u] = seen[7u - i] || started;
    flags.steps[i & 3u] = true;
    flags.pair[i & 1u] = !flags.ready;
    flags.ready = started && flags.steps[1];
    votes[i] = i % 3u == 0u;
    workgroupBarrier();
    var count = 0u;
    for (var k = 0u; k < 8u; k++) {
        count += u32(votes[k]);
    }
    result[i] = count * 100000u + u32(flags.ready) * 10000u
        + u32(triple.x) * 1000u + u32(triple.y) * 100u + u32(triple.z) * 10u
        + u32(flags.pair.x) + 2u * u32(flags.pair.y) + 4u * u32(votes[7u - i]);
}
