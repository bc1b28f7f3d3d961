//! Kernels measured on a device of vyre and on what else a user could run them with: rayon, wgpu on Vulkan in software,
//! OpenCL; for a device of the backend `wgpu`, plain wgpu code on the same adapter.
//!
//! All run in one process on the same data, by turns, on all threads of the machine. The data are where each works on
//! them before its time begins, except in the cases that measure how they get there. Before anything is timed the results of all are compared with what the problem says they
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
pub mod queues;
#[cfg(feature = "rayon")]
mod rayon;
mod report;
mod runner;
pub mod stages;
mod steady;
#[cfg(feature = "rayon")]
mod vectors;
#[cfg(feature = "wgpu")]
mod wgpu;

pub use error::BenchError;
pub use kernels::{Case, Data, EMPTY, INVERT, KERNELS, Kernel, Mode, Size, Work};
pub use ours::Ours;
pub use overhead::{Compile, Dispatch};
pub use report::{Absent, Report, Row};
pub use runner::{Loaded, Peer, Runner};
pub use steady::{Steady, steady};

use vyre::Device;

/// Dispatches after which nothing may have grown.
const STEADY: u32 = 10_000;

/// What to measure.
pub struct Options<'a> {
    /// Which kernels; none of them, of the queues and of stages stands for all, and for what else is measured of the
    /// device.
    pub kernels: Vec<&'static Kernel>,
    /// Which work queues, by name.
    pub queues: Vec<&'static str>,
    /// Whether programs as stages.
    pub stages: bool,
    /// Against whom.
    pub peers: Vec<Peer>,
    /// Timed runs of each; at least 1. Short ones are made more often.
    pub passes: usize,
    /// On how much data at most.
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

/// The work queue of a name.
pub fn queue(name: &str) -> Option<&'static str> {
    queues::NAMES.into_iter().find(|known| *known == name)
}

/// Those kernels; all if there is none.
fn some(kernels: &[&'static Kernel]) -> impl Iterator<Item = &'static Kernel> {
    let all = if kernels.is_empty() { KERNELS } else { &[] };
    all.iter().chain(kernels.to_vec())
}

/// What is measured of kernels on a device, in order. Where plain wgpu code could use the device, that is also what a
/// dispatch costs beside the kernel: of nothing, of 1 MiB, from the source text on, and with copies.
pub fn cases(device: &Device, kernels: &[&'static Kernel], size: Size) -> Vec<Case> {
    let each = |mode, size| some(kernels).map(move |kernel| Case { kernel, mode, size });
    let mut cases: Vec<Case> = each(Mode::Resident, size).collect();
    if runner::on_wgpu(device) {
        let mebibyte =
            if size == Size::Full { each(Mode::Resident, Size::Mebibyte).collect() } else { vec![] };
        cases.splice(..0, mebibyte);
        cases.extend(each(Mode::First, Size::Small));
        if kernels.is_empty() {
            cases.insert(0, Case { kernel: &EMPTY, mode: Mode::Resident, size });
            let size = if size == Size::Small { size } else { Size::Full };
            cases.push(Case { kernel: &INVERT, mode: Mode::Copies, size });
        }
    }
    cases
}

/// Measures a device and its peers.
///
/// # Errors
/// What the device refuses, a wrong result of anybody, and the failure of a peer that had run before. A peer that is not
/// there, or cannot run a kernel at all, is in the report.
pub fn bench(device: &Device, options: &Options<'_>) -> Result<Report, BenchError> {
    let Options { passes, progress, .. } = options;
    let cases = cases(device, &options.kernels, options.size);
    let all = options.kernels.is_empty() && options.queues.is_empty() && !options.stages;
    let kernels = all || !options.kernels.is_empty();
    progress("compiling");
    let compiled = some(&options.kernels).filter(|_| kernels);
    let compile = overhead::compile(device, compiled, *passes)?;
    progress("empty dispatches");
    let dispatch = overhead::dispatch(device)?;
    let idle_cpu_ms = overhead::idle_cpu_ms();
    progress("dispatches without end");
    let steady = steady(device, STEADY)?;
    let ours = Ours { device: device.clone(), timed: false };
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
        steady,
        absent: vec![],
        queues: vec![],
        stages: vec![],
    };
    let mut peers = vec![];
    for &peer in &options.peers {
        match peer.open(device) {
            Ok(runner) => {
                report.peers.push((peer.name(), runner.about()));
                peers.push((peer.name(), runner));
            }
            Err(reason) => report.absent.push(Absent { peer: peer.name(), kernel: None, reason }),
        }
    }
    for case in cases.iter().filter(|_| kernels) {
        measure(case, &ours, &peers, options, &mut report)?;
    }
    let names: &[&str] = if all { &queues::NAMES } else { &options.queues };
    let against = !options.peers.is_empty();
    let workloads = queues::workloads(options.size, names);
    report.queues = queues::measure(device, &workloads, *passes, against, options.progress)?;
    if all || options.stages {
        report.stages = stages::measure(device, options.size, *passes, options.progress)?;
    }
    Ok(report)
}

fn measure(
    case: &Case,
    ours: &Ours,
    peers: &[(&'static str, Box<dyn Runner>)],
    options: &Options<'_>,
    report: &mut Report,
) -> Result<(), BenchError> {
    let Case { kernel, .. } = case;
    (options.progress)(&format!("{}, {}: {}", kernel.name, case.about(), kernel.about));
    let work = kernel.prepare(case.size);
    let mut loaded = vec![checked(ours, report.backend, case, &work)?];
    let mut names = vec![];
    for (name, peer) in peers {
        match checked(&**peer, name, case, &work) {
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
    report.ours.push((*case, measure::median(ours)));
    let rows = names.iter().zip(theirs).map(|(peer, theirs)| Row::new(*case, peer, ours, theirs));
    report.rows.extend(rows);
    Ok(())
}

/// Loads a case, runs it once and checks what comes of it.
///
/// # Errors
/// [`BenchError::Wrong`], and what loading and running give.
pub fn checked(
    runner: &dyn Runner,
    who: &str,
    case: &Case,
    work: &Work,
) -> Result<Box<dyn Loaded>, BenchError> {
    let mut loaded = runner.load(case, work)?;
    loaded.run()?;
    match (work.check)(work, &loaded.read()?) {
        Ok(()) => Ok(loaded),
        Err(what) => Err(BenchError::Wrong { who: who.into(), kernel: case.kernel.name, what }),
    }
}
