//! `cargo run --release -p xtask -- bench`: what the examples cost on this machine, as docs/benchmarks.md.
//!
//! Each example is imported, verified, optimized and compiled anew, then run on `cpu` and on the oracle with the same
//! prepared data. Figures are medians. Ratios come from one run, so that a slow phase of the machine hits both sides.

use std::time::Instant;
use vyre::wgsl::ImportOptions;
use vyre::{CacheConfig, Device, DispatchConfig, Grid};

/// An example with data that the oracle handles in about a second.
struct Job {
    file: &'static str,
    overrides: &'static [(&'static str, f64)],
    grid: Grid,
    /// Words of each input; random ones for those that are read.
    inputs: &'static [(usize, Fill)],
}

#[derive(Copy, Clone)]
enum Fill {
    Zeros,
    Words,
    Floats,
    Number(u32),
}

const JOBS: &[Job] = &[
    Job {
        file: "mandelbrot.wgsl",
        overrides: &[],
        grid: Grid::Threads([256, 256, 1]),
        inputs: &[(256 * 256, Fill::Zeros)],
    },
    Job {
        file: "byte_histogram.wgsl",
        overrides: &[],
        grid: Grid::Threads([1 << 16, 1, 1]),
        inputs: &[(1 << 19, Fill::Words), (256, Fill::Zeros)],
    },
    Job {
        file: "sha256.wgsl",
        overrides: &[],
        grid: Grid::Threads([512, 1, 1]),
        inputs: &[(512 * 16, Fill::Words), (512, Fill::Number(64)), (512 * 8, Fill::Zeros)],
    },
    Job {
        file: "sobel.wgsl",
        overrides: &[("width", 512.0)],
        grid: Grid::Threads([512 * 512, 1, 1]),
        inputs: &[(512 * 512, Fill::Words), (512 * 512, Fill::Zeros)],
    },
    Job {
        file: "prefix_sum.wgsl",
        overrides: &[],
        grid: Grid::Workgroups([512, 1, 1]),
        inputs: &[(1 << 19, Fill::Words), (1 << 19, Fill::Zeros), (512, Fill::Zeros)],
    },
    Job {
        file: "matmul_tiled.wgsl",
        overrides: &[("n", 128.0)],
        grid: Grid::Threads([128, 128, 1]),
        inputs: &[(128 * 128, Fill::Floats), (128 * 128, Fill::Floats), (128 * 128, Fill::Zeros)],
    },
    Job {
        file: "nbody.wgsl",
        overrides: &[],
        grid: Grid::Threads([1024, 1, 1]),
        inputs: &[(8 * 1024, Fill::Floats), (8 * 1024, Fill::Zeros)],
    },
    Job {
        file: "game_of_life.wgsl",
        overrides: &[("width", 512.0)],
        grid: Grid::Threads([512 * 512, 1, 1]),
        inputs: &[(512 * 512, Fill::Words), (512 * 512, Fill::Zeros)],
    },
];

/// Passes whose median counts.
const PASSES: usize = 9;

const HEAD: &str = "# Benchmarks

What `cargo run --release -p xtask -- bench` prints. Each example is imported, verified, optimized and compiled anew;
then both backends run it on the same prepared data, small enough for the interpreter. All times are medians of 9
passes (3 for the interpreter); the ratio is that of the two medians of one run. `sum` is what lies between source text
and code.
";

pub type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

/// Prints the table.
pub fn bench() -> Outcome<()> {
    let (cpu, oracle) = (Device::open("cpu")?, Device::open("cpu-ref")?);
    let profile = cpu.profile();
    println!(
        "{HEAD}\nMachine: {}, {} hardware threads, {}.\n",
        profile.name, profile.compute_units, profile.driver
    );
    println!(
        "| example | instructions | import ms | verify ms | optimize ms | code ms | sum ms | cpu ms | cpu-ref ms | cpu-ref / cpu |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|");
    for job in JOBS {
        println!("{}", job.row(&cpu, &oracle)?);
    }
    Ok(())
}

impl Job {
    fn row(&self, cpu: &Device, oracle: &Device) -> Outcome<String> {
        let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/");
        let source = std::fs::read_to_string(format!("{root}{}", self.file))?;
        let overrides = self.overrides.iter().map(|(name, value)| (name.to_string(), *value)).collect();
        let options = ImportOptions { entry: None, overrides };
        let import = || {
            vyre::wgsl::import_wgsl(self.file, &source, &options)
                .map_err(|errors| vyre::BackendError::InvalidProgram { errors })
        };
        let program = import()?;
        let import_ms = median(|| import().map(drop))?;
        let verify_ms = median(|| {
            vyre::ir::verify::verify(&program).map_err(|errors| vyre::BackendError::InvalidProgram { errors })
        })?;
        let (mut optimize, mut code) = (Vec::new(), Vec::new());
        // Keeps nothing, so that each compilation is one.
        cpu.set_cache(CacheConfig { memory_bytes: 0, disk: None });
        for _ in 0..PASSES {
            let times = cpu.compile(&program, &Default::default())?.times();
            optimize.push(times.optimize_ns as f64 / 1e6);
            code.push(times.codegen_ns as f64 / 1e6);
        }
        let (optimize_ms, code_ms) = (middle(optimize), middle(code));

        let inputs: Vec<Vec<u8>> = self.inputs.iter().map(|(n, fill)| fill.bytes(*n)).collect();
        let inputs: Vec<&[u8]> = inputs.iter().map(Vec::as_slice).collect();
        let config = DispatchConfig { grid: self.grid, ..DispatchConfig::default() };
        let time = |device: &Device, passes: usize| -> Outcome<f64> {
            let kernel = device.compile(&program, &config)?;
            let mut times = Vec::new();
            for _ in 0..passes {
                times.push(kernel.dispatch(&inputs, &config)?.timing.best_ns() as f64 / 1e6);
            }
            Ok(middle(times))
        };
        let (cpu_ms, oracle_ms) = (time(cpu, PASSES)?, time(oracle, 3)?);
        let sum = import_ms + verify_ms + optimize_ms + code_ms;
        Ok(format!(
            "| {} | {} | {import_ms:.2} | {verify_ms:.2} | {optimize_ms:.2} | {code_ms:.2} | {sum:.2} | {cpu_ms:.3} | {oracle_ms:.1} | {:.0} |",
            self.file.trim_end_matches(".wgsl"),
            program.size(),
            oracle_ms / cpu_ms,
        ))
    }
}

impl Fill {
    fn bytes(self, words: usize) -> Vec<u8> {
        let mut x = 0x9e37_79b9u32;
        let mut next = || {
            x ^= x << 13;
            x ^= x >> 17;
            x ^= x << 5;
            x
        };
        let mut word = || match self {
            Fill::Zeros => 0,
            Fill::Words => next(),
            Fill::Floats => ((next() >> 8) as f32 / (1 << 24) as f32).to_bits(),
            Fill::Number(n) => n,
        };
        (0..words).flat_map(|_| word().to_le_bytes()).collect()
    }
}

fn median<E>(mut work: impl FnMut() -> Result<(), E>) -> Result<f64, E> {
    let mut times = Vec::new();
    for _ in 0..PASSES {
        let start = Instant::now();
        work()?;
        times.push(start.elapsed().as_secs_f64() * 1e3);
    }
    Ok(middle(times))
}

pub fn middle(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
