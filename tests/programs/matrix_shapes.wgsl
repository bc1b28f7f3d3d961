//! All nine matrix shapes: addition, subtraction, scaling, transpose, matrix times vector and vector times matrix. All values are small integers or halves.
//! in result = zeros 36
//! out result = [0.0, 6.0, -10.0, 18.0, 52.5, 19.0, 99.0, 27.0, 122.5, 41.0, 137.0, 85.0, 145.0, 31.0, 1009.0, 31.0, 130.0, 34.0, 65.0, 55.0, 255.0, 73.0, 1730.0, 129.0, 55.0, 11.0, 942.0, 10.0, 345.0, 85.0, 16514.0, 96.0, 285.0, 88.0, 3112.0, 117.0]

@group(0) @binding(0) var<storage, read_write> result: array<f32>;

var<private> next: u32;

fn put(x: f32) {
    result[next] = x;
    next++;
}

// 2 columns of 2 rows: sum, difference, scaling, transpose and both products with vectors.
fn shape_2x2() {
    let m = mat2x2<f32>(2.0, 4.0, -2.0, 0.0);
    let t = (m + m * 2.0) - 0.5 * m;
    let v = m * vec2<f32>(1.0, 2.0);
    let w = vec2<f32>(1.0, 2.0) * m;
    let n = transpose(m);
    put(t[0].x * 1.0 + t[0].y * 2.0 + t[1].x * 5.0 + t[1].y * 6.0);
    put(v.x * 1.0 + v.y * 2.0);
    put(w.x * 1.0 + w.y * 10.0);
    put(n[0].x * 1.0 + n[0].y * 2.0 + n[1].x * 5.0 + n[1].y * 6.0);
}

// 2 columns of 3 rows: sum, difference, scaling, transpose and both products with vectors.
fn shape_2x3() {
    let m = mat2x3<f32>(3.0, -2.0, 0.0, -1.0, 1.0, 3.0);
    let t = (m + m * 2.0) - 0.5 * m;
    let v = m * vec2<f32>(1.0, 2.0);
    let w = vec3<f32>(1.0, 2.0, 3.0) * m;
    let n = transpose(m);
    put(t[0].x * 1.0 + t[0].y * 2.0 + t[0].z * 3.0 + t[1].x * 5.0 + t[1].y * 6.0 + t[1].z * 7.0);
    put(v.x * 1.0 + v.y * 2.0 + v.z * 3.0);
    put(w.x * 1.0 + w.y * 10.0);
    put(n[0].x * 1.0 + n[0].y * 2.0 + n[1].x * 5.0 + n[1].y * 6.0 + n[2].x * 9.0 + n[2].y * 10.0);
}

// 2 columns of 4 rows: sum, difference, scaling, transpose and both products with vectors.
fn shape_2x4() {
    let m = mat2x4<f32>(4.0, -1.0, 1.0, 3.0, 0.0, 2.0, 4.0, -1.0);
    let t = (m + m * 2.0) - 0.5 * m;
    let v = m * vec2<f32>(1.0, 2.0);
    let w = vec4<f32>(1.0, 2.0, 3.0, 4.0) * m;
    let n = transpose(m);
    put(t[0].x * 1.0 + t[0].y * 2.0 + t[0].z * 3.0 + t[0].w * 4.0 + t[1].x * 5.0 + t[1].y * 6.0 + t[1].z * 7.0 + t[1].w * 8.0);
    put(v.x * 1.0 + v.y * 2.0 + v.z * 3.0 + v.w * 4.0);
    put(w.x * 1.0 + w.y * 10.0);
    put(n[0].x * 1.0 + n[0].y * 2.0 + n[1].x * 5.0 + n[1].y * 6.0 + n[2].x * 9.0 + n[2].y * 10.0 + n[3].x * 13.0 + n[3].y * 14.0);
}

// 3 columns of 2 rows: sum, difference, scaling, transpose and both products with vectors.
fn shape_3x2() {
    let m = mat3x2<f32>(3.0, -2.0, -1.0, 1.0, 2.0, 4.0);
    let t = (m + m * 2.0) - 0.5 * m;
    let v = m * vec3<f32>(1.0, 2.0, 3.0);
    let w = vec2<f32>(1.0, 2.0) * m;
    let n = transpose(m);
    put(t[0].x * 1.0 + t[0].y * 2.0 + t[1].x * 5.0 + t[1].y * 6.0 + t[2].x * 9.0 + t[2].y * 10.0);
    put(v.x * 1.0 + v.y * 2.0);
    put(w.x * 1.0 + w.y * 10.0 + w.z * 100.0);
    put(n[0].x * 1.0 + n[0].y * 2.0 + n[0].z * 3.0 + n[1].x * 5.0 + n[1].y * 6.0 + n[1].z * 7.0);
}

// 3 columns of 3 rows: sum, difference, scaling, transpose and both products with vectors.
fn shape_3x3() {
    let m = mat3x3<f32>(4.0, -1.0, 1.0, 0.0, 2.0, 4.0, 3.0, -2.0, 0.0);
    let t = (m + m * 2.0) - 0.5 * m;
    let v = m * vec3<f32>(1.0, 2.0, 3.0);
    let w = vec3<f32>(1.0, 2.0, 3.0) * m;
    let n = transpose(m);
    put(t[0].x * 1.0 + t[0].y * 2.0 + t[0].z * 3.0 + t[1].x * 5.0 + t[1].y * 6.0 + t[1].z * 7.0 + t[2].x * 9.0 + t[2].y * 10.0 + t[2].z * 11.0);
    put(v.x * 1.0 + v.y * 2.0 + v.z * 3.0);
    put(w.x * 1.0 + w.y * 10.0 + w.z * 100.0);
    put(n[0].x * 1.0 + n[0].y * 2.0 + n[0].z * 3.0 + n[1].x * 5.0 + n[1].y * 6.0 + n[1].z * 7.0 + n[2].x * 9.0 + n[2].y * 10.0 + n[2].z * 11.0);
}

// 3 columns of 4 rows: sum, difference, scaling, transpose and both products with vectors.
fn shape_3x4() {
    let m = mat3x4<f32>(-2.0, 0.0, 2.0, 4.0, 1.0, 3.0, -2.0, 0.0, 4.0, -1.0, 1.0, 3.0);
    let t = (m + m * 2.0) - 0.5 * m;
    let v = m * vec3<f32>(1.0, 2.0, 3.0);
    let w = vec4<f32>(1.0, 2.0, 3.0, 4.0) * m;
    let n = transpose(m);
    put(t[0].x * 1.0 + t[0].y * 2.0 + t[0].z * 3.0 + t[0].w * 4.0 + t[1].x * 5.0 + t[1].y * 6.0 + t[1].z * 7.0 + t[1].w * 8.0 + t[2].x * 9.0 + t[2].y * 10.0 + t[2].z * 11.0 + t[2].w * 12.0);
    put(v.x * 1.0 + v.y * 2.0 + v.z * 3.0 + v.w * 4.0);
    put(w.x * 1.0 + w.y * 10.0 + w.z * 100.0);
    put(n[0].x * 1.0 + n[0].y * 2.0 + n[0].z * 3.0 + n[1].x * 5.0 + n[1].y * 6.0 + n[1].z * 7.0 + n[2].x * 9.0 + n[2].y * 10.0 + n[2].z * 11.0 + n[3].x * 13.0 + n[3].y * 14.0 + n[3].z * 15.0);
}

// 4 columns of 2 rows: sum, difference, scaling, transpose and both products with vectors.
fn shape_4x2() {
    let m = mat4x2<f32>(4.0, -1.0, 0.0, 2.0, 3.0, -2.0, -1.0, 1.0);
    let t = (m + m * 2.0) - 0.5 * m;
    let v = m * vec4<f32>(1.0, 2.0, 3.0, 4.0);
    let w = vec2<f32>(1.0, 2.0) * m;
    let n = transpose(m);
    put(t[0].x * 1.0 + t[0].y * 2.0 + t[1].x * 5.0 + t[1].y * 6.0 + t[2].x * 9.0 + t[2].y * 10.0 + t[3].x * 13.0 + t[3].y * 14.0);
    put(v.x * 1.0 + v.y * 2.0);
    put(w.x * 1.0 + w.y * 10.0 + w.z * 100.0 + w.w * 1000.0);
    put(n[0].x * 1.0 + n[0].y * 2.0 + n[0].z * 3.0 + n[0].w * 4.0 + n[1].x * 5.0 + n[1].y * 6.0 + n[1].z * 7.0 + n[1].w * 8.0);
}

// 4 columns of 3 rows: sum, difference, scaling, transpose and both products with vectors.
fn shape_4x3() {
    let m = mat4x3<f32>(-2.0, 0.0, 2.0, 1.0, 3.0, -2.0, 4.0, -1.0, 1.0, 0.0, 2.0, 4.0);
    let t = (m + m * 2.0) - 0.5 * m;
    let v = m * vec4<f32>(1.0, 2.0, 3.0, 4.0);
    let w = vec3<f32>(1.0, 2.0, 3.0) * m;
    let n = transpose(m);
    put(t[0].x * 1.0 + t[0].y * 2.0 + t[0].z * 3.0 + t[1].x * 5.0 + t[1].y * 6.0 + t[1].z * 7.0 + t[2].x * 9.0 + t[2].y * 10.0 + t[2].z * 11.0 + t[3].x * 13.0 + t[3].y * 14.0 + t[3].z * 15.0);
    put(v.x * 1.0 + v.y * 2.0 + v.z * 3.0);
    put(w.x * 1.0 + w.y * 10.0 + w.z * 100.0 + w.w * 1000.0);
    put(n[0].x * 1.0 + n[0].y * 2.0 + n[0].z * 3.0 + n[0].w * 4.0 + n[1].x * 5.0 + n[1].y * 6.0 + n[1].z * 7.0 + n[1].w * 8.0 + n[2].x * 9.0 + n[2].y * 10.0 + n[2].z * 11.0 + n[2].w * 12.0);
}

// 4 columns of 4 rows: sum, difference, scaling, transpose and both products with vectors.
fn shape_4x4() {
    let m = mat4x4<f32>(-1.0, 1.0, 3.0, -2.0, 2.0, 4.0, -1.0, 1.0, -2.0, 0.0, 2.0, 4.0, 1.0, 3.0, -2.0, 0.0);
    let t = (m + m * 2.0) - 0.5 * m;
    let v = m * vec4<f32>(1.0, 2.0, 3.0, 4.0);
    let w = vec4<f32>(1.0, 2.0, 3.0, 4.0) * m;
    let n = transpose(m);
    put(t[0].x * 1.0 + t[0].y * 2.0 + t[0].z * 3.0 + t[0].w * 4.0 + t[1].x * 5.0 + t[1].y * 6.0 + t[1].z * 7.0 + t[1].w * 8.0 + t[2].x * 9.0 + t[2].y * 10.0 + t[2].z * 11.0 + t[2].w * 12.0 + t[3].x * 13.0 + t[3].y * 14.0 + t[3].z * 15.0 + t[3].w * 16.0);
    put(v.x * 1.0 + v.y * 2.0 + v.z * 3.0 + v.w * 4.0);
    put(w.x * 1.0 + w.y * 10.0 + w.z * 100.0 + w.w * 1000.0);
    put(n[0].x * 1.0 + n[0].y * 2.0 + n[0].z * 3.0 + n[0].w * 4.0 + n[1].x * 5.0 + n[1].y * 6.0 + n[1].z * 7.0 + n[1].w * 8.0 + n[2].x * 9.0 + n[2].y * 10.0 + n[2].z * 11.0 + n[2].w * 12.0 + n[3].x * 13.0 + n[3].y * 14.0 + n[3].z * 15.0 + n[3].w * 16.0);
}

@compute @workgroup_size(1)
fn main() {
    shape_2x2();
    shape_2x3();
    shape_2x4();
    shape_3x2();
    shape_3x3();
    shape_3x4();
    shape_4x2();
    shape_4x3();
    shape_4x4();
}
