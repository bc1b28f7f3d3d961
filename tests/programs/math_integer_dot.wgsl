//! dot of integer vectors wraps.
//! out result = [-24, 3, 12, 5, -31]

@group(0) @binding(0) var<storage, read_write> result: array<i32, 5>;

@compute @workgroup_size(1)
fn main() {
    var a = vec3<i32>(3, -4, 5);
    var b = vec3<i32>(-7, 2, 1);
    result[0] = dot(a, b);
    result[1] = dot(vec2<i32>(a.x, 65536), vec2<i32>(b.z, 65536));
    var c = vec4<u32>(0xffffffffu, 2u, 3u, 0x80000000u);
    result[2] = i32(dot(c, c.wzyx));
    result[3] = i32(dot(c.xy, vec2<u32>(5u)));
    result[4] = dot(vec4<i32>(a, 7), vec4<i32>(b, -1));
}
