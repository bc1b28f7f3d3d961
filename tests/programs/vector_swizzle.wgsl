//! Swizzles to read, with repeated and reordered components in both namings, nested swizzles and indexing.
//! in result = zeros 7
//! out result = [4321, 1122, 32, 24, 10, 31, 42]

@group(0) @binding(0) var<storage, read_write> result: array<i32>;

@compute @workgroup_size(1)
fn main() {
    var v = vec4<i32>(1, 2, 3, 4);
    let a = v.wzyx;
    let b = v.xxyy;
    let c = v.rgb.bg;
    let d = v.yzw.zx.yx;
    result[0] = a.x * 1000 + a.y * 100 + a.z * 10 + a.w;
    result[1] = b.x * 1000 + b.y * 100 + b.z * 10 + b.w;
    result[2] = c.x * 10 + c.y;
    result[3] = d.x * 10 + d.y;
    result[4] = vec3<i32>(v.zw, 7).z + vec4<i32>(5, v.xyz).w;
    result[5] = v[2] * 10 + v.wzyx[3];
    result[6] = v.a * 10 + v.g;
}
