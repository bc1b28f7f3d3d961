//! What is written computes what programs mean: the programs of the suite give what their files say, and random programs
//! what the oracle gives, on an interpreter of PTX under seeded schedules.

mod machine;

use vyre_conformance::case::{Floats, show_all};
use vyre_conformance::trial::PATIENCE;
use vyre_conformance::{random, suite, trial::Trial};
use vyre_driver::{BindingPlan, Grid};
use vyre_ir::{Memory, Program};
use vyre_ptx::{Arch, Options, emit, target};
use vyre_reference::Bytes;

/// What each program of the suite gives, on an architecture.
fn check_suite(arch: Arch, seed: u64) {
    let (mut problems, mut compared) = (Vec::new(), 0);
    for case in suite::programs() {
        let one = || -> Result<(), String> {
            let program = case.program().map_err(|e| show_all(&e))?;
            let plan = BindingPlan::build(&program).map_err(|e| e.to_string())?;
            let inputs = case.inputs(&program, &plan)?;
            let contents: Vec<Vec<u8>> = program
                .buffers
                .values()
                .map(|decl| match plan.inputs().zip(&inputs).find(|(b, _)| b.name == decl.name) {
                    _ if !decl.memory.is_bound() => Vec::new(),
                    Some((_, bytes)) => bytes.clone(),
                    None => vec![0; decl.static_bytes().unwrap_or(64) as usize],
                })
                .collect();
            let Grid::Workgroups(grid) = case.config().grid else { unreachable!("cases count workgroups") };
            let optimized = vyre_opt::optimize(&program, &target());
            let kernel = emit(&optimized, &Options::new(arch)).map_err(|e| e.to_string())?;
            let after = machine::execute(&optimized, &kernel, grid, &contents, seed, true)?;
            for b in plan.outputs() {
                case.compare(&program, &b.name, &after[b.buffer_index], Floats::Exact)
                    .map_err(|e| format!("{e}\n{}", kernel.ptx))?;
            }
            Ok(())
        };
        match vyre_conformance::trial::caught(one).unwrap_or_else(Err) {
            Ok(()) => compared += 1,
            Err(why) => problems.push(format!("{}: {why}", case.name)),
        }
    }
    assert!(
        problems.is_empty(),
        "{} of {}:\n{}",
        problems.len(),
        compared + problems.len(),
        problems.join("\n")
    );
    assert!(compared > 200, "{compared} compared");
}

#[test]
fn the_suite_on_sm_70() {
    check_suite(Arch::ALL[0], 1);
}

#[test]
fn the_suite_on_sm_90() {
    check_suite(Arch::ALL[3], 2);
}

/// What the oracle makes of a trial, in subgroups of 32.
fn oracle(trial: &Trial) -> Result<Vec<Vec<u8>>, String> {
    let mut contents = trial.contents.clone();
    let buffers = trial.program.buffers.values().zip(&mut contents);
    let mut buffers: Vec<Bytes<'_>> = buffers
        .map(|(decl, bytes)| match decl.memory {
            Memory::Workgroup | Memory::Private => Bytes::Unbound,
            _ if decl.access.writes() => Bytes::Write(bytes),
            _ => Bytes::Read(bytes),
        })
        .collect();
    let options = vyre_reference::Options { subgroup_size: 32, ..Default::default() };
    vyre_reference::run(&trial.program, trial.grid, &mut buffers, &options).map_err(|e| e.to_string())?;
    Ok(contents)
}

fn check_random(trial: &Trial, program: &Program, options: &Options, seed: u64) -> Result<(), String> {
    let expected = oracle(trial)?;
    let kernel = emit(program, options).map_err(|e| e.to_string())?;
    let found = machine::execute(program, &kernel, trial.grid, &trial.contents, seed, true)?;
    match trial.difference(&expected, &found) {
        None => Ok(()),
        Some(difference) => Err(format!("{difference}\n{program}\n{}", kernel.ptx)),
    }
}

#[test]
fn random_programs() {
    let mut problems = Vec::new();
    let first = std::env::var("VYRE_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(0);
    for seed in first..first + 120u64 {
        let options = random::Options {
            wide: seed % 3 == 0,
            grid_syncs: seed % 4 == 0,
            calls: seed % 5 == 0,
            ..random::Options::default()
        };
        let trial = Trial { patience: PATIENCE, ..Trial::random(seed, &options) };
        // Also as it was written: what the optimizer would have simplified is written too.
        let schedule = if seed % 2 == 0 { vyre_opt::Schedule::All } else { vyre_opt::Schedule::Legal };
        let how = vyre_opt::Options { schedule, ..vyre_opt::Options::default() };
        let program = vyre_opt::run(&trial.program, &target(), how);
        let arch = Arch::ALL[[0, 1, 3][seed as usize % 3]];
        let options = Options { gated: seed % 8 < 2, ..Options::new(arch) };
        let one = || check_random(&trial, &program, &options, seed);
        if let Err(why) = vyre_conformance::trial::caught(one).unwrap_or_else(Err) {
            problems.push(format!("seed {seed} {arch}: {why}"));
        }
    }
    assert!(problems.is_empty(), "{} failed\n{}", problems.len(), problems.join("\n"));
}
