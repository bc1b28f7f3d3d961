//! normalize, length, distance, reflect and refract of general vectors, within a few units in the last place.
//! in a = [1.0, 2.0, 3.0]
//! in b = [-0.3, 0.7, 0.2]
//! in incident = [0.4364358, -0.8728716, 0.2182179]
//! in normal = [0.09759001, 0.97590005, 0.19518001]
//! out result = [0.26726124, 0.5345225, 0.80178374, 0.7874008, 3.3496268, 1.6999999, 0.5860709, 0.62347966, 0.5174881, 0.29791015, -0.9488204, 0.10483007, -0.39391932, 0.91914505, 0.73029673]
//! ulp result = 4
//! abs result = 3e-07
//! inexact result = 11

@group(0) @binding(0) var<storage, read> a: vec3<f32>;
@group(0) @binding(1) var<storage, read> b: vec3<f32>;
@group(0) @binding(2) var<storage, read> incident: vec3<f32>;
@group(0) @binding(3) var<storage, read> normal: vec3<f32>;
@group(0) @binding(4) var<storage, read_write> result: array<f32, 15>;

fn put(at: u32, v: vec3<f32>) {
    result[at] = v.x;
    result[at + 1u] = v.y;
    result[at + 2u] = v.z;
}

@compute @workgroup_size(1)
fn main() {
    put(0u, normalize(a));
    put(3u, vec3<f32>(length(b), distance(a, b), dot(a, b)));
    put(6u, reflect(incident, normal));
    put(9u, refract(incident, normal, 0.75));
    put(12u, vec3<f32>(normalize(vec2<f32>(b.x, b.y)), normalize(vec4<f32>(a, 4.0)).w));
}
