//! The driver of the process: its state, behind one lock, and what waits for it to change.

use crate::configuration::{Configuration, Report, Setup};
use crate::device::Device;
use crate::host::HostMemory;
use crate::journal::Journal;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// The driver that calls go to.
static CURRENT: Mutex<Option<Arc<Driver>>> = Mutex::new(None);

/// What the driver knows.
pub(crate) struct State {
    pub configuration: Configuration,
    pub journal: Journal,
    /// Whether `cuInit` was called.
    pub initialized: bool,
    /// Whether another driver has taken the place of this one.
    pub stopped: bool,
    pub devices: Vec<Device>,
    pub host: HostMemory,
}

/// A driver.
pub(crate) struct Driver {
    state: Mutex<State>,
    /// Told of whatever changes: work that is given, wanted, done.
    pub changed: Condvar,
}

impl Driver {
    pub fn new(setup: Setup) -> Driver {
        let Setup { configuration, plan } = setup;
        let devices = (0..u64::from(configuration.devices)).map(|index| Device::new(&configuration, index));
        let state = State {
            devices: devices.collect(),
            journal: Journal::new(plan, configuration.log),
            configuration,
            initialized: false,
            stopped: false,
            host: HostMemory::default(),
        };
        Driver { state: Mutex::new(state), changed: Condvar::new() }
    }

    pub fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until something has changed.
    pub fn wait<'a>(&self, state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        self.changed.wait(state).unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    pub fn report(&self) -> Report {
        let mut live = Vec::new();
        let mut add = |kind: &str, count: u64| {
            if count > 0 {
                live.push((kind.to_owned(), count));
            }
        };
        let sum = |count: &dyn Fn(&Device) -> u64| self.devices.iter().map(count).sum();
        let (host, registrations) = self.host.counts();
        add("allocations", sum(&|device| device.allocations.counts().0));
        add("bytes", sum(&|device| device.allocations.counts().1));
        add("host allocations", host);
        add("registrations", registrations);
        add("streams", sum(&|device| device.work.count()));
        add("events", sum(&|device| device.events.len() as u64));
        add("modules", sum(&|device| device.modules.len() as u64));
        add("links", sum(&|device| device.links.len() as u64));
        add("graphs", sum(&|device| device.graphs.len() as u64));
        add("executable graphs", sum(&|device| device.executables.len() as u64));
        add("pools", sum(&|device| device.allocations.pools.len() as u64 - 1));
        add("contexts", sum(&|device| u64::from(device.context.retained)));
        let calls = self.journal.calls.iter().map(|(name, count)| ((*name).to_owned(), *count));
        let (faults, problems) = (self.journal.faults.clone(), self.journal.problems.clone());
        let (kernels, blocks) = (self.journal.kernels.clone().into_iter().collect(), self.journal.blocks);
        Report { calls: calls.collect(), kernels, blocks, live, faults, problems }
    }
}

/// The driver that calls go to. The first is made as the environment says.
pub(crate) fn current() -> Arc<Driver> {
    let mut current = CURRENT.lock().unwrap_or_else(PoisonError::into_inner);
    let made = current.get_or_insert_with(|| {
        let text = std::env::var("VYRE_LIBCUDA_OPTIONS").unwrap_or_default();
        let setup = text.parse().unwrap_or_else(|e| {
            eprintln!("VYRE_LIBCUDA_OPTIONS: {e}");
            // There is no way to refuse: a driver without devices is closest to it.
            Setup {
                configuration: Configuration { devices: 0, ..Configuration::default() },
                ..Setup::default()
            }
        });
        Arc::new(Driver::new(setup))
    });
    made.clone()
}

/// Puts another driver in the place of the one that calls go to, once that has ended what it is at. A process calls
/// `cuInit` once, so that is not to be done again.
pub(crate) fn replace(with: Driver) {
    let with = Arc::new(with);
    let old = CURRENT.lock().unwrap_or_else(PoisonError::into_inner).replace(with.clone());
    let Some(old) = old else { return };
    let mut state = old.lock();
    let mut new = with.lock();
    new.initialized = state.initialized && !new.devices.is_empty();
    drop(new);
    state.stopped = true;
    for device in &mut state.devices {
        device.stop.store(true, Ordering::Relaxed);
        device.work.clear();
    }
    old.changed.notify_all();
    while state.devices.iter().any(|device| device.work.busy) {
        state = old.wait(state);
    }
}
