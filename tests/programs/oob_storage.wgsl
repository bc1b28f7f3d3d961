//! Storage out of bounds, with signed, unsigned, huge and negative indices: loads give zero, stores are dropped.
//! in target_list = [1, 2, 3, 4]
//! in at = [0, 3, 4, -1, 1000000, -2147483648]
//! in runtime_list = [10, 20, 30, 40, 50, 60, 70, 80]
//! out target_list = [150, 2, 3, 151]
//! out runtime_list = [71, 70, 30, 40, 50, 60, 72, 71]
//! out loaded = [1, 20, 10, _, 4, 80, 70, _, 0, 0, 0, _, 0, 0, 0, _, 0, 0, 0, _, 0, 0, 0, _]

@group(0) @binding(0) var<storage, read_write> target_list: array<u32, 4>;
@group(0) @binding(1) var<storage, read> at: array<i32, 6>; // indices unknown to the compiler
@group(0) @binding(2) var<storage, read_write> runtime_list: array<vec2<u32>>;
@group(0) @binding(3) var<storage, read_write> loaded: array<vec3<u32>, 6>;

@compute @workgroup_size(1)
fn main() {
    for (var i = 0u; i < 6u; i++) {
        loaded[i] = vec3<u32>(target_list[at[i]], runtime_list[u32(at[i])].y, runtime_list[at[i]].x);
    }
    for (var i = 0u; i < 6u; i++) {
        target_list[at[i]] = 50u + i;
        target_list[u32(at[i])] += 100u;
        runtime_list[at[i]] = vec2<u32>(70u + i);
        runtime_list[at[i]].x += 1u;
    }
}
