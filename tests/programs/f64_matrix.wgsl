//! Vectors and matrices of f64: dot, products, columns, layout in storage.
//! in m = [1.0, 2.0, 3.0, 0.0, 4.0, 5.0, 6.0, 0.0]
//! out result = [-2.0, -1.0, 0.0, 32.0, 54.0, 46.0]

@group(0) @binding(0) var<storage, read> m: mat2x3<f64>; // columns 32 bytes apart
@group(0) @binding(1) var<storage, read_write> result: array<f64, 6>;

@compute @workgroup_size(1)
fn main() {
    let v = m * vec2<f64>(2.0lf, -1.0lf);
    result[0] = v.x;
    result[1] = v.y;
    result[2] = v.z;
    result[3] = dot(m[0], m[1]);
    let p = transpose(m) * m;
    result[4] = determinant(p);
    result[5] = p[1][0] + p[0].x;
}
