//! What was called, what is to go wrong, and what went wrong.

use crate::codes::{Answer, Code, OUT_OF_MEMORY};
use crate::configuration::FaultPlan;
use std::collections::BTreeMap;

/// Lines of a log that are kept.
const LINES: usize = 256;

/// What becomes of a launch.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub(crate) enum Fate {
    Runs,
    Held,
    Loses(Code),
}

/// The journal of a driver.
pub(crate) struct Journal {
    plan: FaultPlan,
    pub calls: BTreeMap<&'static str, u64>,
    pub kernels: BTreeMap<String, u64>,
    pub blocks: u64,
    launches: u64,
    allocations: u64,
    /// Attempts to retain a context that are yet to fail.
    refusals: u64,
    pub faults: Vec<String>,
    pub problems: Vec<String>,
    to_standard_error: bool,
}

impl Journal {
    pub fn new(plan: FaultPlan, to_standard_error: bool) -> Journal {
        Journal {
            plan,
            calls: BTreeMap::new(),
            kernels: BTreeMap::new(),
            blocks: 0,
            launches: 0,
            allocations: 0,
            refusals: 0,
            faults: Vec::new(),
            problems: Vec::new(),
            to_standard_error,
        }
    }

    pub fn set_plan(&mut self, plan: FaultPlan) {
        (self.plan, self.launches, self.allocations, self.refusals) = (plan, 0, 0, 0);
        self.calls.clear();
        self.kernels.clear();
        self.blocks = 0;
    }

    /// Counts a call; whether it goes on.
    pub fn call(&mut self, function: &'static str) -> Answer {
        let count = self.calls.entry(function).or_default();
        *count += 1;
        let call = *count - 1;
        match self.plan.failures.iter().find(|failure| failure.function == function && failure.call == call) {
            Some(failure) => Err(Code(failure.code)),
            None => Ok(()),
        }
    }

    /// Counts an allocation; whether there is memory for it.
    pub fn allocation(&mut self) -> Answer {
        self.allocations += 1;
        if self.plan.out_of_memory == Some(self.allocations - 1) { Err(OUT_OF_MEMORY) } else { Ok(()) }
    }

    /// Counts a launch.
    pub fn launch(&mut self) -> Fate {
        let launch = self.launches;
        self.launches += 1;
        match self.plan.lose {
            Some((lost, code)) if lost == launch => Fate::Loses(Code(code)),
            _ if self.plan.hold == Some(launch) => Fate::Held,
            _ => Fate::Runs,
        }
    }

    /// A device was lost.
    pub fn lost(&mut self) {
        self.refusals = self.plan.refused_retains;
    }

    /// Whether an attempt to retain a context is to fail.
    pub fn refuses(&mut self) -> bool {
        let refuses = self.refusals > 0;
        self.refusals -= u64::from(refuses);
        refuses
    }

    /// Something went wrong on a device.
    pub fn fault(&mut self, text: String) {
        note(&mut self.faults, "fault", text, self.to_standard_error);
    }

    /// The caller does what it must not.
    pub fn problem(&mut self, text: String) {
        note(&mut self.problems, "problem", text, self.to_standard_error);
    }
}

fn note(lines: &mut Vec<String>, kind: &str, text: String, to_standard_error: bool) {
    if to_standard_error {
        eprintln!("libcuda stand-in: {kind}: {text}");
    }
    if lines.len() < LINES {
        lines.push(text);
    }
}
