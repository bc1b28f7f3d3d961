//! How many one-edit mutants of emitted kernels ptxas or the interpreter of PTX finds: a table by kinds of edits, and the
//! mutants that neither finds.
//!
//! `cargo run -p vyre-ptx --example mutate -- [--every N] [--seeds N] [PROGRAM...]`, with ptxas in `VYRE_PTXAS` or in the
//! search path. A mutant counts as found by the interpreter when it does not parse, ends in a fault, or gives something
//! else than the program's file says, under one of the seeds.

#[allow(dead_code)] // the tests use the rest of it
#[path = "../tests/machine/mod.rs"]
mod machine;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;
use vyre_conformance::case::{Case, Floats, show_all};
use vyre_conformance::suite;
use vyre_conformance::tools::{PTXAS, assemble, in_parallel};
use vyre_driver::{BindingPlan, Grid};
use vyre_ir::Program;
use vyre_ptx::{Arch, Kernel, emit, target};
use vyre_ptx_vm::Options;
use vyre_ptx_vm::mutants::{Edit, Mutant, mutants};

/// Programs with barriers, grids that wait, subgroups, atomics, every family of types, branches and loops.
const PROGRAMS: [&str; 16] = [
    "atomic_compare_exchange.wgsl",
    "atomic_u32_storage.wgsl",
    "barrier_reduction.wgsl",
    "barrier_tiles.wgsl",
    "convert_float_to_int.wgsl",
    "f16_arithmetic.wgsl",
    "f64_arithmetic.wgsl",
    "grid_prefix_sum.wgsl",
    "grid_sync_edges.wgsl",
    "loop_for_forms.wgsl",
    "subgroup_scan.wgsl",
    "subgroup_shuffle.wgsl",
    "subgroup_vote.wgsl",
    "switch_selectors.wgsl",
    "u64_arithmetic.wgsl",
    "vector_arithmetic.wgsl",
];

/// More than any of them takes; a mutant that runs on waits for what never comes.
const STEPS: u64 = 400_000;

/// A program with its kernel, and what it is given.
struct Subject {
    case: Case,
    program: Program,
    optimized: Program,
    kernel: Kernel,
    grid: [u32; 3],
    contents: Vec<Vec<u8>>,
}

/// Who finds a mutant.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Found {
    Parser,
    Fault,
    Result,
    Ptxas,
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
    let (mut every, mut seeds, mut names) = (1, 3, Vec::new());
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        let mut number = || args.next().and_then(|text| text.parse().ok()).filter(|number| *number > 0);
        match arg.as_str() {
            "--every" => every = number().ok_or("--every needs a number")?,
            "--seeds" => seeds = number().ok_or("--seeds needs a number")? as u64,
            _ => names.push(arg),
        }
    }
    if names.is_empty() {
        names = PROGRAMS.map(String::from).to_vec();
    }
    let ptxas =
        PTXAS.find().ok_or("there is no ptxas: VYRE_PTXAS names none, nor has the search path one")?;
    let arch = Arch::parse("sm_90").ok_or("there is no sm_90")?;
    let mut table: BTreeMap<Edit, [usize; 5]> = BTreeMap::new();
    let mut survivors = Vec::new();
    for name in &names {
        let case = suite::programs().into_iter().find(|case| case.name == *name);
        let subject = Subject::new(case.ok_or_else(|| format!("there is no program {name}"))?, arch)?;
        // The text has comments of lines that the table shows.
        let text = subject.kernel.ptx.clone();
        let sample: Vec<Mutant> = mutants(&text).into_iter().step_by(every).collect();
        let found = in_parallel(&sample, |mutant| subject.judge(mutant, seeds, &ptxas, arch));
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
        println!("{name}: {left} of {} left", sample.len());
    }
    println!(
        "\n{:16} {:>7} {:>7} {:>7} {:>7} {:>7} {:>7}",
        "edit", "all", "parser", "fault", "result", "ptxas", "left"
    );
    let mut total = [0; 5];
    for (kind, row) in &table {
        print_row(&kind.to_string(), row);
        total.iter_mut().zip(row).for_each(|(total, count)| *total += count);
    }
    print_row("all", &total);
    let all: usize = total.iter().sum();
    println!("found: {:.1} %\n", 100.0 * (all - total[Found::Nobody as usize]) as f64 / all.max(1) as f64);
    survivors.iter().for_each(|survivor| println!("{survivor}"));
    Ok(())
}

fn print_row(name: &str, row: &[usize; 5]) {
    let [parser, fault, result, ptxas, nobody] = row;
    let all: usize = row.iter().sum();
    println!("{name:16} {all:7} {parser:7} {fault:7} {result:7} {ptxas:7} {nobody:7}");
}

impl Subject {
    fn new(case: Case, arch: Arch) -> Result<Subject, String> {
        let program = case.program().map_err(|e| show_all(&e))?;
        let plan = BindingPlan::build(&program).map_err(|e| e.to_string())?;
        let inputs = case.inputs(&program, &plan)?;
        let Grid::Workgroups(grid) = case.config().grid else { return Err("cases count workgroups".into()) };
        let invocations = program.workgroup_invocations() * grid.iter().map(|&n| n as u64).product::<u64>();
        let content = |decl: &vyre_ir::BufferDecl| match plan
            .inputs()
            .zip(&inputs)
            .find(|(b, _)| b.name == decl.name)
        {
            _ if !decl.memory.is_bound() => Vec::new(),
            Some((_, bytes)) => bytes.clone(),
            None => {
                let bytes = decl.static_bytes().unwrap_or(invocations * decl.element.bytes() as u64);
                vec![0; bytes as usize]
            }
        };
        let contents = program.buffers.values().map(content).collect();
        let optimized = vyre_opt::optimize(&program, &target());
        let options = vyre_ptx::Options { lines: false, ..vyre_ptx::Options::new(arch) };
        let kernel = emit(&optimized, &options).map_err(|e| e.to_string())?;
        let subject = Subject { case, program, optimized, kernel, grid, contents };
        for seed in 0..4 {
            let right = subject.run(&subject.kernel, seed)?;
            right.map_err(|why| format!("{} is wrong as it is: {why}", subject.case.name))?;
        }
        Ok(subject)
    }

    /// Whether a kernel gives what the program's file says; outer errors are faults.
    fn run(&self, kernel: &Kernel, seed: u64) -> Result<Result<(), String>, String> {
        let options = Options { seed, step_limit: STEPS, ..Options::default() };
        let after = machine::execute_with(&self.optimized, kernel, self.grid, &self.contents, &options)?;
        let plan = BindingPlan::build(&self.program).map_err(|e| e.to_string())?;
        for b in plan.outputs() {
            if let Err(why) = self.case.compare(&self.program, &b.name, &after[b.buffer_index], Floats::Exact)
            {
                return Ok(Err(why));
            }
        }
        Ok(Ok(()))
    }

    fn judge(&self, mutant: &Mutant, seeds: u64, ptxas: &PathBuf, arch: Arch) -> Found {
        let kernel = Kernel { ptx: mutant.text(&self.kernel.ptx), ..self.kernel.clone() };
        if vyre_ptx_vm::parse(&kernel.ptx).is_err() {
            return Found::Parser;
        }
        for seed in 0..seeds {
            match self.run(&kernel, seed) {
                Err(_) => return Found::Fault,
                Ok(Err(_)) => return Found::Result,
                Ok(Ok(())) => {}
            }
        }
        match assemble(ptxas, &kernel.ptx, &arch.to_string(), &[]) {
            Err(_) => Found::Ptxas,
            Ok(_) => Found::Nobody,
        }
    }
}
