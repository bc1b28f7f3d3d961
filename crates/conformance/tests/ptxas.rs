//! What NVIDIA's assembler makes of the suite's programs and of the examples: it takes them for every architecture, and
//! nothing is spilled. What they take of an sm_90 is in `tests/ptx/registers.txt`; what their instructions are, for some
//! programs in `tests/ptx`.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use vyre_conformance::suite;
use vyre_conformance::tools::{
    NVDISASM, PTXAS, Usage, assemble, disassemble, in_parallel, instructions,
};
use vyre_ir::{Memory, Program};
use vyre_opt::{optimize, queue};
use vyre_ptx::{Arch, Options, emit, target};
use vyre_wgsl::{ImportOptions, import_wgsl};

/// The architecture whose table is kept.
const KEPT: &str = "sm_90";

fn root(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)
}

/// The WGSL files of a folder, by name.
fn sources(folder: &str) -> Vec<(String, String)> {
    let entries = std::fs::read_dir(root(folder)).unwrap();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "wgsl"));
    paths.sort();
    let read = |path: PathBuf| {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        (name, std::fs::read_to_string(&path).unwrap())
    };
    paths.into_iter().map(read).collect()
}

fn import(name: &str, source: &str) -> Program {
    import_wgsl(name, source, &ImportOptions::default()).unwrap_or_else(|e| panic!("{name}: {e:?}"))
}

/// All programs, optimized. One that handles a work queue is its stages.
fn programs() -> Vec<(String, Program)> {
    let mut all: Vec<(String, Program)> = Vec::new();
    for case in suite::programs() {
        let name = case.name.trim_end_matches(".wgsl").trim_end_matches(".vyre");
        all.push((name.into(), case.program().unwrap_or_else(|e| panic!("{name}: {e:?}"))));
    }
    for (name, source) in sources("examples") {
        let program = import(&name, &source);
        if !queue::has_queue(&program) {
            all.push((format!("examples/{name}"), program));
            continue;
        }
        let (staged, _) = queue::queue(&program).unwrap_or_else(|e| panic!("{name}: {e}"));
        for (i, stage) in staged.stages.into_iter().enumerate() {
            all.push((format!("examples/{name}/{i}"), stage));
        }
    }
    in_parallel(&all, |(name, program)| (name.clone(), optimize(program, &target())))
}

/// What a program takes of an architecture.
fn usage(ptxas: &Path, program: &Program, arch: Arch) -> Result<Usage, String> {
    let kernel = emit(program, &Options::new(arch)).map_err(|e| e.to_string())?;
    let usage = assemble(ptxas, &kernel.ptx, &arch.to_string(), &[])?.kernels;
    let [usage] = usage.try_into().map_err(|all| format!("it is not one kernel: {all:?}"))?;
    let has_arrays = program.buffers.values().any(|decl| decl.memory == Memory::Private);
    if usage.spilled > 0 || usage.local > 0 && !has_arrays {
        return Err(format!("local memory is used: {usage:?}"));
    }
    if usage.shared != kernel.static_shared {
        return Err(format!("{} bytes of shared memory are declared: {usage:?}", kernel.static_shared));
    }
    Ok(usage)
}

#[test]
fn ptxas_takes_every_program_and_spills_nothing() {
    let Some(ptxas) = PTXAS.for_test() else { return };
    let programs = programs();
    let archs: Vec<Arch> = Arch::ALL.into_iter().filter(|arch| arch.sm != 89).collect();
    let work: Vec<(&str, &Program, Arch)> = (archs.iter())
        .flat_map(|arch| programs.iter().map(|(name, program)| (&**name, program, *arch)))
        .collect();
    let results = in_parallel(&work, |(_, program, arch)| usage(&ptxas, program, *arch));
    let mut failed = Vec::new();
    let mut table = String::from(
        "# Of a thread, registers and bytes of local memory; of a block, bytes of shared memory. For sm_90, by ptxas 12.9.\n\
         # program  registers  shared  local\n",
    );
    for ((name, _, arch), result) in work.iter().zip(results) {
        match result {
            Err(why) => failed.push(format!("{name} for {arch}: {why}")),
            Ok(usage) if arch.to_string() == KEPT => {
                let Usage { registers, shared, local, .. } = usage;
                writeln!(table, "{name} {registers} {shared} {local}").unwrap();
            }
            Ok(_) => {}
        }
    }
    assert!(failed.is_empty(), "{} of {}:\n{}", failed.len(), work.len(), failed.join("\n"));
    assert!(programs.len() >= 200, "only {} programs were found", programs.len());
    let path = root("tests/ptx/registers.txt");
    if std::env::var_os("VYRE_BLESS").is_some() {
        return std::fs::write(path, table).unwrap();
    }
    let kept = std::fs::read_to_string(path).unwrap_or_default().replace("\r\n", "\n");
    let other: Vec<String> = (table.lines())
        .filter(|line| !kept.lines().any(|other| other == *line))
        .map(|line| {
            let name = line.split(' ').next().unwrap_or_default();
            let was = kept.lines().find(|other| other.split(' ').next() == Some(name)).unwrap_or("not there");
            format!("{was} -> {line}")
        })
        .collect();
    assert!(
        other.is_empty() && kept.lines().count() == table.lines().count(),
        "registers, shared, local changed:\n{}\nWith VYRE_BLESS=1 the test writes tests/ptx/registers.txt",
        other.join("\n")
    );
}

/// Whether an instruction has a name with its suffixes, among others.
fn is(instruction: &str, name: &str) -> bool {
    let mut suffixes = instruction.split('.');
    let mut wanted = name.split('.');
    let first = wanted.next().unwrap_or_default();
    // RED and REDG, ATOM and ATOMG name the same before and after the space of the address is known.
    let kind = suffixes.next().unwrap_or_default();
    (kind == first || first == "RED" && kind == "REDG") && wanted.all(|part| suffixes.any(|s| s == part))
}

#[test]
fn names_of_instructions_are_told_apart() {
    assert!(is("LDG.E.128.CONSTANT", "LDG.E.128") && is("REDG.E.ADD.STRONG.GPU", "RED") && is("FADD", "FADD"));
    assert!(!is("LDG.E.64", "LDG.E.128") && !is("REDUX.SUM", "RED") && !is("DADD", "FADD"));
}

#[test]
fn machine_code_has_what_programs_should_have() {
    let (Some(ptxas), Some(nvdisasm)) = (PTXAS.for_test(), NVDISASM.for_test()) else { return };
    let check = |(name, source): &(String, String)| -> Vec<String> {
        let program = optimize(&import(name, source), &target());
        let kernel = emit(&program, &Options::new(Arch::parse(KEPT).unwrap())).unwrap();
        let cubin = assemble(&ptxas, &kernel.ptx, KEPT, &[]).unwrap_or_else(|e| panic!("{name}: {e}"));
        let sass = disassemble(&nvdisasm, &cubin.bytes).unwrap_or_else(|e| panic!("{name}: {e}"));
        let wanted = source.lines().filter_map(|line| line.strip_prefix("//! ")?.split_once(' '));
        let mut wrong = Vec::new();
        for (word, instruction) in wanted.filter(|(word, _)| matches!(*word, "has" | "lacks")) {
            let count = instructions(&sass).filter(|have| is(have, instruction)).count();
            if (count > 0) != (word == "has") {
                wrong.push(format!("{name} {word} {instruction}: it has {count}"));
            }
        }
        wrong
    };
    let programs = sources("tests/ptx");
    let wrong = in_parallel(&programs, check).concat();
    assert!(programs.len() >= 6 && wrong.is_empty(), "{}", wrong.join("\n"));
}
