//! Runs the programs of a folder on a device.

use crate::case::{Case, Failure};
use std::path::Path;
use vyre_driver::Device;

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

/// Every program file of a folder, by name.
///
/// # Errors
/// A sentence about the file that cannot be read or understood.
pub fn cases(folder: &Path) -> Result<Vec<Case>, String> {
    let entries = std::fs::read_dir(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    let mut paths: Vec<_> = entries.filter_map(|e| e.ok().map(|e| e.path())).collect();
    paths.retain(|p| p.extension().is_some_and(|e| e == "wgsl" || e == "vyre"));
    paths.sort();
    let read = |path: &std::path::PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let source = std::fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))?;
        Case::parse(&name, &source)
    };
    paths.iter().map(read).collect()
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
