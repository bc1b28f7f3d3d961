// c = a * b for square f32 matrices in row-major order.
//
//   vyre run examples/matmul_tiled.wgsl --threads 512,512 \
//       --set a=random:1:262144 --set b=random:2:262144 --set c=zeros:262144
//
// A workgroup computes a tile of 16 x 16 elements of c. It walks along a row of tiles of a and a column of tiles of b;
// both current tiles are copied to workgroup memory, so that each element is read from storage once for 16 uses.
// Sizes that are not multiples of 16 work too: what lies outside the matrices counts as zero.

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
        var from_a = 0.0;
        if row < n && k + local.x < n {
            from_a = a[row * n + k + local.x];
        }
        var from_b = 0.0;
        if k + local.y < n && column < n {
            from_b = b[(k + local.y) * n + column];
        }
        tile_a[local.y][local.x] = from_a;
        tile_b[local.y][local.x] = from_b;
        workgroupBarrier();

        for (var i = 0u; i < TILE; i++) {
            sum += tile_a[local.y][i] * tile_b[i][local.x];
        }
        workgroupBarrier(); // the tiles are free to be replaced
    }
    if row < n && column < n {
        c[row * n + column] = sum;
    }
}
