//! What the programs in `examples/` must compute, as plain Rust that knows nothing of the compiler.
//!
//! Where a program's floats are sums and products in a stated order, these functions use the same order, so
//! that the results are equal bit for bit: `+ - * /` and `sqrt` are correctly rounded on both sides. Where
//! `log2`, `log` or `cos` take part, the last bits may differ.

#![allow(dead_code, reason = "every test binary uses some of these")]
#![allow(clippy::approx_constant, reason = "the numbers are those that the programs write")]

pub mod grid;

/// How often each byte value occurs.
pub fn histogram(data: &[u8]) -> [u32; 256] {
    let mut counts = [0; 256];
    for &byte in data {
        counts[usize::from(byte)] += 1;
    }
    counts
}

/// A message and its SHA-256 digest as the words H0 to H7.
pub struct DigestVector {
    /// The bytes that are repeated to form the message.
    pub unit: &'static [u8],
    /// How many times.
    pub repeat: usize,
    /// The published digest.
    pub digest: [u32; 8],
}

/// The examples of FIPS 180-2, appendix B, and of NIST's collection of example values: the messages of 0, 24,
/// 448 and 896 bits, and one million times the letter a.
pub const SHA256_VECTORS: [DigestVector; 5] = [
    DigestVector {
        unit: b"",
        repeat: 1,
        digest: [
            0xe3b0c442, 0x98fc1c14, 0x9afbf4c8, 0x996fb924, 0x27ae41e4, 0x649b934c, 0xa495991b, 0x7852b855,
        ],
    },
    DigestVector {
        unit: b"abc",
        repeat: 1,
        digest: [
            0xba7816bf, 0x8f01cfea, 0x414140de, 0x5dae2223, 0xb00361a3, 0x96177a9c, 0xb410ff61, 0xf20015ad,
        ],
    },
    DigestVector {
        unit: b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
        repeat: 1,
        digest: [
            0x248d6a61, 0xd20638b8, 0xe5c02693, 0x0c3e6039, 0xa33ce459, 0x64ff2167, 0xf6ecedd4, 0x19db06c1,
        ],
    },
    DigestVector {
        unit: b"abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
        repeat: 1,
        digest: [
            0xcf5b16a7, 0x78af8380, 0x036ce59e, 0x7b049237, 0x0b249b11, 0xe8f07a51, 0xafac4503, 0x7afee9d1,
        ],
    },
    DigestVector {
        unit: b"a",
        repeat: 1_000_000,
        digest: [
            0xcdc76e5c, 0x9914fb92, 0x81a1c7e2, 0x84d73e67, 0xf1809a48, 0xa497200e, 0x046d39cc, 0xc7112cd0,
        ],
    },
];

/// The Sobel operator on the luminance of RGBA pixels (red in the lowest byte), borders repeated. Exact.
pub fn sobel(source: &[u32], width: usize) -> Vec<u32> {
    let height = source.len() / width;
    let luminance = |x: isize, y: isize| {
        let column = x.clamp(0, width as isize - 1) as usize;
        let row = y.clamp(0, height as isize - 1) as usize;
        let [red, green, blue, _] = source[row * width + column].to_le_bytes().map(f32::from);
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    };
    let mut edges = Vec::with_capacity(width * height);
    for y in 0..height as isize {
        for x in 0..width as isize {
            let at = |i: isize, j: isize| luminance(x + i, y + j);
            let horizontal =
                (at(1, -1) + 2.0 * at(1, 0) + at(1, 1)) - (at(-1, -1) + 2.0 * at(-1, 0) + at(-1, 1));
            let vertical =
                (at(-1, 1) + 2.0 * at(0, 1) + at(1, 1)) - (at(-1, -1) + 2.0 * at(0, -1) + at(1, -1));
            let magnitude = (horizontal * horizontal + vertical * vertical).sqrt();
            let gray = (magnitude + 0.5).min(255.0) as u32;
            edges.push((gray * 0x01_01_01) | 0xff00_0000);
        }
    }
    edges
}

/// Inclusive prefix sums, modulo 2^32, of every block of `block` values, and the sum of each block.
pub fn inclusive_scan(values: &[u32], block: usize) -> (Vec<u32>, Vec<u32>) {
    let mut sums = Vec::with_capacity(values.len());
    let mut totals = Vec::new();
    for part in values.chunks(block) {
        let mut running = 0u32;
        for &value in part {
            running = running.wrapping_add(value);
            sums.push(running);
        }
        totals.push(running);
    }
    (sums, totals)
}

/// The product of two n x n matrices in row-major order; every element is summed from left to right in f32.
/// Exact.
pub fn matmul(a: &[f32], b: &[f32], n: usize) -> Vec<f32> {
    let mut c = vec![0.0; n * n];
    for (row, out) in a.chunks_exact(n).zip(c.chunks_exact_mut(n)) {
        for (&x, line) in row.iter().zip(b.chunks_exact(n)) {
            for (sum, &y) in out.iter_mut().zip(line) {
                *sum += x * y;
            }
        }
    }
    c
}

/// The same product in f64, for tests that allow another order of summation.
pub fn matmul_f64(a: &[f32], b: &[f32], n: usize) -> Vec<f64> {
    let mut c = vec![0.0; n * n];
    for (row, out) in a.chunks_exact(n).zip(c.chunks_exact_mut(n)) {
        for (&x, line) in row.iter().zip(b.chunks_exact(n)) {
            for (sum, &y) in out.iter_mut().zip(line) {
                *sum += f64::from(x) * f64::from(y);
            }
        }
    }
    c
}

/// One semi-implicit Euler step of softened gravity. A body is position, mass, velocity and one unused float.
/// Exact.
pub fn nbody_step(bodies: &[[f32; 8]], time_step: f32, softening: f32) -> Vec<[f32; 8]> {
    let step = |body: &[f32; 8]| {
        let mut acceleration = [0.0f32; 3];
        for other in bodies {
            let offset = [other[0] - body[0], other[1] - body[1], other[2] - body[2]];
            let squared =
                offset[0] * offset[0] + offset[1] * offset[1] + offset[2] * offset[2] + softening * softening;
            let factor = other[3] / (squared * squared.sqrt());
            for axis in 0..3 {
                acceleration[axis] += offset[axis] * factor;
            }
        }
        let mut next = *body;
        for axis in 0..3 {
            next[4 + axis] = body[4 + axis] + acceleration[axis] * time_step;
            next[axis] = body[axis] + next[4 + axis] * time_step;
        }
        next
    };
    bodies.iter().map(step).collect()
}

/// One generation of the Game of Life on a torus; a cell lives where its lowest bit is set.
pub fn life_step(cells: &[u32], width: usize) -> Vec<u32> {
    let height = cells.len() / width;
    let alive = |x: usize, y: usize| cells[(y % height) * width + x % width] & 1;
    let mut next = Vec::with_capacity(width * height);
    for y in height..2 * height {
        for x in width..2 * width {
            let mut block = 0;
            for j in [y - 1, y, y + 1] {
                for i in [x - 1, x, x + 1] {
                    block += alive(i, j);
                }
            }
            // `block` counts the cell itself as well.
            next.push(u32::from(block == 3 || block == 4 && alive(x, y) == 1));
        }
    }
    next
}

/// The part of the plane that a Mandelbrot picture shows, and how long a point is given to escape.
#[derive(Clone, Copy)]
pub struct MandelbrotView {
    /// The number in the middle of the picture.
    pub center: [f32; 2],
    /// From the picture's lower to its upper edge.
    pub height: f32,
    /// Rounds after which a point counts as belonging to the set.
    pub max_iterations: u32,
}

/// The defaults of the example's overrides.
pub const MANDELBROT_VIEW: MandelbrotView =
    MandelbrotView { center: [-0.7455, 0.1115], height: 0.0095, max_iterations: 256 };

/// Where the orbit of a pixel has ended.
#[derive(Clone, Copy)]
pub struct MandelbrotOrbit {
    /// The last point.
    pub z: [f32; 2],
    /// Its derivative by the parameter.
    pub dz: [f32; 2],
    /// The number of rounds made. Exact.
    pub iterations: u32,
}

const ESCAPE: f32 = 65536.0;

/// Follows the orbit of one pixel of a picture of the given size. Exact.
pub fn mandelbrot_orbit(view: &MandelbrotView, size: [u32; 2], pixel: [u32; 2]) -> MandelbrotOrbit {
    let pixel_size = view.height / size[1] as f32;
    let offset = [0, 1].map(|axis| pixel[axis] as f32 + 0.5 - 0.5 * size[axis] as f32);
    let c = [view.center[0] + offset[0] * pixel_size, view.center[1] - offset[1] * pixel_size];
    let mut orbit = MandelbrotOrbit { z: [0.0; 2], dz: [0.0; 2], iterations: 0 };
    while orbit.iterations < view.max_iterations {
        let ([x, y], [dx, dy]) = (orbit.z, orbit.dz);
        orbit.dz = [2.0 * (x * dx - y * dy) + 1.0, 2.0 * (x * dy + y * dx)];
        orbit.z = [x * x - y * y + c[0], x * y + y * x + c[1]];
        orbit.iterations += 1;
        if norm(orbit.z) > ESCAPE {
            break;
        }
    }
    orbit
}

/// The color of a pixel as red, green and blue from 0 to 1 (not yet clamped). Within the rounding of `log2`,
/// `log` and `cos`: after quantization to bytes a channel may be off by one.
pub fn mandelbrot_color(view: &MandelbrotView, size: [u32; 2], pixel: [u32; 2]) -> [f32; 3] {
    let MandelbrotOrbit { z, dz, iterations } = mandelbrot_orbit(view, size, pixel);
    let pixel_size = view.height / size[1] as f32;
    if norm(z) <= ESCAPE {
        return [0.008, 0.008, 0.024];
    }
    let modulus = norm(z).sqrt();
    let slope = norm(dz).sqrt();

    let smoothed = iterations as f32 - (norm(z).log2() * 0.0625).log2();
    let place = 0.16 * (1.0 + smoothed).log2() + 0.012 * smoothed;

    let scale = modulus * slope;
    let direction = [(z[0] * dz[0] + z[1] * dz[1]) / scale, (z[1] * dz[0] - z[0] * dz[1]) / scale];
    let light = ((direction[1] * 0.7071 - direction[0] * 0.7071 + 1.4) / 2.4).max(0.0);

    let distance = modulus * norm(z).ln() / slope;
    let t = (2.0 * distance / pixel_size).clamp(0.0, 1.0);
    let coverage = t * t * (3.0 - 2.0 * t);

    [0.0, 0.1, 0.22].map(|phase| {
        let color = 0.52 + 0.48 * (6.2831853f32 * (place + phase)).cos();
        color * (0.35 + 0.65 * light) * coverage
    })
}

/// The whole picture, one RGBA word a pixel with red in the lowest byte, row by row from the top.
pub fn mandelbrot(view: &MandelbrotView, size: [u32; 2]) -> Vec<u32> {
    let pixels = (0..size[1]).flat_map(|y| (0..size[0]).map(move |x| [x, y]));
    pixels
        .map(|pixel| {
            let [red, green, blue] = mandelbrot_color(view, size, pixel)
                .map(|channel| (channel.clamp(0.0, 1.0) * 255.0 + 0.5) as u8);
            u32::from_le_bytes([red, green, blue, 255])
        })
        .collect()
}

fn norm(v: [f32; 2]) -> f32 {
    v[0] * v[0] + v[1] * v[1]
}
