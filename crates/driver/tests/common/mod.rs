//! Backends made for tests: what they say is given, and what is done to them is counted.
#![allow(dead_code, unused_imports, unused_macros)] // each test uses a part

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use vyre_driver::*;
use vyre_ir::Program;

/// A device that says what it is told to and runs nothing.
pub struct Fake {
    pub profile: DeviceProfile,
}

impl VyreBackend for Fake {
    fn id(&self) -> &'static str {
        self.profile.backend
    }
    fn profile(&self) -> &DeviceProfile {
        &self.profile
    }
    fn target(&self) -> Option<vyre_opt::Target> {
        None
    }
    fn compile(&self, _: &Arc<Program>, _: &CompileOptions) -> Result<Arc<dyn Executable>, BackendError> {
        Err(BackendError::Internal { what: "a fake compiles nothing".into() })
    }
    fn allocate(&self, request: &MemoryRequest<'_>) -> Result<Arc<dyn DeviceMemory>, BackendError> {
        HostMemory::allocate(request)
    }
    fn submit(&self, _: &mut [Command<'_>], _: &Cancel) -> Result<Submitted, BackendError> {
        Err(BackendError::Internal { what: "a fake runs nothing".into() })
    }
    fn device_lost(&self) -> Option<String> {
        None
    }
    fn reopen(&self) -> Result<Box<dyn VyreBackend>, BackendError> {
        Ok(Box::new(Fake { profile: self.profile.clone() }))
    }
}

/// What was done to a fake backend.
pub struct Calls {
    /// How often it was probed, and the numbers of the devices that were opened.
    log: Mutex<(usize, Vec<usize>)>,
}

impl Calls {
    pub const fn new() -> Calls {
        Calls { log: Mutex::new((0, Vec::new())) }
    }
    /// Probes and opened devices since the last call.
    pub fn take(&self) -> (usize, Vec<usize>) {
        std::mem::take(&mut *locked(&self.log))
    }
    pub fn probe(&self, devices: Devices) -> Result<Vec<DeviceProfile>, BackendError> {
        locked(&self.log).0 += 1;
        devices()
    }
    pub fn open(&self, devices: Devices, index: usize) -> Result<Box<dyn VyreBackend>, BackendError> {
        locked(&self.log).1.push(index);
        Ok(Box::new(Fake { profile: devices()?.swap_remove(index) }))
    }
}

/// What the devices of a backend are, or why it has none.
pub type Devices = fn() -> Result<Vec<DeviceProfile>, BackendError>;

/// Registers a backend that dispatches: what it says when it is probed (if it has a probe), and what when it is opened.
macro_rules! fake {
    ($calls:ident, $id:literal, opened $opened:expr) => {
        static $calls: common::Calls = common::Calls::new();
        inventory::submit! { BackendRegistration { id: $id, acquire: || $calls.open($opened, 0) } }
        inventory::submit! { BackendCapability { id: $id, dispatches: true } }
    };
    ($calls:ident, $id:literal, probed $probed:expr, opened $opened:expr) => {
        fake!($calls, $id, opened $opened);
        inventory::submit! {
            BackendProbe { id: $id, probe: || $calls.probe($probed), hardware: || true, open: |i| $calls.open($opened, i) }
        }
    };
    ($calls:ident, $id:literal, probed $devices:expr) => {
        fake!($calls, $id, probed $devices, opened $devices);
    };
}
pub(crate) use fake;

/// A device with storage buffers and workgroups of 64, and nothing more: 24 points.
pub fn plain(backend: &'static str, kind: DeviceKind) -> DeviceProfile {
    let limits = Limits {
        workgroup_size: [64, 32, 16],
        invocations_per_workgroup: 64,
        workgroups_per_dimension: 1000,
        storage_binding_bytes: 4096,
        workgroup_memory_bytes: 0,
        buffers_per_stage: 8,
        uniform_binding_bytes: 1 << 10,
        uniform_buffers_per_stage: 4,
    };
    DeviceProfile::new(backend, kind, format!("a {backend}"), "fake 1".into(), limits)
}

/// A failure with these words.
pub fn broken(reason: &str, fix: &str) -> BackendError {
    BackendError::Unavailable { reason: reason.into(), fix: fix.into() }
}

/// One test of a binary at a time: what is linked is global.
pub fn turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    locked(&TURN)
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The device that the choice says comes at each place.
pub fn places(candidates: &[Candidate]) -> Vec<&str> {
    candidates.iter().filter(|c| c.place.is_some()).map(|c| c.id.as_str()).collect()
}
