// The Mandelbrot set, colored by smoothed escape time and shaded like a relief lit from the upper left.
//
//   vyre run examples/mandelbrot.wgsl --threads 1024,1024 --out pixels=mandelbrot.png
//
// One invocation draws one pixel; the image is as wide as the grid. Beside the orbit z(n+1) = z(n)^2 + c the loop
// carries its derivative dz by c. The pair gives more than the escape time: |z| log|z| / |dz| estimates how far the
// pixel is from the set, which softens the boundary where filaments are thinner than a pixel, and z / dz points
// away from the set, which serves as the normal of the relief.

// The window on the complex plane: its center, and its height (the width follows from the image's shape).
override center_x: f32 = -0.7455;
override center_y: f32 = 0.1115;
override view_height: f32 = 0.0095;
override max_iterations: u32 = 256u;

// RGBA, 8 bits each, red in the lowest byte; row by row from the top.
@group(0) @binding(0) var<storage, read_write> pixels: array<u32>;

const TAU = 6.2831853;

// |z|^2 at which an orbit has certainly escaped. Far more than the necessary 4: the smoothed count is only exact in
// the limit of large |z|.
const ESCAPE = 65536.0;

struct Orbit {
    z: vec2<f32>,
    dz: vec2<f32>,
    iterations: u32,
}

fn complex_mul(a: vec2<f32>, b: vec2<f32>) -> vec2<f32> {
    return vec2<f32>(a.x * b.x - a.y * b.y, a.x * b.y + a.y * b.x);
}

fn iterate(c: vec2<f32>) -> Orbit {
    var orbit = Orbit(vec2<f32>(0.0), vec2<f32>(0.0), 0u);
    while orbit.iterations < max_iterations {
        orbit.dz = 2.0 * complex_mul(orbit.z, orbit.dz) + vec2<f32>(1.0, 0.0);
        orbit.z = complex_mul(orbit.z, orbit.z) + c;
        orbit.iterations += 1u;
        if orbit.z.x * orbit.z.x + orbit.z.y * orbit.z.y > ESCAPE {
            break;
        }
    }
    return orbit;
}

// A closed loop through deep blue, white, amber and umber, once for every unit of t.
fn palette(t: f32) -> vec3<f32> {
    return 0.52 + 0.48 * cos(TAU * (t + vec3<f32>(0.0, 0.1, 0.22)));
}

fn shade(orbit: Orbit, pixel_size: f32) -> vec3<f32> {
    let norm = orbit.z.x * orbit.z.x + orbit.z.y * orbit.z.y;
    if norm <= ESCAPE {
        return vec3<f32>(0.008, 0.008, 0.024);
    }
    let modulus = sqrt(norm);
    let slope = sqrt(orbit.dz.x * orbit.dz.x + orbit.dz.y * orbit.dz.y);

    // The count without its steps: the fraction says how far beyond the radius the last square has landed.
    let smoothed = f32(orbit.iterations) - log2(log2(norm) * 0.0625);
    let color = palette(0.16 * log2(1.0 + smoothed) + 0.012 * smoothed);

    // Lambert's law with the normal tilted outward and the light half above the plane.
    let direction = vec2<f32>(
        orbit.z.x * orbit.dz.x + orbit.z.y * orbit.dz.y,
        orbit.z.y * orbit.dz.x - orbit.z.x * orbit.dz.y,
    ) / (modulus * slope);
    let light = max((direction.y * 0.7071 - direction.x * 0.7071 + 1.4) / 2.4, 0.0);

    let distance = modulus * log(norm) / slope;
    let coverage = smoothstep(0.0, 1.0, 2.0 * distance / pixel_size);
    return color * (0.35 + 0.65 * light) * coverage;
}

fn pack_rgba(color: vec3<f32>) -> u32 {
    let byte = vec3<u32>(clamp(color, vec3<f32>(0.0), vec3<f32>(1.0)) * 255.0 + 0.5);
    return byte.r | (byte.g << 8u) | (byte.b << 16u) | 0xff000000u;
}

@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let size = groups.xy * vec2<u32>(8u, 8u);
    let index = id.y * size.x + id.x;
    if index >= arrayLength(&pixels) {
        return;
    }
    let pixel_size = view_height / f32(size.y);
    // Pixel centers, with the image's y pointing down and the plane's y up.
    let offset = vec2<f32>(id.xy) + 0.5 - 0.5 * vec2<f32>(size);
    let c = vec2<f32>(center_x + offset.x * pixel_size, center_y - offset.y * pixel_size);
    pixels[index] = pack_rgba(shade(iterate(c), pixel_size));
}
