//! Variables declared in a loop body start anew, as zero or as their initializer, in every round.
//! in result = zeros 4
//! out result = [1064, 2064, 2064, 2064]

@group(0) @binding(0) var<storage, read_write> result: array<u32>;

@compute @workgroup_size(4)
fn main(@builtin(local_invocation_index) i: u32) {
    var total = 0u;
    for (var round = 0u; round < 5u; round++) {
        var list: array<u32, 4>;
        var count = 10u;
        var pair: vec2<u32>;
        for (var k = 0u; k < 4u; k++) {
            total += list[k] + pair.y; // always zero
        }
        list[(round + i) % 4u] = 1000u;
        pair.y = 500u;
        count += round;
        total += count;
        if round == i {
            continue;
        }
        list[i] += 1u;
        total += list[i];
    }
    result[i] = total;
}
