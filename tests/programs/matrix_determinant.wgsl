//! Determinants of 2x2, 3x3 and 4x4 matrices of small integers (exact in any order of summation).
//! in result = zeros 4
//! out result = [-14.0, -306.0, 30.0, 0.0]

@group(0) @binding(0) var<storage, read_write> result: array<f32>;

@compute @workgroup_size(1)
fn main() {
    var a = mat2x2<f32>(3.0, 8.0, 4.0, 6.0);
    var b = mat3x3<f32>(6.0, 1.0, 1.0, 4.0, -2.0, 5.0, 2.0, 8.0, 7.0);
    var c = mat4x4<f32>(1.0, 0.0, 2.0, -1.0, 3.0, 0.0, 0.0, 5.0, 2.0, 1.0, 4.0, -3.0, 1.0, 0.0, 5.0, 0.0);
    result[0] = determinant(a);
    result[1] = determinant(b);
    result[2] = determinant(c);
    a[1] = a[0];
    result[3] = determinant(a);
}
