//! Uniform layout: a scalar in the gap behind a vec3, an array of stride 16, a nested struct, and matrices.
//! in p = [1.5, 0.0, 0.0, 0.0, 2.0, 3.0, 4.0, 5.0, 10.0, 11.0, 12.0, 13.0, 20.0, 21.0, 22.0, 23.0, 6.0, 7.0, 8.0, 9.0, 1.0, 2.0, 3.0, 4.0, 31.0, 32.0, 33.0, 0.0, 34.0, 35.0, 36.0, 0.0, 37.0, 38.0, 39.0, 0.0]
//! out result = [1.5, 2.0, 3.0, 4.0, 5.0, 23.0, 43.0, 8.0, 9.0, 31.0, 42.0, 31.0, 32.0, 33.0, 34.0, 35.0, 36.0, 37.0, 38.0, 39.0]

struct Light { direction: vec3<f32>, power: f32 }
struct Parameters {
    scale: f32,                  // offset 0
    offset: vec3<f32>,           // offset 16
    shift: f32,                  // offset 28
    weights: array<vec4<f32>, 2>,// offset 32
    light: Light,                // offset 64
    turn: mat2x2<f32>,           // offset 80
    frame: mat3x3<f32>,          // offset 96, columns 16 bytes apart
}

@group(0) @binding(0) var<uniform> p: Parameters;
@group(0) @binding(1) var<storage, read_write> result: array<f32, 20>;

@compute @workgroup_size(1)
fn main() {
    result[0] = p.scale;
    result[1] = p.offset.x;
    result[2] = p.offset.y;
    result[3] = p.offset.z;
    result[4] = p.shift;
    for (var i = 0u; i < 2u; i++) {
        result[5u + i] = p.weights[i].x + p.weights[i].w;
    }
    result[7] = p.light.direction.z;
    result[8] = p.light.power;
    let turned = p.turn * vec2<f32>(1.0, 10.0);
    result[9] = turned.x;
    result[10] = turned.y;
    for (var c = 0u; c < 3u; c++) {
        for (var r = 0u; r < 3u; r++) {
            result[11u + 3u * c + r] = p.frame[c][r];
        }
    }
}
