//! dot, cross, length, distance, normalize, reflect, refract and faceForward with operands whose results are exact.
//! in result = zeros 30
//! out result = [-22.5, -7.0, 11.0, 13.0, 5.0, 5.0, 7.0, 5.0, 4.5, 7.0, 3.5, 4.0, 0.0, -1.0, 0.0, 1.0, 2.0, 0.5, 0.0, -1.0, 0.0, 0.0, 0.0, 0.0, 2.0, 3.0, 6.0, -2.0, -3.0, -6.0]

@group(0) @binding(0) var<storage, read_write> result: array<f32>;

var<private> next: u32;

fn put(v: vec3<f32>) {
    result[next] = v.x;
    result[next + 1u] = v.y;
    result[next + 2u] = v.z;
    next += 3u;
}

@compute @workgroup_size(1)
fn main() {
    var a = vec3<f32>(2.0, 3.0, 6.0);
    var b = vec3<f32>(-1.0, 4.0, 0.5);
    var up = vec3<f32>(0.0, 1.0, 0.0);
    put(cross(a, b));
    put(vec3<f32>(dot(a, b), dot(a.xy, b.yx), dot(vec4<f32>(a, 1.0), vec4<f32>(b, -8.0))));
    put(vec3<f32>(length(a), length(vec2<f32>(a.y, 4.0)), length(-4.5)));
    put(vec3<f32>(distance(a, a + vec3<f32>(2.0, -3.0, 6.0)), distance(a.x, 5.5), length(vec4<f32>(a.x))));
    put(normalize(vec3<f32>(0.0, -8.0, 0.0)));
    put(reflect(vec3<f32>(1.0, -2.0, 0.5), up));
    put(refract(vec3<f32>(0.0, -1.0, 0.0), up, 0.5));
    put(refract(vec3<f32>(0.0, -0.5, 0.75), up, 4.0)); // total reflection
    put(faceForward(a, vec3<f32>(0.0, -1.0, 0.0), up));
    put(faceForward(a, vec3<f32>(0.0, 1.0, 0.0), up));
}
