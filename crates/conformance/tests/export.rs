//! What goes out as WGSL and comes back in computes the same bytes, before and after the optimizer; and it goes out
//! to the other languages too.
//!
//! Both ways through naga and the importer are judged by the reference interpreter, so that no device takes part.

use std::path::Path;
use vyre_conformance::case::show_all;
use vyre_conformance::{random, suite};
use vyre_driver::BindingPlan;
use vyre_ir::{BufferDecl, Program, Scalar};
use vyre_opt::Target;
use vyre_reference::{Bytes, Options};
use vyre_wgsl::{ImportOptions, export, import_wgsl};

/// The code generator, as the optimizer sees it.
const TARGET: Target = Target { name: "naga", scalar_lanes: false, native: export::native };

/// More than any program here takes.
const STEPS: u64 = 50_000_000;

/// Types that naga has.
fn types() -> Vec<Scalar> {
    Scalar::ALL.into_iter().filter(|s| export::native(vyre_ir::Op::Add, *s)).collect()
}

/// Out to WGSL and in again.
fn around(p: &Program) -> Result<Program, String> {
    let wgsl = export::wgsl(p).map_err(|e| e.to_string())?;
    for (language, error) in
        [("SPIR-V", export::spirv(p).err()), ("MSL", export::msl(p).err()), ("HLSL", export::hlsl(p).err())]
    {
        if let Some(error) = error.filter(|e| e.code != "E005") {
            return Err(format!("{language}: {error}"));
        }
    }
    import_wgsl("exported.wgsl", &wgsl, &ImportOptions::default())
        .map_err(|errors| format!("{}\n{wgsl}", show_all(&errors)))
}

/// The contents of bound buffers, by group and binding.
type Contents = Vec<((u32, u32), Vec<u8>)>;

/// The contents after a run; `contents` are those before it.
fn run(p: &Program, grid: [u32; 3], contents: &Contents) -> Result<Contents, String> {
    let mut contents = contents.clone();
    let place = |decl: &BufferDecl| (decl.group, decl.binding);
    // The exporter pads: rows of uniform memory, words of 16-bit elements.
    for decl in p.buffers.values().filter(|d| d.memory.is_bound()) {
        let bytes = contents.iter_mut().find(|(at, _)| *at == place(decl)).ok_or("an unknown binding")?;
        let least = decl.static_bytes().unwrap_or(0) as usize;
        bytes.1.resize(bytes.1.len().max(least), 0);
    }
    let mut rest: Vec<_> = contents.iter_mut().map(|(at, bytes)| (*at, Some(bytes))).collect();
    let mut buffers: Vec<Bytes<'_>> = Vec::new();
    for decl in p.buffers.values() {
        if !decl.memory.is_bound() {
            buffers.push(Bytes::Unbound);
            continue;
        }
        let slot = rest.iter_mut().find(|(at, _)| *at == place(decl)).expect("it was found above");
        let bytes = slot.1.take().ok_or("two buffers have one binding")?;
        buffers.push(if decl.access.writes() { Bytes::Write(bytes) } else { Bytes::Read(bytes) });
    }
    let options = Options { step_limit: STEPS, ..Options::default() };
    vyre_reference::run(p, grid, &mut buffers, &options).map_err(|e| e.to_string())?;
    drop(buffers);
    Ok(contents)
}

/// Runs a program, and what came back from its export, and compares.
fn compare(p: &Program, grid: [u32; 3], contents: Contents) -> Result<(), String> {
    let expected = run(p, grid, &contents)?;
    let optimized = vyre_opt::optimize(p, &TARGET);
    let expanded = match export::module(p) {
        Err(error) if error.code == "E003" => &optimized,
        _ => p,
    };
    for (which, p) in [("as it is", expanded), ("optimized", &optimized)] {
        let back = around(p).map_err(|e| format!("{which}: {e}"))?;
        let found = run(&back, grid, &contents).map_err(|e| format!("{which}, when it is back: {e}"))?;
        for ((at, want), (_, got)) in expected.iter().zip(&found) {
            if let Some(i) = (0..want.len()).find(|&i| want[i] != got[i]) {
                let wgsl = export::wgsl(p).map_err(|e| e.to_string())?;
                return Err(format!(
                    "{which}: byte {i} at {at:?} is {}, not {}\n{p}\n{wgsl}\n{back}",
                    got[i], want[i]
                ));
            }
        }
    }
    Ok(())
}

#[test]
fn random_programs_come_back_the_same() {
    let narrow: Vec<Scalar> = types().into_iter().filter(|s| s.bytes() < 8 || s.is_float()).collect();
    let (mut compared, mut refused) = (0, 0);
    for seed in 0..300 {
        // 64-bit atomics cannot share a buffer with narrower accesses, and these programs have buffers for everything.
        let scalars = if seed % 4 == 0 { types() } else { narrow.clone() };
        let options = random::Options { scalars, math: seed % 3 == 0, ..random::Options::default() };
        let p = random::program(seed, &options);
        let contents = random::inputs(seed, &p);
        let contents = p.buffers.values().zip(contents).filter(|(d, _)| d.memory.is_bound());
        let contents = contents.map(|(d, bytes)| ((d.group, d.binding), bytes)).collect();
        match compare(&p, random::grid(seed), contents) {
            Ok(()) => compared += 1,
            Err(why) if why.contains("E002") => refused += 1,
            Err(why) => panic!("seed {seed}: {why}"),
        }
    }
    assert!(compared > 200, "{compared} compared, {refused} refused");
}

#[test]
fn the_programs_come_back_the_same() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/programs");
    let (mut compared, mut failures) = (0, Vec::new());
    for case in suite::cases(&folder).unwrap() {
        let name = case.name.clone();
        let one = || {
            let p = case.program().map_err(|e| show_all(&e))?;
            let plan = BindingPlan::build(&p).map_err(|e| e.to_string())?;
            let inputs = case.inputs(&p, &plan)?;
            let mut contents = Contents::new();
            for decl in p.buffers.values().filter(|d| d.memory.is_bound()) {
                let given = plan.inputs().zip(&inputs).find(|(b, _)| b.name == decl.name);
                let bytes = match given {
                    Some((_, bytes)) => bytes.clone(),
                    None => vec![0; decl.static_bytes().unwrap_or(64) as usize],
                };
                contents.push(((decl.group, decl.binding), bytes));
            }
            let grid = match case.config().grid {
                vyre_driver::Grid::Workgroups(grid) => grid,
                _ => unreachable!("cases count workgroups"),
            };
            compare(&p, grid, contents)
        };
        match one() {
            Ok(()) => compared += 1,
            Err(why) => failures.push(format!("{name}: {why}")),
        }
    }
    assert!(
        failures.is_empty(),
        "{} of {}:\n{}",
        failures.len(),
        failures.len() + compared,
        failures.join("\n")
    );
    assert!(compared > 140, "{compared} programs");
}
