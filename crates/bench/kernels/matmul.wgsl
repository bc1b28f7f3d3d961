// c = a * b for square matrices in row-major order, by tiles that are copied to workgroup memory.

override n: u32 = 512u;

@group(0) @binding(0) var<storage, read> a: array<f32>;
@group(0) @binding(1) var<storage, read> b: array<f32>;
@group(0) @binding(2) var<storage, read_write> c: array<f32>;

const TILE = 16u;

var<workgroup> tile_a: array<array<f32, TILE>, TILE>;
var<workgroup> tile_b: array<array<f32, TILE>, TILE>;

@compute @workgroup_size(TILE, TILE)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(local_invocation_id) local: vec3<u32>) {
    let row = id.y;
    let column = id.x;
    var sum = 0.0;
    for (var k = 0u; k < n; k += TILE) {
        tile_a[local.y][local.x] = a[row * n + k + local.x];
        tile_b[local.y][local.x] = b[(k + local.y) * n + column];
        workgroupBarrier();

        for (var i = 0u; i < TILE; i++) {
            sum += tile_a[local.y][i] * tile_b[i][local.x];
        }
        workgroupBarrier();
    }
    c[row * n + column] = sum;
}
