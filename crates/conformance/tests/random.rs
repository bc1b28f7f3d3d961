//! Random programs give the same bytes before and after every pass of the optimizer.
//!
//! The oracle interprets the program as generated. A failure names the seed and the pass, and shows a small program
//! with the same problem before and after the pass.

use vyre_conformance::fuzz::{Outcome, check, pass_of, passes, target_of};
use vyre_conformance::random::Options;
use vyre_conformance::trial::Trial;
use vyre_ir::Scalar;
use vyre_opt::pipeline::{self, pass};
use vyre_opt::{Schedule, Target, run};

fn check_all(seeds: std::ops::Range<u64>, options: &Options) {
    let mut changes = 0;
    for seed in seeds.clone() {
        match check(seed, options, &|trial| passes(trial, &target_of(seed), &[pass_of(seed)])) {
            Ok(Outcome::Agrees(n)) => changes += n,
            Ok(Outcome::Refused) => unreachable!("the oracle runs every program"),
            Err(failure) => panic!("{failure}"),
        }
    }
    assert!(changes > 5 * seeds.count(), "the passes find too little to do: {changes} changes");
}

/// Everything but the operations that are defined by expansions: these fill programs with their expansions.
fn basic() -> Options {
    Options { math: false, ..Options::default() }
}

#[test]
fn passes_keep_the_outputs_of_programs_of_all_types() {
    check_all(0..900, &basic());
}

#[test]
fn passes_keep_the_outputs_of_programs_of_32_bit_types() {
    let scalars = vec![Scalar::I32, Scalar::U32, Scalar::F32];
    check_all(1000..1600, &Options { scalars, statements: 24, ..basic() });
}

#[test]
fn passes_keep_the_outputs_of_scalar_programs() {
    check_all(1600..2000, &Options { vectors: false, subgroups: false, ..basic() });
}

#[test]
fn passes_keep_the_outputs_of_programs_with_mathematical_functions() {
    let scalars = vec![Scalar::F16, Scalar::F32, Scalar::I32];
    check_all(2000..2200, &Options { scalars, statements: 8, depth: 2, ..Options::default() });
}

/// How many of 300 random programs a pass changes.
fn changed_by(name: &str) -> usize {
    let target = Target { unroll: 4_000, branches: true, ..Target::SCALAR };
    let pass = [pass(name).expect("a pass")];
    let changes = |&seed: &u64| {
        let p = Trial::random(seed, &basic()).program;
        let options = pipeline::Options { schedule: Schedule::Only(&pass), ..Default::default() };
        run(&p, &target, options).to_string() != p.to_string()
    };
    (0..300).filter(changes).count()
}

#[test]
fn random_programs_have_loops_to_change() {
    let found = ["unroll", "rotate", "carry"].map(changed_by);
    assert!(found[0] > 50 && found[1] > 50 && found[2] > 10, "{found:?}");
}
