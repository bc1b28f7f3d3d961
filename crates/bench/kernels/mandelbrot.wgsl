// How many steps of z = z * z + c stay within the circle of radius 2, for c in a square around the Mandelbrot set.

override width: u32 = 1024u;

@group(0) @binding(0) var<storage, read_write> counts: array<u32>;

const LIMIT = 256u;

@compute @workgroup_size(16, 16)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if (id.x >= width || id.y >= width) {
        return;
    }
    let step = 2.5 / f32(width);
    let cx = f32(id.x) * step - 2.0;
    let cy = f32(id.y) * step - 1.25;
    var x = 0.0;
    var y = 0.0;
    var n = 0u;
    while (n < LIMIT) {
        let xx = x * x;
        let yy = y * y;
        if (xx + yy > 4.0) {
            break;
        }
        y = 2.0 * x * y + cy;
        x = xx - yy + cx;
        n++;
    }
    counts[id.y * width + id.x] = n;
}
