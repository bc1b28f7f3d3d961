//! Vectors of bool: comparisons, logical operators, any, all, select, conversion to numbers.
//! in result = zeros 6
//! out result = [13, 1101, 5238, 110, 1, 1]

@group(0) @binding(0) var<storage, read_write> result: array<u32>;

@compute @workgroup_size(1)
fn main() {
    let a = vec4<f32>(1.0, 2.0, 3.0, 4.0);
    let b = vec4<f32>(4.0, 2.0, 1.0, 8.0);
    let less = a < b;
    let equal = a == b;
    let both = less | equal;
    let neither = !both;
    let exactly = less & !equal;
    result[0] = u32(any(less)) + 2u * u32(all(less)) + 4u * u32(any(neither)) + 8u * u32(all(both | neither));
    let digits = vec4<u32>(both) * vec4<u32>(1000u, 100u, 10u, 1u);
    result[1] = digits.x + digits.y + digits.z + digits.w;
    let chosen = select(vec4<u32>(1u, 2u, 3u, 4u), vec4<u32>(5u, 6u, 7u, 8u), exactly);
    result[2] = chosen.x * 1000u + chosen.y * 100u + chosen.z * 10u + chosen.w;
    var flags = vec3<bool>(true, false, true);
    flags.y = flags.x;
    flags[2] = flags.y != flags.x;
    result[3] = u32(flags.x) * 100u + u32(flags.y) * 10u + u32(flags.z);
    result[4] = select(0u, 1u, all(vec2<bool>(true)) && !any(vec2<bool>(false)));
    result[5] = u32(all(true)) + u32(any(false));
}
