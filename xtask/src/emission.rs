//! How long it takes to write PTX: of every program of the suite, and for the tiled matmul together with what ptxas then
//! takes. For figures that mean something: `cargo run --release -p xtask -- emission`.

use std::path::Path;
use std::time::Instant;
use vyre::opt::optimize;
use vyre::opt::queue::{has_queue, persistent};
use vyre_conformance::suite;
use vyre_conformance::tools::{PTXAS, assemble};
use vyre_ir::Program;
use vyre_ptx::{Arch, Options, emit, target};
use vyre_wgsl::{ImportOptions, import_wgsl};

/// The architecture that is written for.
const ARCH: &str = "sm_90";

/// How often each is done; the median counts.
const PASSES: usize = 15;

/// Prints the table.
pub fn emission() -> Result<(), String> {
    let options = Options::new(Arch::parse(ARCH).ok_or("no such architecture")?);
    let mut all = Vec::new();
    for case in suite::programs() {
        let program = case.program().map_err(|errors| format!("{}: {errors:?}", case.name))?;
        let program = match has_queue(&program) {
            true => persistent(&program).map_err(|e| e.to_string())?.0,
            false => program,
        };
        let program = optimize(&program, &target());
        let ms = median(|| emit(&program, &options).map(drop).map_err(|e| e.to_string()))?;
        all.push((ms, case.name));
    }
    all.sort_by(|a, b| a.0.total_cmp(&b.0));
    let [(middle, _), (most, name)] = [&all[all.len() / 2], &all[all.len() - 1]];
    let slow = all.iter().filter(|(ms, _)| *ms >= 1.0).count();
    println!("| what | ms |\n|---|---|");
    println!("| emit, median of {} programs of the suite | {middle:.3} |", all.len());
    println!("| emit, the slowest of them, `{name}` ({slow} take 1 ms or more) | {most:.3} |");
    let matmul = matmul()?;
    let legal = optimize(&matmul, &target());
    let ms = median(|| {
        drop(optimize(&matmul, &target()));
        Ok(())
    })?;
    println!("| optimize, matmul_tiled | {ms:.3} |");
    let ms = median(|| emit(&legal, &options).map(drop).map_err(|e| e.to_string()))?;
    println!("| emit, matmul_tiled | {ms:.3} |");
    let Some(ptxas) = PTXAS.find() else {
        println!("| emit and ptxas, matmul_tiled | no ptxas: set {} |", PTXAS.variable);
        return Ok(());
    };
    let ms = median(|| {
        let kernel = emit(&legal, &options).map_err(|e| e.to_string())?;
        assemble(&ptxas, &kernel.ptx, ARCH, &[]).map(drop)
    })?;
    println!("| emit and ptxas, matmul_tiled | {ms:.1} |");
    Ok(())
}

fn matmul() -> Result<Program, String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/matmul_tiled.wgsl");
    let source = std::fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
    import_wgsl("matmul_tiled.wgsl", &source, &ImportOptions::default()).map_err(|e| format!("{e:?}"))
}

/// The median time in milliseconds.
fn median(mut run: impl FnMut() -> Result<(), String>) -> Result<f64, String> {
    let mut times = Vec::with_capacity(PASSES);
    for _ in 0..PASSES {
        let start = Instant::now();
        run()?;
        times.push(start.elapsed().as_secs_f64() * 1e3);
    }
    times.sort_by(f64::total_cmp);
    Ok(times[PASSES / 2])
}
