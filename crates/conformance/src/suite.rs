//! The programs of `tests/programs`, and running them on a device.

use crate::case::{Case, Failure};
use vyre_driver::Device;

include!(concat!(env!("OUT_DIR"), "/programs.rs"));

/// What became of the cases.
#[derive(Default, Debug)]
pub struct Report {
    /// Names of the cases that passed.
    pub passed: Vec<String>,
    /// Cases that the backend refused, with what it said.
    pub unsupported: Vec<(String, String)>,
    /// Cases that failed, with why.
    pub failed: Vec<(String, String)>,
}

/// The programs that run on every backend, by name. What they call is installed.
///
/// # Panics
/// When a `//!` line of a file is not understood.
pub fn programs() -> Vec<Case> {
    crate::dialect::install();
    read(PROGRAMS)
}

/// The programs that are refused, by name.
///
/// # Panics
/// When a `//!` line of a file is not understood.
pub fn invalid() -> Vec<Case> {
    read(INVALID)
}

fn read(files: &[(&str, &str)]) -> Vec<Case> {
    files.iter().map(|(name, text)| Case::parse(name, text).unwrap_or_else(|e| panic!("{e}"))).collect()
}

/// What a device lacks, of a refusal that names it: `f64` of "this device has no f64".
pub fn lacks(refusal: &str) -> Option<&str> {
    let (_, what) = refusal.split_once(" has no ")?;
    let what = what.lines().next()?.split([',', ':', ';', '.', '(']).next()?.trim();
    (!what.is_empty()).then_some(what)
}

/// Runs the cases on a device.
pub fn run(device: &Device, cases: &[Case]) -> Report {
    let mut report = Report::default();
    cases.iter().for_each(|case| report.add(device, case));
    report
}

impl Report {
    /// Runs a case on a device.
    pub fn add(&mut self, device: &Device, case: &Case) {
        let name = case.name.clone();
        match case.run(device, &case.config()) {
            Ok(()) => self.passed.push(name),
            Err(Failure::Unsupported(why)) => self.unsupported.push((name, why)),
            Err(Failure::Wrong(why)) => self.failed.push((name, why)),
            Err(Failure::OutOfBounds(access)) => self.failed.push((name, access.to_string())),
        }
    }
}
