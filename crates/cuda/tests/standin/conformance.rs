//! The suite's programs and the rows of the table of operations, on the stand-in, which looks for races and for reads of what
//! was never written.

use crate::{device, on};
use vyre_conformance::fuzz::{Subject, check};
use vyre_conformance::random::Options;
use vyre_conformance::rows::{self, Verdict};
use vyre_conformance::suite;
use vyre_ir::Scalar;
use vyre_libcuda::Configuration;

/// Programs that are written with a race: invocations store the same value in one place.
const RACING: [&str; 1] = ["workgroup_zero.wgsl"];

/// Runs every program, compares, and looks at what the stand-in has seen.
fn run_programs(configuration: Configuration) {
    let races = configuration.races;
    on(configuration, |control| {
        let mut programs = suite::programs();
        programs.retain(|program| !races || !RACING.contains(&&*program.name));
        let report = suite::run(&device("cuda"), &programs);
        let failed: Vec<String> = report.failed.iter().map(|(name, why)| format!("{name}: {why}")).collect();
        let faults = control.report().faults;
        assert!(failed.is_empty(), "{} programs fail:\n{}\n{faults:#?}", failed.len(), failed.join("\n"));
        assert!(report.unsupported.is_empty(), "{:#?}", report.unsupported);
        assert!(report.passed.len() >= 200, "only {} programs were found", report.passed.len());
        assert_eq!(faults, [""; 0]);
    });
}

#[test]
fn every_program_is_right() {
    run_programs(Configuration { races: true, ..Configuration::default() });
}

/// Where blocks cannot wait for each other, on the oldest device and with the oldest driver.
#[test]
fn every_program_is_right_in_stages() {
    run_programs(Configuration {
        cooperative_launch: false,
        memory_pools: false,
        graphs: false,
        compute_capability: (7, 0),
        ..Configuration::default()
    });
}

#[test]
fn every_operation_is_right() {
    on(Configuration::default(), |_| {
        let device = device("cuda");
        let all = rows::signatures();
        assert!(all.len() > 400, "only {} rows", all.len());
        let verdicts = all.iter().map(|signature| (signature, rows::check(&device, signature)));
        let wrong: Vec<String> = verdicts
            .filter(|(_, verdict)| !matches!(verdict, Verdict::Exact | Verdict::Passed(_)))
            .map(|(signature, verdict)| format!("{signature:?}: {verdict:?}"))
            .collect();
        assert!(wrong.is_empty(), "{} rows are wrong:\n{}", wrong.len(), wrong.join("\n"));
    });
}

/// Random programs give the same bytes as on the oracle, floats included.
fn check_random(seeds: std::ops::Range<u64>, options: &Options) {
    on(Configuration::default(), |control| {
        let backend = vyre_driver::acquire("cuda").unwrap();
        let subject = Subject { backend: &*backend, takes_all: false };
        let options = subject.comparable(options);
        for seed in seeds {
            if let Err(failure) = check(seed, &options, &|trial| subject.check(trial)) {
                panic!("{failure}\n{:#?}", control.report().faults);
            }
        }
    });
}

#[test]
fn random_programs_of_all_types() {
    check_random(0..80, &Options::default());
}

#[test]
fn random_programs_of_larger_workgroups() {
    let scalars = vec![Scalar::I32, Scalar::U32, Scalar::F32, Scalar::U8];
    check_random(100..160, &Options { scalars, wide: true, ..Options::default() });
}
