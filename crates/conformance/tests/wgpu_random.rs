//! Random programs of whole numbers give the same bytes on every device of the backend `wgpu` as on the oracle.
//!
//! A failure names the device and the seed and shows a small program with the same problem. `xtask fuzz --device ID` goes
//! on with other seeds. Floats are not compared bit by bit: the suite's rows say how far off they may be.

use vyre_conformance::devices::devices;
use vyre_conformance::fuzz::{Outcome, Subject, check};
use vyre_conformance::random::Options;
use vyre_ir::Scalar;

/// Checks the programs of all seeds on every device, of as many types as the device has.
fn check_all(seeds: std::ops::Range<u64>, options: &Options) {
    for name in devices("wgpu") {
        let backend = vyre::acquire(&name).unwrap_or_else(|e| panic!("{name}: {e}"));
        let subject = Subject { backend: &*backend, takes_all: false };
        let options = subject.comparable(options);
        let refused = |seed: &u64| match check(*seed, &options, &|trial| subject.check(trial)) {
            Ok(outcome) => outcome == Outcome::Refused,
            Err(failure) => panic!("{name}: {failure}"),
        };
        let (tried, refused) = (seeds.clone().count(), seeds.clone().filter(refused).count());
        assert!(refused * 4 <= tried, "{name} refuses {refused} of {tried} programs");
    }
}

fn whole() -> Vec<Scalar> {
    Scalar::ALL.into_iter().filter(|scalar| !scalar.is_float()).collect()
}

#[test]
fn programs_of_all_integers() {
    check_all(0..50, &Options { scalars: whole(), math: false, ..Options::default() });
}

#[test]
fn programs_of_32_bit_integers() {
    let scalars = vec![Scalar::I32, Scalar::U32];
    check_all(100..160, &Options { scalars, statements: 24, math: false, ..Options::default() });
}

#[test]
fn programs_of_larger_workgroups() {
    let scalars = vec![Scalar::I32, Scalar::U32, Scalar::U8, Scalar::I16];
    check_all(200..240, &Options { scalars, wide: true, math: false, ..Options::default() });
}
