//! Matrices and vectors of f16 in function memory, with dynamic columns and mixed with f32.
//! out result = [561.0, 682.0, 25.5, 6.0, 1031.0, 1244.0, 55.5, 12.0]

enable f16;

@group(0) @binding(0) var<storage, read_write> result: array<f16, 8>;

@compute @workgroup_size(2)
fn main(@builtin(local_invocation_index) i: u32) {
    var m = mat3x2<f16>(1.0h, 2.0h, 3.0h, 4.0h, 5.0h, 6.0h);
    m[i + 1u] *= 2.0h;
    m[i].y += f16(0.25f);
    let v = m * vec3<f16>(1.0h, 10.0h, 100.0h);
    let w = vec2<f16>(f16(f32(i) + 1.5), 2.0h) * m;
    result[4u * i] = v.x;
    result[4u * i + 1u] = v.y;
    result[4u * i + 2u] = w.x + w.z;
    result[4u * i + 3u] = f16(transpose(m)[1][2]);
}
