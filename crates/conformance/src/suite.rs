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

/// The programs that run on every backend, by name.
///
/// # Panics
/// When a `//!` line of a file is not understood.
pub fn programs() -> Vec<Case> {
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

/// Runs the cases on a device.
pub fn run(device: &Device, cases: &[Case]) -> Report {
    let mut report = Report::default();
    for case in cases {
        let name = case.name.clone();
        match case.run(device, &case.config()) {
            Ok(()) => report.passed.push(name),
            Err(Failure::Unsupported(why)) => report.unsupported.push((name, why)),
            Err(Failure::Wrong(why)) => report.failed.push((name, why)),
            Err(Failure::OutOfBounds(access)) => report.failed.push((name, access.to_string())),
        }
    }
    report
}
