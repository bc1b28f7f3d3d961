//! Scalars that are neighbors are loaded and stored together.
//! has LDG.E.128.CONSTANT
//! has LDG.E.64
//! has LDS.128
//! has STG.E.128
//! lacks LDL
//! lacks STL

@group(0) @binding(0) var<storage, read> src: array<f32, 4096>;
@group(0) @binding(1) var<storage, read_write> pairs: array<u32, 2048>;
@group(0) @binding(2) var<storage, read_write> dst: array<f32, 4096>;

var<workgroup> tile: array<f32, 1024>;

@compute @workgroup_size(256)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let row = id.x & 1023u;
    let i = 4u * row;
    let scale = f32(pairs[2u * row] + pairs[2u * row + 1u]);
    tile[local] = src[i + 2u] * scale;
    tile[local + 256u] = src[i] * scale;
    tile[local + 512u] = src[i + 1u];
    tile[local + 768u] = src[i + 3u];
    workgroupBarrier();
    let other = 4u * (255u - local);
    dst[i + 3u] = tile[other];
    dst[i + 1u] = tile[other + 1u];
    dst[i] = tile[other + 2u];
    dst[i + 2u] = tile[other + 3u];
}
