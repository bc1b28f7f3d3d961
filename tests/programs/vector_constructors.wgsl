//! Vector constructors from scalars and shorter vectors, splats, zero values and conversions between element types.
//! in result = zeros 9
//! out result = [1234.0, 5126.0, 1212.0, 7778.0, 0.0, 826.0, 1234.0, 9910.0, -1.0]

@group(0) @binding(0) var<storage, read_write> result: array<f32>;

fn sum(v: vec4<f32>) -> f32 {
    return v.x * 1000.0 + v.y * 100.0 + v.z * 10.0 + v.w;
}

@compute @workgroup_size(1)
fn main() {
    let xy = vec2<f32>(1.0, 2.0);
    result[0] = sum(vec4<f32>(xy, 3.0, 4.0));
    result[1] = sum(vec4<f32>(5.0, xy, 6.0));
    result[2] = sum(vec4<f32>(xy, xy));
    result[3] = sum(vec4<f32>(vec3<f32>(7.0), 8.0));
    result[4] = sum(vec4<f32>());
    result[5] = sum(vec4f(vec4i(1, -2, 3, -4)));
    result[6] = sum(vec4f(vec4u(vec4f(1.9, 2.1, 3.5, 4.999))));
    result[7] = sum(vec4(vec2(9.0), vec2f(vec2<bool>(true, false))));
    result[8] = f32(vec3i(vec3f(-1.5, 1.5, 2.5)).x);
}
