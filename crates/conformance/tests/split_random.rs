//! Random programs that wait for their grid give the same as a whole and as stages, and before and after every pass.
//!
//! A failure names the seed and shows a small program with the same problem.

use vyre_conformance::devices::devices;
use vyre_conformance::fuzz::{Kind, Outcome, Problem, Subject, check, pass_of, passes, stages, target_of};
use vyre_conformance::random::Options;
use vyre_conformance::trial::{STEPS, Trial};
use vyre_driver::{Device, DispatchConfig, GridSync};
use vyre_ir::Scalar;

fn options(seed: u64) -> Options {
    let base = Options { grid_syncs: true, math: false, statements: 12, ..Options::default() };
    match seed % 3 {
        0 => base,
        1 => Options { wide: true, statements: 8, ..base },
        _ => Options { scalars: vec![Scalar::I32, Scalar::F32], statements: 20, ..base },
    }
}

/// Checks the programs of all seeds; they are of `least` stages at least.
fn check_all(seeds: std::ops::Range<u64>, least: usize) {
    let mut found = 0;
    for seed in seeds {
        let (before, after) = (seed % 2 == 0, seed % 4 < 2);
        match check(seed, &options(seed), &|trial| stages(trial, before, after)) {
            Ok(Outcome::Agrees(stages)) => found += stages,
            Ok(Outcome::Refused) => panic!("seed {seed} is refused"),
            Err(failure) => panic!("{failure}"),
        }
    }
    assert!(found >= least, "only {found} stages");
}

#[test]
fn first_programs() {
    check_all(0..500, 1500);
}

#[test]
fn further_programs() {
    check_all(500..1000, 1500);
}

/// Checks that devices of a backend give as stages what the oracle gives.
fn devices_give_the_same(name: &str, seeds: std::ops::Range<u64>, scalars: &[Scalar]) {
    for name in devices(name) {
        let backend = vyre::acquire(&name).unwrap_or_else(|e| panic!("{name}: {e}"));
        let of = |seed| {
            let subject = Subject { backend: &*backend, takes_all: false };
            let base = Options { scalars: scalars.to_vec(), statements: 8, ..options(seed) };
            subject.comparable(&base)
        };
        let wanted: Vec<(u64, Options)> = seeds.clone().map(|seed| (seed, of(seed))).collect();
        let device = Device::new(backend);
        let config = DispatchConfig { grid_sync: GridSync::Stages, ..DispatchConfig::default() };
        for (seed, options) in wanted {
            let compare = |trial: &Trial| {
                let problem = |what: String| Problem::new(Kind::Fails, what);
                let expected = trial.oracle(STEPS).map_err(problem)?;
                let found = trial.device(&device, &config).map_err(|e| problem(format!("{name}: {e}")))?;
                match trial.difference(&expected, &found) {
                    Some(difference) => Err(Problem::new(Kind::Differs, format!("{name}: {difference}"))),
                    None => Ok(Outcome::Agrees(1)),
                }
            };
            check(seed, &options, &compare).unwrap_or_else(|failure| panic!("{failure}"));
        }
    }
}

#[test]
fn on_the_processor() {
    devices_give_the_same("cpu", 3000..3060, &Scalar::ALL);
}

#[test]
fn on_graphics_devices() {
    devices_give_the_same("wgpu", 4000..4012, &[Scalar::I32, Scalar::U32]);
}

#[test]
fn passes_keep_grid_syncs() {
    for seed in 2000..2100 {
        let all = |trial: &_| passes(trial, &target_of(seed), &[pass_of(seed)]);
        check(seed, &options(seed), &all).unwrap_or_else(|failure| panic!("{failure}"));
    }
}
