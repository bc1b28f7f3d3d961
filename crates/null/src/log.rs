//! What was done to the device.

use crate::{Fault, FaultPlan};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use vyre_driver::BackendError;

/// What was done. Clones are the same log.
#[derive(Clone)]
pub struct Log {
    state: Arc<Mutex<State>>,
}

struct State {
    plan: FaultPlan,
    calls: Vec<String>,
    problems: Vec<String>,
    memories: u64,
    live_memories: u64,
    live_bytes: u64,
    live_executables: u64,
    reopens: u64,
    shutdowns: u64,
}

impl Log {
    pub(crate) fn new(plan: FaultPlan) -> Log {
        let state = State {
            plan,
            calls: Vec::new(),
            problems: Vec::new(),
            memories: 0,
            live_memories: 0,
            live_bytes: 0,
            live_executables: 0,
            reopens: 0,
            shutdowns: 0,
        };
        Log { state: Arc::new(Mutex::new(state)) }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All calls so far, a text for each: `compile NAME`, followed by `unchecked` where bounds need no checks
    /// and `gated` where a control program decides,
    /// `allocate BYTES aligned to N for WHAT`, or `submit` with a line for each command, in which `m3` is the fourth memory that was allocated and a `!` says that the program
    /// may write it.
    pub fn calls(&self) -> Vec<String> {
        self.lock().calls.clone()
    }

    /// The submissions among the calls.
    pub fn submissions(&self) -> Vec<String> {
        self.calls().into_iter().filter(|call| call.starts_with("submit")).collect()
    }

    /// The calls since the last time that this was asked.
    pub fn since(&self, mark: &mut usize) -> Vec<String> {
        let calls = self.lock().calls[*mark..].to_vec();
        *mark += calls.len();
        calls
    }

    /// Memories that were not freed yet.
    pub fn live_allocations(&self) -> u64 {
        self.lock().live_memories
    }

    /// Bytes of memory that were not freed yet.
    pub fn live_bytes(&self) -> u64 {
        self.lock().live_bytes
    }

    /// Programs that were not dropped yet.
    pub fn live_executables(&self) -> u64 {
        self.lock().live_executables
    }

    /// How often the device was to be opened again.
    pub fn reopens(&self) -> u64 {
        self.lock().reopens
    }

    /// How often the device was shut down.
    pub fn shutdowns(&self) -> u64 {
        self.lock().shutdowns
    }

    /// What the driver must never do, and did.
    pub fn problems(&self) -> Vec<String> {
        self.lock().problems.clone()
    }

    /// Plans a fault for the call after so many more.
    pub fn plan(&self, after: u64, fault: Fault) {
        let mut state = self.lock();
        let call = state.calls.len() as u64 + after;
        state.plan.faults.push((call, fault));
    }

    pub(crate) fn problem(&self, what: &str) -> BackendError {
        self.lock().problems.push(what.into());
        BackendError::Internal { what: what.into() }
    }

    pub(crate) fn begin(&self, call: String) -> Option<Fault> {
        let mut state = self.lock();
        let number = state.calls.len() as u64;
        state.calls.push(call);
        let mut planned = state.plan.faults.iter();
        planned.find(|(call, _)| *call == number).map(|(_, fault)| fault.clone())
    }

    pub(crate) fn reopen(&self) -> Result<(), BackendError> {
        let mut state = self.lock();
        state.reopens += 1;
        if state.reopens > state.plan.failed_reopens {
            return Ok(());
        }
        let reason = "the device does not come back yet".into();
        Err(BackendError::Unavailable { reason, fix: "Try again.".into() })
    }

    pub(crate) fn shut_down(&self) {
        self.lock().shutdowns += 1;
    }

    /// The number of a new memory.
    pub(crate) fn add_memory(&self, bytes: u64) -> u64 {
        let mut state = self.lock();
        state.live_memories += 1;
        state.live_bytes += bytes;
        state.memories += 1;
        state.memories - 1
    }

    pub(crate) fn remove_memory(&self, bytes: u64) {
        let mut state = self.lock();
        state.live_memories -= 1;
        state.live_bytes -= bytes;
    }

    pub(crate) fn add_executable(&self) {
        self.lock().live_executables += 1;
    }

    pub(crate) fn remove_executable(&self) {
        self.lock().live_executables -= 1;
    }
}
