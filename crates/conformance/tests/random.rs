//! Random programs give the same bytes before and after every pass of the optimizer.
//!
//! The oracle interprets the program as generated. A failure names the seed and the pass and shows the
//! program before and after it.

use vyre_conformance::random::{self, Options};
use vyre_ir::verify::verify;
use vyre_ir::{Memory, Program, Scalar};
use vyre_opt::pipeline::{self, PASSES, Schedule, run as run_passes};
use vyre_opt::{Target, optimize_with};
use vyre_reference::{Bytes, run};

/// More than any generated program takes.
const STEPS: u64 = 20_000_000;

/// The contents of all bound buffers after a run.
fn outputs(seed: u64, p: &Program) -> Result<Vec<Vec<u8>>, String> {
    let mut contents = random::inputs(seed, p);
    let mut buffers: Vec<Bytes<'_>> = p
        .buffers
        .values()
        .zip(&mut contents)
        .map(|(decl, bytes)| match decl.memory {
            Memory::Workgroup | Memory::Private => Bytes::Unbound,
            _ if decl.access.writes() => Bytes::Write(bytes),
            _ => Bytes::Read(bytes),
        })
        .collect();
    let options = vyre_reference::Options { step_limit: STEPS, ..Default::default() };
    run(p, random::grid(seed), &mut buffers, &options).map_err(|e| e.to_string())?;
    Ok(contents)
}

/// Runs all passes, and one of them alone; how often a pass changed the program, or what went wrong.
fn check(seed: u64, options: &Options) -> Result<usize, String> {
    let p = random::program(seed, options);
    verify(&p).map_err(|errors| format!("seed {seed} does not verify: {}\n{p}", errors[0]))?;
    let expected = outputs(seed, &p).map_err(|e| format!("seed {seed} does not run: {e}\n{p}"))?;
    let judge = |pass: &str, before: &Program, after: &Program| {
        let problem = match outputs(seed, after) {
            Ok(found) if found == expected => return Ok(()),
            Ok(found) => {
                let wrong = p.buffers.values().zip(expected.iter().zip(&found)).find(|(_, (a, b))| a != b);
                format!("changes `{}`", wrong.expect("the outputs differ").0.name)
            }
            Err(error) => format!("makes a program that does not run: {error}"),
        };
        Err(format!("seed {seed}: `{pass}` {problem}\n--- before\n{before}\n--- after\n{after}"))
    };
    let target = if seed.is_multiple_of(2) { Target::SCALAR } else { Target::VECTOR };
    let (mut before, mut changes, mut result) = (p.clone(), 0, Ok(()));
    let optimized = optimize_with(&p, &target, &mut |pass, after| {
        changes += 1;
        if result.is_ok() {
            result = judge(pass.name, &before, after);
            before = after.clone();
        }
    });
    result?;
    judge("compact", &before, &optimized)?;
    // What the passes before it would have tidied up.
    let pass = &PASSES[seed as usize % PASSES.len()];
    let schedule = Schedule::Only(&[pass]);
    judge(pass.name, &p, &run_passes(&p, &target, pipeline::Options { schedule, ..Default::default() }))?;
    Ok(changes)
}

fn check_all(seeds: std::ops::Range<u64>, options: &Options) {
    let mut changes = 0;
    for seed in seeds.clone() {
        match check(seed, options) {
            Ok(n) => changes += n,
            Err(message) => panic!("{message}"),
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
