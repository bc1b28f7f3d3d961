//! What goes wrong, and when.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use vyre_driver::Cancel;

/// Which calls go wrong.
#[derive(Clone, Default, Debug)]
pub struct FaultPlan {
    /// The number of a call, counted from 0 over `compile`, `allocate` and `submit`, and what happens at it.
    pub faults: Vec<(u64, Fault)>,
    /// How many attempts to open the device again fail, from the first one on.
    pub failed_reopens: u64,
}

impl FaultPlan {
    /// One fault, at that call.
    pub fn at(call: u64, fault: Fault) -> FaultPlan {
        FaultPlan { faults: vec![(call, fault)], failed_reopens: 0 }
    }
}

/// What happens at a call. Where it makes no sense, nothing happens.
#[derive(Clone, Debug)]
pub enum Fault {
    /// The call fails for want of memory.
    OutOfMemory,
    /// The device is lost.
    DeviceLost,
    /// A submission has taken too long.
    Timeout,
    /// `allocate` gives more memory than was asked for.
    WrongSize,
    /// The call waits until the test opens the latch or it is to stop. A device that cannot be stopped then does it all
    /// the same.
    Slow(Latch),
    /// `compile` fails.
    CompileFailed,
    /// The call panics.
    Panic,
}

impl Fault {
    /// Whether it makes that call fail.
    pub fn can_strike(&self, call: &str) -> bool {
        match self {
            Fault::OutOfMemory | Fault::DeviceLost | Fault::Panic => true,
            Fault::Timeout => call == "submit",
            Fault::CompileFailed => call == "compile",
            Fault::WrongSize => call == "allocate",
            Fault::Slow(_) => false,
        }
    }
}

/// Where a slow call waits. Clones are the same latch.
#[derive(Clone, Default, Debug)]
pub struct Latch {
    state: Arc<(Mutex<State>, Condvar)>,
}

#[derive(Default, Debug)]
struct State {
    reached: bool,
    open: bool,
}

impl Latch {
    /// Waits until a call has reached the latch.
    pub fn wait_reached(&self) {
        let guard = self.lock();
        drop(self.state.1.wait_while(guard, |state| !state.reached));
    }

    /// Lets the call go on.
    pub fn open(&self) {
        self.lock().open = true;
        self.state.1.notify_all();
    }

    pub(crate) fn pass(&self, cancel: Option<&Cancel>) {
        let mut guard = self.lock();
        guard.reached = true;
        self.state.1.notify_all();
        while !guard.open && !cancel.is_some_and(Cancel::requested) {
            // Nobody is told that a run is to stop, so it is looked at now and then.
            let wait = self.state.1.wait_timeout(guard, Duration::from_millis(1));
            guard = wait.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
