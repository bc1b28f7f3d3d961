//! Every example against an independent computation in plain Rust or published vectors, on every backend.

mod expected;

use expected::{MANDELBROT_VIEW, SHA256_VECTORS};
use std::path::Path;
use vyre::wgsl::ImportOptions;
use vyre::{AlignedBytes, Device, DispatchConfig, Grid, bytes_of};

/// Runs an example and gives its outputs in order.
fn run(
    backend: &str,
    name: &str,
    overrides: &[(&str, f64)],
    grid: Grid,
    inputs: &[&[u8]],
) -> Vec<AlignedBytes> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples").join(name);
    let source = std::fs::read_to_string(path).unwrap();
    let overrides = overrides.iter().map(|(name, value)| (name.to_string(), *value)).collect();
    let options = ImportOptions { entry: None, overrides };
    let program = vyre::wgsl::import_wgsl(name, &source, &options).unwrap_or_else(|e| panic!("{e:#?}"));
    let config = DispatchConfig { grid, ..DispatchConfig::default() };
    let kernel = Device::open(backend).unwrap().compile(&program, &config).unwrap();
    kernel.dispatch(inputs, &config).unwrap().buffers
}

fn words(bytes: &[u8]) -> Vec<u32> {
    bytes.chunks_exact(4).map(|c| u32::from_le_bytes(c.try_into().unwrap())).collect()
}

fn floats(bytes: &[u8]) -> Vec<f32> {
    words(bytes).into_iter().map(f32::from_bits).collect()
}

/// Reproducible numbers: Marsaglia's xorshift32.
fn numbers(seed: u32, n: usize) -> Vec<u32> {
    let mut x = seed | 1;
    let next = |_| {
        x ^= x << 13;
        x ^= x >> 17;
        x ^= x << 5;
        x
    };
    (0..n).map(next).collect()
}

/// Numbers from -1 to 1 with few bits, so that products are short but sums still round.
fn reals(seed: u32, n: usize) -> Vec<f32> {
    numbers(seed, n).into_iter().map(|x| (x >> 8) as f32 / (1 << 23) as f32 - 1.0).collect()
}

/// Runs the check on the compiler, and on the interpreter and on what GPUs there are with a smaller problem.
fn on_each(check: impl Fn(&str, usize)) {
    check("cpu", 2);
    check("cpu-ref", 1);
    for device in vyre_conformance::devices::devices("wgpu") {
        check(&device, 1);
    }
}

#[test]
fn byte_histogram() {
    on_each(|backend, scale| {
        let mut data: Vec<u8> =
            numbers(1, 20_000 * scale).into_iter().map(|x| (x >> 24) as u8 & 0x7f).collect();
        data.truncate(data.len() - 3);
        let exact = data.len();
        let want = expected::histogram(&data);
        data.resize(data.len().next_multiple_of(4), 0);
        let inputs = [&data[..], &[0; 1024]];
        let got = run(
            backend,
            "byte_histogram.wgsl",
            &[("byte_count", exact as f64)],
            Grid::Workgroups([3, 1, 1]),
            &inputs,
        );
        assert_eq!(words(&got[0]), want, "{backend}");
    });
}

#[test]
fn sha256() {
    on_each(|backend, scale| {
        for vector in SHA256_VECTORS.iter().filter(|v| scale > 1 || v.repeat < 1000) {
            let mut message = vector.unit.repeat(vector.repeat);
            let length = message.len() as u32;
            message.resize(message.len().next_multiple_of(4).max(4), 0xee);
            let inputs = [&message[..], &length.to_le_bytes(), &[0; 32]];
            let got = run(backend, "sha256.wgsl", &[], Grid::Threads([1, 1, 1]), &inputs);
            assert_eq!(words(&got[0]), vector.digest, "{backend}: {length} bytes");
        }
    });
}

#[test]
fn sobel() {
    on_each(|backend, scale| {
        let (width, height) = (60 * scale, 41 * scale);
        let source = numbers(2, width * height);
        let n = source.len() as u32;
        let inputs = [bytes_of(&source), &vec![0; 4 * source.len()]];
        let got = run(backend, "sobel.wgsl", &[("width", width as f64)], Grid::Threads([n, 1, 1]), &inputs);
        assert_eq!(words(&got[0]), expected::sobel(&source, width), "{backend}");
    });
}

#[test]
fn prefix_sum() {
    on_each(|backend, scale| {
        let blocks = 3 * scale;
        let values = numbers(3, 1024 * blocks - 100);
        let (sums, totals) = expected::inclusive_scan(&values, 1024);
        let inputs = [bytes_of(&values), &vec![0; 4 * values.len()], &vec![0; 4 * blocks]];
        let grid = Grid::Workgroups([blocks as u32, 1, 1]);
        let got = run(backend, "prefix_sum.wgsl", &[], grid, &inputs);
        assert_eq!((words(&got[0]), words(&got[1])), (sums, totals), "{backend}");
    });
}

#[test]
fn matmul_tiled() {
    on_each(|backend, scale| {
        let n = 48 * scale;
        let (a, b) = (reals(4, n * n), reals(5, n * n));
        let inputs = [bytes_of(&a), bytes_of(&b), &vec![0; 4 * n * n]];
        let grid = Grid::Threads([n as u32, n as u32, 1]);
        let got = run(backend, "matmul_tiled.wgsl", &[("n", n as f64)], grid, &inputs);
        assert_eq!(floats(&got[0]), expected::matmul(&a, &b, n), "{backend}");
        let exact = expected::matmul_f64(&a, &b, n);
        for (got, want) in floats(&got[0]).into_iter().zip(exact) {
            assert!((got as f64 - want).abs() < 1e-4, "{backend}: {got} {want}");
        }
    });
}

#[test]
fn nbody() {
    on_each(|backend, scale| {
        let bodies: Vec<[f32; 8]> =
            reals(6, 8 * 150 * scale).chunks_exact(8).map(|b| b.try_into().unwrap()).collect();
        let n = bodies.len() as u32;
        let flat: Vec<f32> = bodies.concat();
        let inputs = [bytes_of(&flat), &vec![0; 4 * flat.len()]];
        let got = run(backend, "nbody.wgsl", &[], Grid::Threads([n, 1, 1]), &inputs);
        assert_eq!(floats(&got[0]), expected::nbody_step(&bodies, 0.001, 0.05).concat(), "{backend}");
    });
}

#[test]
fn game_of_life() {
    on_each(|backend, scale| {
        let width = 50 * scale;
        let cells: Vec<u32> = numbers(7, width * 37).into_iter().map(|x| x >> 31).collect();
        let n = cells.len() as u32;
        let inputs = [bytes_of(&cells), &vec![0; 4 * cells.len()]];
        let got =
            run(backend, "game_of_life.wgsl", &[("width", width as f64)], Grid::Threads([n, 1, 1]), &inputs);
        assert_eq!(words(&got[0]), expected::life_step(&cells, width), "{backend}");
    });
}

#[test]
fn mandelbrot() {
    on_each(|backend, scale| {
        let size = [64 * scale as u32, 48 * scale as u32];
        let pixels = (size[0] * size[1]) as usize;
        let grid = Grid::Threads([size[0], size[1], 1]);
        let got = run(backend, "mandelbrot.wgsl", &[], grid, &[&vec![0; 4 * pixels]]);
        let want = expected::mandelbrot(&MANDELBROT_VIEW, size);
        // log2 and cos may differ from the standard library's in their last bits, which moves a channel by one at most.
        for (i, (got, want)) in words(&got[0]).into_iter().zip(want).enumerate() {
            let channels = got.to_le_bytes().into_iter().zip(want.to_le_bytes());
            let apart = channels.map(|(g, w)| g.abs_diff(w)).max().unwrap();
            assert!(apart <= 1, "{backend}: pixel {i} is {got:#x}, expected {want:#x}");
        }
    });
}
