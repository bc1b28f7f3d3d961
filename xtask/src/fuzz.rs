//! `cargo run --release -p xtask -- fuzz`: random and damaged programs for as long as one likes to wait.

use std::time::Duration;
use vyre_conformance::fuzz::{Campaign, Counts, Plan, Subject};
use vyre_conformance::suite;

/// Runs a campaign and prints what it finds.
///
/// # Errors
/// Arguments that are not understood, and the first failure.
pub fn fuzz(mut args: impl Iterator<Item = String>) -> Result<(), String> {
    let (mut seconds, mut seed) = (60, 0);
    let mut named = [false; 6];
    let mut device = "cpu".to_string();
    while let Some(arg) = args.next() {
        let mut value = || args.next().ok_or_else(|| format!("{arg} needs a value"));
        let number = |text: String| text.parse::<u64>().map_err(|e| format!("{arg} {text}: {e}"));
        match arg.as_str() {
            "--seconds" => seconds = number(value()?)?,
            "--seed" => seed = number(value()?)?,
            "--device" => device = value()?,
            "--backends" => named[0] = true,
            "--passes" => named[1] = true,
            "--text" => named[2] = true,
            "--wire" => named[3] = true,
            "--sources" => named[4] = true,
            "--exports" => named[5] = true,
            _ => return Err(format!("`{arg}` is not understood")),
        }
    }
    if named == [false; 6] {
        named = [true; 6];
    }
    let [backends, passes, text, wire, sources, exports] = named;
    let cases = if sources { suite::programs() } else { Vec::new() };
    let wgsl = cases.into_iter().filter(|case| case.name.ends_with(".wgsl"));
    let sources = wgsl.map(|case| (case.name, case.source)).collect();
    let backend = vyre::acquire(&device).map_err(|e| e.to_string())?;
    // The processor also takes what was not made legal for it, which finds more.
    let subject = Subject { backend: &*backend, takes_all: backend.id() == "cpu" };
    let plan = Plan { backends, passes, exports, text, wire, sources };
    let mut campaign = Campaign { plan, subject, seed, end: u64::MAX, counts: Counts::default() };
    let progress = &mut |seed: u64, counts: &Counts| println!("to seed {seed}: {counts}");
    campaign.run(Duration::from_secs(seconds), progress).map_err(|failure| failure.to_string())
}
