//! Column access with constant and dynamic indices, read and written, down to single elements, in local, private, storage and uniform matrices.
//! in given = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]
//! out result = [1.0, 102.0, 0.5, 8.0, 15.0, 118.0, 1118.0, 15.0, 1008.0, 0.5, 1102.0, 1.0]
//! out picked = [2.0, 4.0, -1.0, 7.0, 4.0, 0.0]

@group(0) @binding(0) var<storage, read_write> result: array<mat3x2<f32>, 2>;
@group(0) @binding(1) var<uniform> given: mat2x4<f32>;
@group(0) @binding(2) var<storage, read_write> picked: array<f32, 6>;

var<private> hidden: mat2x2<f32> = mat2x2<f32>(1.0, 2.0, 3.0, 4.0);

@compute @workgroup_size(1)
fn main() {
    var m = mat3x2<f32>(vec2<f32>(1.0, 2.0), vec2<f32>(3.0, 4.0), vec2<f32>(5.0, 6.0));
    for (var i = 0u; i < 3u; i++) {
        m[i] *= f32(i + 1u);
        m[i][1u - i % 2u] += 100.0;
    }
    m[1].x = 0.5;
    result[0] = m;
    for (var i = 0; i < 3; i++) {
        result[1][i] = m[2 - i].yx;
        result[1][i][0] += 1000.0;
    }
    hidden[1] = hidden[0] + hidden[1];
    let i = u32(hidden[0].x); // 1
    hidden[i][i] = -1.0;
    picked[0] = hidden[0][1];
    picked[1] = hidden[1][0];
    picked[2] = hidden[1][1];
    picked[3] = given[i].z;
    picked[4] = given[i - 1u][i + 2u];
    picked[5] = (hidden * hidden)[i].x;
}
