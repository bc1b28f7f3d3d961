//! Loads after stores that may or may not hit the same element, through different paths to the same buffer.
//! in at = [2, 2, 3, 0]
//! in result = zeros 8
//! out result = [0, 0, 25, 30, 20, 50, 2025, 7100]

@group(0) @binding(0) var<storage, read_write> result: array<u32>;

@group(0) @binding(1) var<storage, read> at: array<u32, 4>;

var<private> list: array<u32, 4>;

fn touch(k: u32) -> u32 {
    list[k] += 1u;
    return list[at[1]];
}

@compute @workgroup_size(1)
fn main() {
    let a = at[0]; // 2
    let b = at[1]; // 2 as well
    let c = at[2]; // 3
    result[a] = 10u;
    result[b] = 20u;
    result[4] = result[a];
    result[c] = 30u;
    result[5] = result[b] + result[c];
    let before = result[a];
    result[b] += 5u;
    result[6] = before * 100u + result[a];
    list[b] = 7u;
    let p = list[2];
    list[a] = 8u;
    result[7] = p * 1000u + touch(a) * 10u + touch(c) + list[3];
}
