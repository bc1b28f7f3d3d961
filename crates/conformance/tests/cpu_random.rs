//! Random programs give the same bytes on the backend `cpu` as on the oracle: as they are, and optimized for it.
//!
//! A failure names the seed and shows a small program with the same problem.

use vyre_conformance::fuzz::{Outcome, Subject, check};
use vyre_conformance::random::Options;
use vyre_ir::Scalar;

/// Checks the programs of all seeds; one that is refused is replaced by one without subgroup operations.
fn check_all(seeds: std::ops::Range<u64>, options: &Options) {
    let backend = vyre::acquire("cpu").unwrap();
    let subject = Subject { backend: &*backend, takes_all: true };
    let taken = |seed: u64, options: &Options| match check(seed, options, &|trial| subject.check(trial)) {
        Ok(outcome) => outcome != Outcome::Refused,
        Err(failure) => panic!("{failure}"),
    };
    // A subgroup operation in control flow that may diverge.
    let refused: Vec<u64> = seeds.clone().filter(|&seed| !taken(seed, options)).collect();
    assert!(refused.len() * 4 < seeds.count() * 3, "{} programs are refused", refused.len());
    for seed in refused {
        assert!(taken(seed, &Options { subgroups: false, ..options.clone() }), "seed {seed} is refused");
    }
}

#[test]
fn programs_of_all_types() {
    check_all(0..1000, &Options { math: false, ..Options::default() });
}

#[test]
fn programs_of_32_bit_types() {
    let scalars = vec![Scalar::I32, Scalar::U32, Scalar::F32];
    check_all(1000..1600, &Options { scalars, statements: 24, math: false, ..Options::default() });
}

#[test]
fn programs_with_mathematical_functions() {
    check_all(1600..2000, &Options { vectors: false, ..Options::default() });
}
