//! A matrix product that asks for it rounds once a step.
//! has FFMA
//! lacks FMUL
//! lacks FADD
//! lacks LDL
//! lacks STL

const TILE = 16u;

@group(0) @binding(0) var<storage, read> a: array<f32>;
@group(0) @binding(1) var<storage, read> b: array<f32>;
@group(0) @binding(2) var<storage, read_write> c: array<f32>;

var<workgroup> tile_a: array<array<f32, TILE>, TILE>;
var<workgroup> tile_b: array<array<f32, TILE>, TILE>;

@compute @workgroup_size(TILE, TILE)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(local_invocation_id) local: vec3<u32>) {
    var sum = 0.0;
    for (var k = 0u; k < 512u; k += TILE) {
        tile_a[local.y][local.x] = a[id.y * 512u + k + local.x];
        tile_b[local.y][local.x] = b[(k + local.y) * 512u + id.x];
        workgroupBarrier();
        for (var i = 0u; i < TILE; i++) {
            sum = fma(tile_a[local.y][i], tile_b[i][local.x], sum);
        }
        workgroupBarrier();
    }
    c[id.y * 512u + id.x] = sum;
}
