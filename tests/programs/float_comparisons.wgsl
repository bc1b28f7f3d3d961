//! Comparisons with NaN are false except !=; zeros of both signs are equal; infinities are ordered.
//! in x = [0.0, -0.0, inf, -inf, nan, 1.0, 1e-45, 3.4028235e38]
//! out result = [90, 90, 35, 108, 96, 35, 35, 35, 90, 90, 35, 108, 96, 35, 35, 35, 108, 108, 90, 108, 96, 108, 108, 108, 35, 35, 35, 90, 96, 35, 35, 35, 96, 96, 96, 96, 96, 96, 96, 96, 108, 108, 35, 108, 96, 90, 108, 35, 108, 108, 35, 108, 96, 35, 90, 35, 108, 108, 35, 108, 96, 108, 108, 90]
//! needs: subnormals

@group(0) @binding(0) var<storage, read> x: array<f32, 8>;
@group(0) @binding(1) var<storage, read_write> result: array<u32, 64>;

@compute @workgroup_size(8, 8)
fn main(@builtin(local_invocation_id) id: vec3<u32>) {
    let a = x[id.y];
    let b = x[id.x];
    var code = 0u;
    if a < b { code |= 1u; }
    if a <= b { code |= 2u; }
    if a > b { code |= 4u; }
    if a >= b { code |= 8u; }
    if a == b { code |= 16u; }
    if a != b { code |= 32u; }
    if !(a < b) { code |= 64u; }
    result[8u * id.y + id.x] = code;
}
