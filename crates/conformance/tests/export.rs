//! What goes out as WGSL and comes back in computes the same bytes: random programs, and those of `tests/programs`.

use vyre_conformance::case::show_all;
use vyre_conformance::fuzz::{Outcome, check, exports};
use vyre_conformance::trial::{PATIENCE, Trial};
use vyre_conformance::{random, suite};
use vyre_driver::BindingPlan;
use vyre_ir::Scalar;

#[test]
fn random_programs_come_back_the_same() {
    let narrow: Vec<Scalar> = Scalar::ALL.into_iter().filter(|s| s.bytes() < 8 || s.is_float()).collect();
    let mut compared = 0;
    for seed in 0..300 {
        // 64-bit atomics cannot share a buffer with narrower accesses, and these programs have buffers for everything.
        let scalars = if seed % 4 == 0 { Scalar::ALL.to_vec() } else { narrow.clone() };
        let options = random::Options { scalars, math: seed % 3 == 0, ..random::Options::default() };
        match check(seed, &options, &exports) {
            Ok(outcome) => compared += (outcome != Outcome::Refused) as u32,
            Err(failure) => panic!("{failure}"),
        }
    }
    assert!(compared > 200, "{compared} compared");
}

#[test]
fn the_programs_come_back_the_same() {
    let (mut compared, mut failures) = (0, Vec::new());
    for case in suite::programs() {
        let name = case.name.clone();
        let one = || {
            let program = case.program().map_err(|e| show_all(&e))?;
            // What waits for its grid is said in no language.
            let waits = vyre_opt::split::waits(&program);
            let plan = BindingPlan::build(&program).map_err(|e| e.to_string())?;
            let inputs = case.inputs(&program, &plan)?;
            let contents = program.buffers.values().map(|decl| {
                let given = plan.inputs().zip(&inputs).find(|(b, _)| b.name == decl.name);
                match given {
                    _ if !decl.memory.is_bound() => Vec::new(),
                    Some((_, bytes)) => bytes.clone(),
                    None => vec![0; decl.static_bytes().unwrap_or(64) as usize],
                }
            });
            let contents = contents.collect();
            let grid = match case.config().grid {
                vyre_driver::Grid::Workgroups(grid) => grid,
                _ => unreachable!("cases count workgroups"),
            };
            match exports(&Trial { program, grid, contents, patience: PATIENCE }) {
                Ok(Outcome::Refused) => Err("it is refused".into()),
                Ok(_) => Ok(()),
                Err(problem) if waits && problem.what.contains("E008") => Ok(()),
                Err(problem) => Err(problem.what),
            }
        };
        match one() {
            Ok(()) => compared += 1,
            Err(why) => failures.push(format!("{name}: {why}")),
        }
    }
    let (failed, all) = (failures.len(), failures.len() + compared);
    assert!(failures.is_empty(), "{failed} of {all}:\n{}", failures.join("\n"));
    assert!(compared > 140, "{compared} programs");
}
