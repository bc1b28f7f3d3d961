//! Vector components and matrix columns out of bounds: loads give zero, stores are dropped.
//! in v = [1, 2, 3, 4]
//! in at = [0, 3, 4, -1, 2, 77]
//! in m = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]
//! out v = [100, 408, 104, 101]
//! out m = [1.5, 50.0, 3.0, 4.0, 5.0, 50.0]
//! out loaded = [1, 4, 0, 0, 3, 0, 7, 0, 0, 0, 9, 0]
//! out columns = [1.0, 2.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 5.0, 6.0, 0.0, 0.0]

@group(0) @binding(0) var<storage, read_write> v: vec4<u32>;
@group(0) @binding(1) var<storage, read> at: array<i32, 6>; // indices unknown to the compiler
@group(0) @binding(2) var<storage, read_write> m: mat3x2<f32>;
@group(0) @binding(3) var<storage, read_write> loaded: array<u32, 12>;
@group(0) @binding(4) var<storage, read_write> columns: array<vec2<f32>, 6>;

@compute @workgroup_size(1)
fn main() {
    var local = vec3<u32>(7u, 8u, 9u);
    for (var i = 0u; i < 6u; i++) {
        loaded[i] = v[at[i]];
        loaded[6u + i] = local[u32(at[i])];
        columns[i] = m[at[i]];
    }
    for (var i = 0u; i < 6u; i++) {
        v[at[i]] = 100u + i;
        local[at[i]] = 200u;
        m[at[i]].y = 50.0;
        m[0][at[i]] += 0.5;
    }
    v.y = local.x + local.y + local.z;
}
