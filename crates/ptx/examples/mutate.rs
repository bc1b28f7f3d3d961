//! How many one-edit mutants of emitted kernels ptxas or the interpreter of PTX finds: a table by kinds of edits, and the
//! mutants that neither finds.
//!
//! `cargo run -p vyre-ptx --example mutate -- [--every N] [--seeds N] [--text] [PROGRAM...]`, with ptxas in `VYRE_PTXAS` or in the
//! search path. A mutant counts as found by the interpreter when it does not parse, ends in a fault, or gives something
//! else than the oracle, on one of several memories under one of the seeds. Mutants of which ptxas makes the same machine
//! code are the same kernel, and do not count. `--text` shows the kernels, whose lines the list of survivors names.

#[allow(dead_code)] // the tests use the rest of it
#[path = "../tests/machine/mod.rs"]
mod machine;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;
use vyre_conformance::case::{Case, show_all};
use vyre_conformance::random::Random;
use vyre_conformance::suite;
use vyre_conformance::tools::{PTXAS, assemble, in_parallel};
use vyre_conformance::trial::{Memories, PATIENCE, Trial};
use vyre_driver::{BindingPlan, Grid};
use vyre_ir::{BufferDecl, Memory, Program};
use vyre_ptx::{Arch, Kernel, emit, target};
use vyre_ptx_vm::Options;
use vyre_ptx_vm::mutants::{Edit, Mutant, mutants};
use vyre_reference::Bytes;

/// Programs with barriers, grids that wait, subgroups, atomics, every family of types, branches and loops.
const PROGRAMS: [&str; 17] = [
    "atomic_u32_storage.wgsl",
    "barrier_reduction.wgsl",
    "barrier_tiles.wgsl",
    "convert_float_to_int.wgsl",
    "dot_packed.wgsl",
    "f16_arithmetic.wgsl",
    "f64_arithmetic.wgsl",
    "grid_prefix_sum.wgsl",
    "int_shifts.wgsl",
    "loop_for_forms.wgsl",
    "oob_storage.wgsl",
    "pack_float.wgsl",
    "struct_mixed_storage.wgsl",
    "subgroup_scan.wgsl",
    "swap_in_loop.wgsl",
    "switch_selectors.wgsl",
    "u64_arithmetic.wgsl",
];

/// More than any of them takes; a mutant that runs on waits for what never comes.
const STEPS: u64 = 400_000;

/// How many grids and memories a program is tried on besides its file's.
const VARIATIONS: u64 = 23;

/// A program with its kernel, and what it is given and gives.
struct Subject {
    optimized: Program,
    kernel: Kernel,
    runs: Vec<(Trial, Memories)>,
}

/// Who finds a mutant.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Found {
    Parser,
    Fault,
    Result,
    Ptxas,
    /// Nobody, and ptxas makes the same machine code of it: it is the same kernel.
    Same,
    Nobody,
}

fn main() -> ExitCode {
    match mutate() {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}

fn mutate() -> Result<(), String> {
    let (mut every, mut seeds, mut shows, mut names) = (1, 2, false, Vec::new());
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        let mut number = || args.next().and_then(|text| text.parse().ok()).filter(|number| *number > 0);
        match arg.as_str() {
            "--every" => every = number().ok_or("--every needs a number")?,
            "--seeds" => seeds = number().ok_or("--seeds needs a number")? as u64,
            "--text" => shows = true,
            _ => names.push(arg),
        }
    }
    if names.is_empty() {
        names = PROGRAMS.map(String::from).to_vec();
    }
    let ptxas =
        PTXAS.find().ok_or("there is no ptxas: VYRE_PTXAS names none, nor has the search path one")?;
    let arch = Arch::parse("sm_90").ok_or("there is no sm_90")?;
    let mut table: BTreeMap<Edit, [usize; 6]> = BTreeMap::new();
    let mut survivors = Vec::new();
    for name in &names {
        let case = suite::programs().into_iter().find(|case| case.name == *name);
        let subject = Subject::new(&case.ok_or_else(|| format!("there is no program {name}"))?, arch)?;
        let text = subject.kernel.ptx.clone();
        if shows {
            text.lines().enumerate().for_each(|(at, line)| println!("{:4} {line}", at + 1));
        }
        let mut code = Code { ptxas: &ptxas, arch: arch.to_string(), before: None };
        code.before = code.of(&text);
        let sample: Vec<Mutant> = mutants(&text).into_iter().step_by(every).collect();
        let found = in_parallel(&sample, |mutant| subject.judge(mutant, seeds, &code));
        let mut left = 0;
        for (mutant, found) in sample.iter().zip(found) {
            table.entry(mutant.kind).or_default()[found as usize] += 1;
            if found == Found::Nobody {
                left += 1;
                let before = text.lines().nth(mutant.line - 1).unwrap_or_default().trim();
                survivors.push(format!(
                    "{name}:{}: {}: {before} -> {}",
                    mutant.line,
                    mutant.kind,
                    mutant.after.trim()
                ));
            }
        }
        println!("{name}: {left} of {} left, on {} memories", sample.len(), subject.runs.len());
    }
    println!(
        "\n{:16} {:>7} {:>7} {:>7} {:>7} {:>7} {:>7}",
        "edit", "all", "parser", "fault", "result", "ptxas", "left"
    );
    let mut total = [0; 6];
    for (kind, row) in &table {
        print_row(&kind.to_string(), row);
        total.iter_mut().zip(row).for_each(|(total, count)| *total += count);
    }
    print_row("all", &total);
    let all: usize = total.iter().sum();
    let different = all - total[Found::Same as usize];
    let found = different - total[Found::Nobody as usize];
    println!("found, of those that differ: {:.1} %\n", 100.0 * found as f64 / different.max(1) as f64);
    survivors.iter().for_each(|survivor| println!("{survivor}"));
    Ok(())
}

fn print_row(name: &str, row: &[usize; 6]) {
    let all: usize = row.iter().sum();
    let columns: Vec<String> = std::iter::once(&all).chain(row).map(|count| format!("{count:8}")).collect();
    println!("{name:16}{}", columns.concat());
}

impl Subject {
    /// # Errors
    /// A program that the interpreter finds something wrong with as it is.
    fn new(case: &Case, arch: Arch) -> Result<Subject, String> {
        let program = case.program().map_err(|e| show_all(&e))?;
        let optimized = vyre_opt::optimize(&program, &target());
        let options = vyre_ptx::Options { lines: false, ..vyre_ptx::Options::new(arch) };
        let kernel = emit(&optimized, &options).map_err(|e| e.to_string())?;
        let mut subject = Subject { optimized, kernel, runs: Vec::new() };
        let first = as_filed(case, &program)?;
        let expected = oracle(&first)?;
        if let Some(why) = subject.outcome(&subject.kernel, &first, &expected, 0)? {
            return Err(format!("{} is wrong as it is: {why}", case.name));
        }
        subject.runs.push((first.clone(), expected));
        for seed in 1..=VARIATIONS {
            // Other numbers can make a program that races, or that never ends.
            let trial = varied(&first, seed);
            let Ok(expected) = oracle(&trial) else { continue };
            let right = |seed| subject.outcome(&subject.kernel, &trial, &expected, seed) == Ok(None);
            if (0..4).all(right) {
                subject.runs.push((trial, expected));
            }
        }
        Ok(subject)
    }

    /// How a kernel's results differ from what the oracle gives.
    ///
    /// # Errors
    /// A fault.
    fn outcome(
        &self,
        kernel: &Kernel,
        trial: &Trial,
        expected: &Memories,
        seed: u64,
    ) -> Result<Option<String>, String> {
        let options = Options { seed, step_limit: STEPS, ..Options::default() };
        let found = machine::execute_with(&self.optimized, kernel, trial.grid, &trial.contents, &options)?;
        Ok(trial.difference(expected, &found))
    }

    fn judge(&self, mutant: &Mutant, seeds: u64, code: &Code<'_>) -> Found {
        let kernel = Kernel { ptx: mutant.text(&self.kernel.ptx), ..self.kernel.clone() };
        if vyre_ptx_vm::parse(&kernel.ptx).is_err() {
            return Found::Parser;
        }
        for seed in 0..seeds {
            for (trial, expected) in &self.runs {
                match self.outcome(&kernel, trial, expected, seed) {
                    Err(_) => return Found::Fault,
                    Ok(Some(_)) => return Found::Result,
                    Ok(None) => {}
                }
            }
        }
        match code.of(&kernel.ptx) {
            None => Found::Ptxas,
            same if same == code.before => Found::Same,
            _ => Found::Nobody,
        }
    }
}

/// What ptxas makes of modules.
struct Code<'a> {
    ptxas: &'a Path,
    arch: String,
    /// Of the module without an edit.
    before: Option<Vec<u8>>,
}

impl Code<'_> {
    /// `None` where it refuses.
    fn of(&self, ptx: &str) -> Option<Vec<u8>> {
        assemble(self.ptxas, ptx, &self.arch, &[]).ok().map(|cubin| cubin.bytes)
    }
}

/// What a case's file says of grid and inputs.
fn as_filed(case: &Case, program: &Program) -> Result<Trial, String> {
    let plan = BindingPlan::build(program).map_err(|e| e.to_string())?;
    let inputs = case.inputs(program, &plan)?;
    let Grid::Workgroups(grid) = case.config().grid else { return Err("cases count workgroups".into()) };
    let invocations = program.workgroup_invocations() * grid.iter().map(|&n| n as u64).product::<u64>();
    let content = |decl: &BufferDecl| match plan.inputs().zip(&inputs).find(|(b, _)| b.name == decl.name) {
        _ if !decl.memory.is_bound() => Vec::new(),
        Some((_, bytes)) => bytes.clone(),
        None => {
            let bytes = decl.static_bytes().unwrap_or(invocations * decl.element.bytes() as u64);
            vec![0; bytes as usize]
        }
    };
    let contents = program.buffers.values().map(content).collect();
    Ok(Trial { program: program.clone(), grid, contents, patience: PATIENCE })
}

/// Other numbers, other lengths of arrays whose length the program does not say, other grids.
fn varied(trial: &Trial, seed: u64) -> Trial {
    let mut trial = trial.clone();
    let mut random = Random::new(seed);
    for (decl, bytes) in trial.program.buffers.values().zip(&mut trial.contents) {
        let element = decl.element.bytes() as usize;
        if decl.memory.is_bound() && decl.static_bytes().is_none() {
            let count = bytes.len() / element;
            // All longer, all shorter, all any size, or each as it comes.
            let way = if seed % 8 < 4 { seed % 4 } else { random.below(4) as u64 };
            let other = match way {
                1 => count + 1 + random.below(5),
                2 => count - count.min(1 + random.below(3)),
                3 => 1 + random.below(count.max(1)),
                _ => count,
            };
            bytes.resize(other.max(1) * element, 0);
        }
        // Numbers near those that the file has, special ones, and some of any size.
        let scalar = decl.element.scalar;
        for element in bytes.chunks_exact_mut(scalar.bytes() as usize) {
            match random.below(8) {
                0 => element.copy_from_slice(&random.next().to_le_bytes()[..element.len()]),
                1 => element.copy_from_slice(&random.constant(scalar).to_le_bytes()[..element.len()]),
                2..4 => element[0] = element[0].wrapping_add(random.below(7) as u8),
                _ => {}
            }
        }
    }
    if seed % 3 == 2 {
        trial.grid[0] += 1;
    }
    trial
}

/// What the oracle makes of a trial, in subgroups of 32.
fn oracle(trial: &Trial) -> Result<Memories, String> {
    let mut contents = trial.contents.clone();
    let buffers = trial.program.buffers.values().zip(&mut contents);
    let mut buffers: Vec<Bytes<'_>> = buffers
        .map(|(decl, bytes)| match decl.memory {
            Memory::Workgroup | Memory::Private => Bytes::Unbound,
            _ if decl.access.writes() => Bytes::Write(bytes),
            _ => Bytes::Read(bytes),
        })
        .collect();
    let options = vyre_reference::Options { subgroup_size: 32, step_limit: STEPS, ..Default::default() };
    vyre_reference::run(&trial.program, trial.grid, &mut buffers, &options).map_err(|e| e.to_string())?;
    Ok(contents)
}
