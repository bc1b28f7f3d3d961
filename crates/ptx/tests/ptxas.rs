//! What NVIDIA's assembler makes of what is written: it takes every program of the suite, every example, every kernel that
//! is measured and random programs without a warning, and spills nothing. What programs take of an sm_90 is in
//! `tests/ptx/registers.txt`; what their instructions are, for the programs in `tests/ptx`.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use vyre_conformance::case::show_all;
use vyre_conformance::tools::{
    NVDISASM, PTXAS, Usage, assemble, disassemble, in_parallel, instructions, joined,
};
use vyre_conformance::{random, suite};
use vyre_ir::{Memory, Program};
use vyre_opt::{Schedule, optimize, queue};
use vyre_ptx::{Arch, Kernel, Options, emit, target};
use vyre_wgsl::{ImportOptions, import_wgsl};

/// The architecture whose table is kept, and whose instructions are looked at.
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
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        (name, std::fs::read_to_string(&path).unwrap())
    };
    paths.into_iter().map(read).collect()
}

fn import(name: &str, source: &str) -> Program {
    import_wgsl(name, source, &ImportOptions::default())
        .unwrap_or_else(|e| panic!("{name}: {}", show_all(&e)))
}

/// All programs. One that handles items of a queue is the program that takes them from there.
fn programs() -> Vec<(String, Program)> {
    let mut all: Vec<(String, Program)> = Vec::new();
    for case in suite::programs() {
        let program = case.program().unwrap_or_else(|e| panic!("{}: {}", case.name, show_all(&e)));
        all.push((case.name, program));
    }
    for folder in ["examples", "crates/bench/kernels"] {
        for (file, source) in sources(folder) {
            let (name, mut program) = (format!("{folder}/{file}"), import(&file, &source));
            if queue::has_queue(&program) {
                (program, _) = queue::persistent(&program).unwrap_or_else(|e| panic!("{name}: {e}"));
            }
            all.push((name, program));
        }
    }
    assert!(all.len() > 220, "only {} programs were found", all.len());
    all
}

/// Kernels that are assembled at once. More of them save nothing: half of a process for one kernel is its start.
const AT_ONCE: usize = 16;

/// What a program takes of an architecture.
fn usage(ptxas: &Path, program: &Program, options: &Options) -> Result<Usage, String> {
    let kernel = emit(program, options).map_err(|e| e.to_string())?;
    alone(ptxas, &kernel, options.arch)
}

fn alone(ptxas: &Path, kernel: &Kernel, arch: Arch) -> Result<Usage, String> {
    most(kernel, &assemble(ptxas, &kernel.ptx, &arch.to_string(), &[])?.kernels)
}

/// The most that one of the entries takes. Refuses others than it has, and another number of bytes of shared memory than it
/// says.
fn most(kernel: &Kernel, usages: &[Usage]) -> Result<Usage, String> {
    if usages.len() != 1 + usize::from(kernel.fitted.is_some()) {
        return Err(format!("its entries are not as many as it says: {usages:?}"));
    }
    if usages.iter().any(|usage| usage.shared != kernel.static_shared) {
        return Err(format!("{} bytes of shared memory are declared: {usages:?}", kernel.static_shared));
    }
    let most = usages.iter().cloned().reduce(|a, b| Usage {
        registers: a.registers.max(b.registers),
        spilled: a.spilled.max(b.spilled),
        local: a.local.max(b.local),
        ..a
    });
    most.ok_or_else(|| "it has no entry".into())
}

/// What each program takes, by options of one architecture. They are assembled together; if ptxas says anything against
/// that, each alone.
fn usages<'p>(
    ptxas: &Path,
    programs: impl Iterator<Item = (&'p Program, Options)>,
    arch: Arch,
) -> Vec<Result<Usage, String>> {
    let kernel = |(at, (program, options)): (usize, (&Program, Options))| {
        let program = Program { name: format!("k{at}"), ..program.clone() };
        emit(&program, &options).map_err(|e| e.to_string())
    };
    let kernels: Vec<Result<Kernel, String>> = programs.enumerate().map(kernel).collect();
    let modules: Vec<String> = kernels.iter().flatten().map(|kernel| kernel.ptx.clone()).collect();
    let together = assemble(ptxas, &joined(&modules), &arch.to_string(), &[]);
    let together = together.map_or(Vec::new(), |cubin| cubin.kernels);
    let of = |kernel: Result<Kernel, String>| {
        let kernel = kernel?;
        let entries = [Some(&kernel.entry), kernel.fitted.as_ref().map(|fitted| &fitted.entry)];
        let its = together.iter().filter(|usage| entries.contains(&Some(&usage.kernel)));
        let its: Vec<Usage> = its.cloned().collect();
        most(&kernel, &its).or_else(|_| alone(ptxas, &kernel, arch))
    };
    kernels.into_iter().map(of).collect()
}

/// Refuses what a program takes beyond what it must.
fn only_needed(program: &Program, usage: Usage) -> Result<Usage, String> {
    let has_arrays = program.buffers.values().any(|decl| decl.memory == Memory::Private);
    match usage.spilled > 0 || usage.local > 0 && !has_arrays {
        true => Err(format!("local memory is used: {usage:?}")),
        false => Ok(usage),
    }
}

#[test]
fn every_program_assembles_and_spills_nothing() {
    let Some(ptxas) = PTXAS.for_test() else { return };
    let programs = in_parallel(&programs(), |(name, program)| (name.clone(), optimize(program, &target())));
    // sm_89 takes what sm_80 takes.
    let archs = Arch::ALL.into_iter().filter(|arch| arch.sm != 89);
    let work: Vec<(&[(String, Program)], Arch)> =
        archs.flat_map(|arch| programs.chunks(AT_ONCE).map(move |some| (some, arch))).collect();
    let results = in_parallel(&work, |(some, arch)| {
        let with_options = some.iter().map(|(_, program)| (program, Options::new(*arch)));
        let usages = usages(&ptxas, with_options, *arch);
        let needed = some.iter().zip(usages).map(|((_, program), usage)| only_needed(program, usage?));
        needed.collect::<Vec<_>>()
    });
    let each = work.iter().flat_map(|(some, arch)| some.iter().map(move |(name, _)| (name, arch)));
    let results: Vec<_> = each.zip(results.into_iter().flatten()).collect();
    let count = results.len();
    let mut failed = Vec::new();
    let mut table = String::from(
        "# What programs take of an sm_90, by ptxas 12.9: registers of a thread, bytes of shared memory of a block, bytes of\n\
         # local memory of a thread.\n",
    );
    for ((name, arch), result) in results {
        match result {
            Err(why) => failed.push(format!("{name} {arch}: {why}")),
            Ok(Usage { registers, shared, local, .. }) if arch.to_string() == KEPT => {
                writeln!(table, "{name} {registers} {shared} {local}").unwrap();
            }
            Ok(_) => {}
        }
    }
    assert!(failed.is_empty(), "{} of {}:\n{}", failed.len(), count, failed.join("\n"));
    keep(&root("tests/ptx/registers.txt"), &table);
}

/// Compares with what is kept in a file, or with `VYRE_BLESS` writes it.
fn keep(path: &Path, table: &str) {
    if std::env::var_os("VYRE_BLESS").is_some() {
        return std::fs::write(path, table).unwrap();
    }
    let kept = std::fs::read_to_string(path).unwrap_or_default().replace("\r\n", "\n");
    let without = |lines: &str, others: &str, sign: char| {
        let other: Vec<&str> = others.lines().collect();
        let lines = lines.lines().filter(move |line| !other.contains(line));
        lines.map(|line| format!("{sign} {line}\n")).collect::<String>()
    };
    let changes = without(&kept, table, '-') + &without(table, &kept, '+');
    assert!(kept == table, "registers, shared and local memory changed; VYRE_BLESS=1 keeps that:\n{changes}");
}

#[test]
fn what_is_only_legal_assembles() {
    let Some(ptxas) = PTXAS.for_test() else { return };
    let options = Options::new(Arch::ALL[0]);
    let programs = programs();
    let some: Vec<&[(String, Program)]> = programs.chunks(AT_ONCE).collect();
    let results = in_parallel(&some, |some| {
        let legal = || vyre_opt::Options { schedule: Schedule::Legal, ..Default::default() };
        let programs: Vec<Program> =
            some.iter().map(|(_, program)| vyre_opt::run(program, &target(), legal())).collect();
        let usages = usages(&ptxas, programs.iter().map(|program| (program, options)), options.arch);
        let named =
            some.iter().zip(usages).map(|((name, _), usage)| Some(format!("{name}: {}", usage.err()?)));
        named.flatten().collect::<Vec<_>>()
    });
    let failed = results.concat();
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

#[test]
fn random_programs_assemble() {
    let Some(ptxas) = PTXAS.for_test() else { return };
    let archs = [0, 1, 3].map(|at| Arch::ALL[at]);
    let one = |seed: u64| {
        let options = random::Options {
            wide: seed.is_multiple_of(3),
            grid_syncs: seed.is_multiple_of(4),
            calls: seed.is_multiple_of(5),
            statements: 40,
            ..random::Options::default()
        };
        let program = optimize(&random::program(seed, &options), &target());
        let arch = archs[seed as usize % 3];
        (program, Options { unchecked: seed.is_multiple_of(7), gated: seed % 8 < 2, ..Options::new(arch) })
    };
    // Of each architecture in two parts, for two processors.
    let parts: Vec<Vec<u64>> = (0..6).map(|part| (0..80).filter(|seed| seed % 6 == part).collect()).collect();
    let results = in_parallel(&parts, |seeds| {
        let arch = archs[seeds[0] as usize % 3];
        let programs: Vec<(Program, Options)> = seeds.iter().map(|&seed| one(seed)).collect();
        let usages = usages(&ptxas, programs.iter().map(|(program, options)| (program, *options)), arch);
        let named = seeds
            .iter()
            .zip(usages)
            .map(|(seed, usage)| Some(format!("seed {seed} {arch}: {}", usage.err()?)));
        named.flatten().collect::<Vec<_>>()
    });
    let failed = results.concat();
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

fn parse(text: &str) -> Program {
    vyre_ir::text::parse("test.vyre", text).unwrap_or_else(|e| panic!("{}", show_all(&e)))
}

/// Memory that the launch has to ask for, and control flow as deep as a program may have it.
#[test]
fn the_largest_assemble() {
    let Some(ptxas) = PTXAS.for_test() else { return };
    let large = parse(
        "program large workgroup(32, 1, 1) {
          buffer out: u32[32] storage read_write @group(0) @binding(0)
          buffer tile: u32[20000] workgroup read_write
          buffer own: u32[3000] private read_write
          %i: u32 = local_index
          %x: u32 = load tile[%i]
          store own[%x], %i
          %y: u32 = load own[%i]
          store out[%i], %y
        }",
    );
    let depth = vyre_ir::verify::MAX_DEPTH - 2;
    let deep = parse(&format!(
        "program deep workgroup(32, 1, 1) {{
          buffer out: u32[32] storage read_write @group(0) @binding(0)
          %i: u32 = local_index
          %x: u32 = load out[%i]
          %c: bool = lt %i, %x
          {}store out[%i], %i
          {}
        }}",
        "if %c {\n".repeat(depth),
        "yield\n} else {\nyield\n}\n".repeat(depth),
    ));
    for (program, dynamic) in [(large, 80_000), (deep, 0)] {
        for arch in Arch::ALL {
            let options = Options::new(arch);
            let kernel = emit(&program, &options).unwrap_or_else(|e| panic!("{e}"));
            assert_eq!((kernel.static_shared, kernel.dynamic_shared), (0, dynamic));
            usage(&ptxas, &program, &options).unwrap_or_else(|e| panic!("{} {arch}: {e}", program.name));
        }
    }
}

/// Whether an instruction has a name with its suffixes, among others.
fn is(instruction: &str, name: &str) -> bool {
    let (mut suffixes, mut wanted) = (instruction.split('.'), name.split('.'));
    suffixes.next() == wanted.next() && wanted.all(|part| suffixes.any(|suffix| suffix == part))
}

#[test]
fn names_of_instructions_are_told_apart() {
    assert!(
        is("LDG.E.128.CONSTANT", "LDG.E.128") && is("LDG.E.CONSTANT", "LDG.CONSTANT") && is("FADD", "FADD")
    );
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
                wrong.push(format!("{name} {word} {instruction}: there are {count}"));
            }
        }
        wrong
    };
    let programs = sources("tests/ptx");
    let wrong = in_parallel(&programs, check).concat();
    assert!(programs.len() >= 6 && wrong.is_empty(), "{}", wrong.join("\n"));
}
