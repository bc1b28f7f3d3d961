//! Dynamic component index, read and written, in local, private, workgroup and storage vectors and in values.
//! in result = zeros 20
//! out result = [40, 43, 3, 4, 1, 30, 34, 4, 1, 2, 20, 25, 12, 2, 3, 10, 20, 25, 32, 41]

@group(0) @binding(0) var<storage, read_write> result: array<vec4<u32>, 5>;

var<private> hidden: vec4<u32>;
var<workgroup> shared_vector: vec4<u32>;

@compute @workgroup_size(4)
fn main(@builtin(local_invocation_index) i: u32) {
    let value = vec4<u32>(10u, 20u, 30u, 40u);
    var local = vec4<u32>(1u, 2u, 3u, 4u);
    local[i] = value[3u - i];
    hidden[i] = local[i] + 1u;
    shared_vector[i] = i * i;
    workgroupBarrier();
    result[i] = local;
    result[i][(i + 1u) % 4u] += hidden[i];
    if i == 0u {
        for (var k = 0; k < 4; k++) {
            result[4][k] = shared_vector[3 - k] + (value + 1u)[k];
        }
    }
}
