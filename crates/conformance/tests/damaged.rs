//! Damaged programs are read or refused, and what is still a program means the same everywhere.

use std::time::Duration;
use vyre_conformance::fuzz::{Campaign, Counts, Plan, Subject};
use vyre_conformance::suite;

/// Runs a campaign over so many seeds.
fn run(seeds: u64, plan: Plan) -> Counts {
    let backend = vyre::acquire("cpu").unwrap();
    let subject = Subject { backend: &*backend, takes_all: true };
    let mut campaign = Campaign { plan, subject, seed: 0, end: seeds, counts: Counts::default() };
    let result = campaign.run(Duration::MAX, &mut |_, _| ());
    result.unwrap_or_else(|failure| panic!("{failure}"));
    campaign.counts
}

fn nothing() -> Plan {
    Plan { backends: false, passes: false, exports: false, text: false, wire: false, sources: Vec::new() }
}

#[test]
fn damaged_text_and_wire_form() {
    let counts = run(400, Plan { text: true, wire: true, ..nothing() });
    assert!(counts.survived > 40 && counts.spread > 20, "{counts}");
}

#[test]
fn damaged_sources() {
    let wgsl = suite::programs().into_iter().filter(|case| case.name.ends_with(".wgsl"));
    let sources = wgsl.map(|case| (case.name, case.source)).collect();
    let counts = run(500, Plan { sources, ..nothing() });
    assert!(counts.survived > 150 && counts.spread > 100, "{counts}");
}
