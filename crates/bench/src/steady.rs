//! Whether many dispatches leave something behind.

use crate::error::BenchError;
use crate::kernels::{Case, INVERT, Mode, Size};
use crate::ours::Ours;
use crate::runner::Runner;
use vyre::Device;

/// What there was before and after many dispatches.
pub struct Steady {
    /// How many.
    pub dispatches: u32,
    /// KiB of memory that the process has in the machine; `None` where the system does not say.
    pub resident_kib: Option<[u64; 2]>,
    /// The backend's own counters of what is alive.
    pub counters: Vec<(&'static str, [u64; 2])>,
}

/// Dispatches a program again and again, each time on data of the host, so that memory, copies and bindings are
/// involved, and resident as often. What is made once is made before.
///
/// # Errors
/// What the device refuses.
pub fn steady(device: &Device, dispatches: u32) -> Result<Steady, BenchError> {
    let ours = Ours { device: device.clone(), timed: false };
    let work = INVERT.prepare(Size::Small);
    let load = |mode| ours.load(&Case { kernel: &INVERT, mode, size: Size::Small }, &work);
    let (mut copies, mut resident) = (load(Mode::Copies)?, load(Mode::Resident)?);
    let mut run = |times: u32| {
        (0..times / 2).try_for_each(|_| {
            copies.run()?;
            resident.run()
        })
    };
    run(dispatches / 10)?;
    let (counters, resident_kib) = (counters(device), resident_kib());
    run(dispatches)?;
    let after = self::counters(device);
    let counters =
        counters.into_iter().zip(after).map(|((name, before), (_, after))| (name, [before, after]));
    Ok(Steady {
        dispatches,
        resident_kib: resident_kib.and_then(|before| Some([before, self::resident_kib()?])),
        counters: counters.collect(),
    })
}

/// Those whose names begin with the backend's.
fn counters(device: &Device) -> Vec<(&'static str, u64)> {
    let mut all = device.metrics();
    all.retain(|(name, _)| name.starts_with(device.id()));
    all
}

fn resident_kib() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}
