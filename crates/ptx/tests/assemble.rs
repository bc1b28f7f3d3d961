//! ptxas takes what is written of every program, for every architecture, without a warning and without spilling.

mod tool;

use std::path::Path;
use vyre_conformance::case::show_all;
use vyre_conformance::{random, suite};
use vyre_ir::Program;
use vyre_ptx::{Arch, Options, emit, target};

/// The programs of the suite and the examples, by name.
fn programs() -> Vec<(String, Program)> {
    let mut all = Vec::new();
    for case in suite::programs() {
        let program = case.program().unwrap_or_else(|e| panic!("{}: {}", case.name, show_all(&e)));
        all.push((case.name, program));
    }
    for folder in ["../../examples", "../bench/kernels"] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
        let mut files: Vec<_> =
            std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        for path in files.iter().filter(|path| path.extension().is_some_and(|e| e == "wgsl")) {
            let name = path.file_name().unwrap().to_str().unwrap().to_string();
            let text = std::fs::read_to_string(path).unwrap();
            let options = vyre_wgsl::ImportOptions::default();
            match vyre_wgsl::import_wgsl(&name, &text, &options) {
                // What handles items of a queue runs as a program that takes them from there.
                Ok(program) if vyre_opt::queue::has_queue(&program) => {
                    let (program, _) =
                        vyre_opt::queue::persistent(&program).unwrap_or_else(|e| panic!("{e}"));
                    all.push((name, program));
                }
                Ok(program) => all.push((name, program)),
                Err(problems) => panic!("{name}: {}", show_all(&problems)),
            }
        }
    }
    all
}

#[test]
fn everything_assembles() {
    let Some(ptxas) = tool::ptxas() else { return };
    let mut problems = Vec::new();
    let mut assembled = 0;
    for (name, program) in programs() {
        for legal in [false, true] {
            let schedule = if legal { vyre_opt::Schedule::Legal } else { vyre_opt::Schedule::All };
            let options = vyre_opt::Options { schedule, ..vyre_opt::Options::default() };
            let program = vyre_opt::run(&program, &target(), options);
            // What is written differs between these; one takes the others' code too.
            let archs: &[usize] = if legal { &[0] } else { &[0, 1, 3, 5] };
            for &arch in archs {
                let arch = Arch::ALL[arch];
                let kernel = match emit(&program, &Options::new(arch)) {
                    Ok(kernel) => kernel,
                    Err(e) => {
                        problems.push(format!("{name} {arch}: {e}"));
                        continue;
                    }
                };
                assembled += 1;
                if let Err(why) = ptxas.assemble(&kernel.ptx, arch, !legal) {
                    problems.push(format!("{name} {arch}{}: {why}", if legal { " legal" } else { "" }));
                }
            }
        }
    }
    assert!(problems.is_empty(), "{} of {assembled}:\n{}", problems.len(), problems.join("\n"));
    assert!(assembled > 800, "{assembled} assembled");
}

#[test]
fn random_programs_assemble() {
    let Some(ptxas) = tool::ptxas() else { return };
    let mut problems = Vec::new();
    for seed in 0..80 {
        let options = random::Options {
            wide: seed % 3 == 0,
            grid_syncs: seed % 4 == 0,
            calls: seed % 5 == 0,
            statements: 40,
            ..random::Options::default()
        };
        let program = vyre_opt::optimize(&random::program(seed, &options), &target());
        let arch = Arch::ALL[[0, 1, 3][seed as usize % 3]];
        match emit(&program, &Options { unchecked: seed % 7 == 0, gated: seed % 8 < 2, ..Options::new(arch) })
        {
            Ok(kernel) => {
                if let Err(why) = ptxas.assemble(&kernel.ptx, arch, false) {
                    problems.push(format!("seed {seed} {arch}: {why}"));
                }
            }
            Err(e) => problems.push(format!("seed {seed} {arch}: {e}")),
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

fn parse(text: &str) -> Program {
    vyre_ir::text::parse("test.vyre", text).unwrap_or_else(|e| panic!("{}", show_all(&e)))
}

/// Memory that the launch has to ask for, and control flow as deep as a program may have it.
#[test]
fn the_largest_assemble() {
    let Some(ptxas) = tool::ptxas() else { return };
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
    for program in [large, deep] {
        for arch in Arch::ALL {
            let kernel = emit(&program, &Options::new(arch)).unwrap_or_else(|e| panic!("{e}"));
            ptxas
                .assemble(&kernel.ptx, arch, true)
                .unwrap_or_else(|e| panic!("{} {arch}: {e}", program.name));
            let dynamic = if program.name == "large" { 80_000 } else { 0 };
            assert_eq!((kernel.static_shared, kernel.dynamic_shared), (0, dynamic));
        }
    }
}
