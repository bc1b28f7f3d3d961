//! The variables of a function are new at every call: those without an initializer start as zero again.
//! in result = zeros 6
//! out result = [1010, 1200, 1003, 1040, 1500, 2540]

@group(0) @binding(0) var<storage, read_write> result: array<u32>;

fn collect(x: u32) -> u32 {
    var list: array<u32, 3>;
    var seen: u32;
    list[x % 3u] += x;
    seen += 1u;
    return list[0] + 10u * list[1] + 100u * list[2] + 1000u * seen;
}

@compute @workgroup_size(1)
fn main() {
    result[0] = collect(1u);
    result[1] = collect(2u);
    for (var i = 2u; i < 5u; i++) {
        result[i] = collect(i + 1u);
    }
    result[5] = collect(4u) + collect(5u);
}
