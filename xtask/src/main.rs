//! Chores of the repository: `cargo xtask VERB`.

mod bench;
mod bench_driver;
mod emission;
mod fuzz;
mod sass;

use std::path::Path;
use std::process::{Command, ExitCode};

const USAGE: &str = "usage: cargo xtask VERB
    bless    write the generated documentation anew
    bench    measure the examples; for figures that mean something: cargo run --release -p xtask -- bench
    sass     count the instructions of kernels against those of nvcc; needs nvcc (VYRE_NVCC) and nvdisasm (VYRE_NVDISASM)
    emission measure how long it takes to write PTX: cargo run --release -p xtask -- emission
    fuzz     look for programs that something is wrong with: cargo run --release -p xtask -- fuzz [--seconds N]
             [--seed START] [--device ID] [--backends] [--passes] [--exports] [--text] [--wire] [--sources]; all of them when none is named";

fn main() -> ExitCode {
    let verb = std::env::args().nth(1);
    let result = match verb.as_deref() {
        Some("bless") => bless(),
        Some("bench") => bench::bench().and_then(|()| bench_driver::bench()).map_err(|e| e.to_string()),
        Some("emission") => emission::emission(),
        Some("sass") => sass::sass(),
        Some("fuzz") => fuzz::fuzz(std::env::args().skip(2)),
        _ => Err(USAGE.into()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}

/// Writes what is generated: each page by the test that says whether it is current, `docs/ops.md` and `docs/errors.md`.
fn bless() -> Result<(), String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or("cargo".into()));
    // With the whole workspace, so that its dependencies are not built again with fewer features.
    command.args(["test", "--quiet", "--workspace", "--test", "docs", "--test", "errors"]);
    match command.env("VYRE_BLESS", "1").current_dir(&root).status() {
        Ok(status) if status.success() => (),
        Ok(status) => return Err(format!("a test that writes a page failed: {status}")),
        Err(e) => return Err(format!("cargo did not start: {e}")),
    }
    Ok(())
}
