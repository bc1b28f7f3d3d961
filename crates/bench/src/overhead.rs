//! What is not in the kernels' times: compiling, the least dispatch, waking workers, and what idle ones cost.

use crate::error::BenchError;
use crate::kernels::{KERNELS, Kernel, Size};
use crate::measure::median;
use crate::ours::import;
use crate::runner::fresh;
use std::time::{Duration, Instant};
use vyre::{CacheConfig, Device, DispatchConfig, Grid, Outputs};

/// A program that does nothing.
const EMPTY: &str = "@compute @workgroup_size(1) fn main() {}";

/// Dispatches that are timed together.
const CALLS: u32 = 1000;

/// How often they are, and how often workers are woken.
const ROUNDS: usize = 21;

/// By then idle workers sleep.
const PARKED: Duration = Duration::from_millis(5);

/// How long idleness is watched.
const IDLE: Duration = Duration::from_millis(200);

/// Medians of the times to compile a kernel.
pub struct Compile {
    /// Which.
    pub kernel: &'static str,
    /// From source text to the program.
    pub import_ms: f64,
    /// Optimizing it.
    pub optimize_ms: f64,
    /// Making code of it.
    pub code_ms: f64,
}

/// What a dispatch costs that does nothing.
pub struct Dispatch {
    /// Of one workgroup, from call to return.
    pub inline_ns: f64,
    /// Of two when the workers sleep.
    pub parked_us: f64,
}

/// Compiles each kernel anew several times, after something else was compiled.
///
/// # Errors
/// What the device refuses.
pub fn compile(
    device: &Device,
    kernels: impl Iterator<Item = &'static Kernel>,
    passes: usize,
) -> Result<Vec<Compile>, BenchError> {
    // Keeps nothing, so that each compilation is one.
    device.set_cache(CacheConfig { memory_bytes: 0, disk: None });
    let config = DispatchConfig::default();
    let first = &KERNELS[0];
    device.compile(&import(first, first.wgsl, &first.prepare(Size::Small))?, &config)?;
    let times = kernels.map(|kernel| {
        let work = kernel.prepare(Size::Small);
        let (mut import_ms, mut optimize_ms, mut code_ms) = (vec![], vec![], vec![]);
        for _ in 0..passes {
            // A driver below the device may have a cache of its own.
            let source =
                if device.profile().host_memory { kernel.wgsl.into() } else { kernel.variant(fresh()) };
            let start = Instant::now();
            let program = import(kernel, &source, &work)?;
            import_ms.push(start.elapsed().as_secs_f64() * 1e3);
            let times = device.compile(&program, &config)?.times();
            optimize_ms.push(times.optimize_ns as f64 / 1e6);
            code_ms.push(times.codegen_ns as f64 / 1e6);
        }
        Ok(Compile {
            kernel: kernel.name,
            import_ms: median(&import_ms),
            optimize_ms: median(&optimize_ms),
            code_ms: median(&code_ms),
        })
    });
    times.collect()
}

/// Times dispatches of a program that does nothing.
///
/// # Errors
/// What the device refuses.
pub fn dispatch(device: &Device) -> Result<Dispatch, BenchError> {
    let program = vyre::import_wgsl("empty.wgsl", EMPTY)?;
    let one = DispatchConfig { grid: Grid::Workgroups([1, 1, 1]), ..DispatchConfig::default() };
    let two = DispatchConfig { grid: Grid::Workgroups([2, 1, 1]), ..DispatchConfig::default() };
    let compiled = device.compile(&program, &one)?;
    let mut outputs = Outputs::default();
    let (mut inline_ns, mut parked_us) = (vec![], vec![]);
    for _ in 0..ROUNDS {
        let start = Instant::now();
        for _ in 0..CALLS {
            compiled.dispatch_into(&[], &one, &mut outputs)?;
        }
        inline_ns.push(start.elapsed().as_secs_f64() * 1e9 / f64::from(CALLS));
        std::thread::sleep(PARKED);
        let start = Instant::now();
        compiled.dispatch_into(&[], &two, &mut outputs)?;
        parked_us.push(start.elapsed().as_secs_f64() * 1e6);
    }
    Ok(Dispatch { inline_ns: median(&inline_ns), parked_us: median(&parked_us) })
}

/// Milliseconds that this process keeps processors busy in [`IDLE`] of doing nothing, after the device has worked;
/// `None` where the system does not say.
pub fn idle_cpu_ms() -> Option<f64> {
    std::thread::sleep(PARKED);
    let before = processor_time()?;
    std::thread::sleep(IDLE);
    Some((processor_time()? - before).as_secs_f64() * 1e3)
}

#[cfg(unix)]
fn processor_time() -> Option<Duration> {
    use rustix::time::{ClockId, clock_gettime};
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Some(Duration::new(time.tv_sec as u64, time.tv_nsec as u32))
}

#[cfg(not(unix))]
fn processor_time() -> Option<Duration> {
    None
}
