//! Kernels measured on a device of vyre and on what else a user could run them with: rayon, wgpu on Vulkan in software,
//! OpenCL.
//!
//! All run in one process on the same data, with the data where each works on them before its time begins, by turns, on
//! all threads of the machine. Before anything is timed the results of all are compared with what the problem says they
//! are; whoever is wrong is not measured, the whole measurement fails.

mod check;
pub mod codes;
mod error;
mod kernels;
mod measure;
#[cfg(feature = "opencl")]
mod opencl;
mod ours;
mod overhead;
#[cfg(feature = "rayon")]
mod rayon;
mod report;
mod runner;
#[cfg(feature = "rayon")]
mod vectors;
#[cfg(feature = "wgpu")]
mod wgpu;

pub use error::BenchError;
pub use kernels::{Data, KERNELS, Kernel, Size, Work};
pub use ours::Ours;
pub use overhead::{Compile, Dispatch};
pub use report::{Absent, Report, Row};
pub use runner::{Loaded, Peer, Runner};

use vyre::Device;

/// What to measure.
pub struct Options<'a> {
    /// Which kernels.
    pub kernels: Vec<&'static Kernel>,
    /// Against whom.
    pub peers: Vec<Peer>,
    /// Timed runs of each; at least 1.
    pub passes: usize,
    /// On how much data.
    pub size: Size,
    /// Told what is done next.
    pub progress: &'a dyn Fn(&str),
}

/// The kernel of a name.
///
/// # Errors
/// [`BenchError::NoKernel`].
pub fn kernel(name: &str) -> Result<&'static Kernel, BenchError> {
    KERNELS.iter().find(|kernel| kernel.name == name).ok_or_else(|| BenchError::NoKernel(name.into()))
}

/// Measures a device and its peers.
///
/// # Errors
/// What the device refuses, a wrong result of anybody, and the failure of a peer that had run before. A peer that is not
/// there, or cannot run a kernel at all, is in the report.
pub fn bench(device: &Device, options: &Options<'_>) -> Result<Report, BenchError> {
    let Options { kernels, passes, progress, .. } = options;
    progress("compiling");
    let compile = overhead::compile(device, kernels, *passes)?;
    progress("empty dispatches");
    let dispatch = overhead::dispatch(device)?;
    let idle_cpu_ms = overhead::idle_cpu_ms();
    let ours = Ours { device: device.clone() };
    let mut report = Report {
        backend: device.id(),
        about: ours.about(),
        threads: std::thread::available_parallelism().map_or(1, |n| n.get()),
        passes: *passes,
        peers: vec![],
        rows: vec![],
        ours: vec![],
        compile,
        dispatch,
        idle_cpu_ms,
        absent: vec![],
    };
    let mut peers = vec![];
    for &peer in &options.peers {
        match peer.open() {
            Ok(runner) => {
                report.peers.push((peer.name(), runner.about()));
                peers.push((peer.name(), runner));
            }
            Err(reason) => report.absent.push(Absent { peer: peer.name(), kernel: None, reason }),
        }
    }
    for kernel in kernels {
        measure(kernel, &ours, &peers, options, &mut report)?;
    }
    Ok(report)
}

fn measure(
    kernel: &'static Kernel,
    ours: &Ours,
    peers: &[(&'static str, Box<dyn Runner>)],
    options: &Options<'_>,
    report: &mut Report,
) -> Result<(), BenchError> {
    (options.progress)(&format!("{}: {}", kernel.name, kernel.about));
    let work = kernel.prepare(options.size);
    let mut loaded = vec![checked(ours, report.backend, kernel, &work)?];
    let mut names = vec![];
    for (name, peer) in peers {
        match checked(&**peer, name, kernel, &work) {
            Ok(runner) => {
                loaded.push(runner);
                names.push(*name);
            }
            Err(BenchError::Peer(reason)) => {
                report.absent.push(Absent { peer: name, kernel: Some(kernel.name), reason });
            }
            Err(error) => return Err(error),
        }
    }
    let times = measure::by_turns(&mut loaded, options.passes)?;
    let (ours, theirs) = times.split_first().expect("the device is the first");
    report.ours.push((kernel.name, measure::median(ours)));
    report
        .rows
        .extend(names.iter().zip(theirs).map(|(peer, theirs)| Row::new(kernel.name, peer, ours, theirs)));
    Ok(())
}

/// Loads a kernel, runs it once and checks what comes of it.
///
/// # Errors
/// [`BenchError::Wrong`], and what loading and running give.
pub fn checked(
    runner: &dyn Runner,
    who: &str,
    kernel: &'static Kernel,
    work: &Work,
) -> Result<Box<dyn Loaded>, BenchError> {
    let mut loaded = runner.load(kernel, work)?;
    loaded.run()?;
    match (work.check)(work, &loaded.read()?) {
        Ok(()) => Ok(loaded),
        Err(what) => Err(BenchError::Wrong { who: who.into(), kernel: kernel.name, what }),
    }
}
