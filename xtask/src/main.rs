//! Chores of the repository: `cargo xtask VERB`.

mod bench;
mod bench_driver;
mod fuzz;

use std::path::Path;
use std::process::{Command, ExitCode};

const USAGE: &str = "usage: cargo xtask VERB
    bless    write the generated documentation anew
    bench    measure the examples; for figures that mean something: cargo run --release -p xtask -- bench
    fuzz     look for programs that something is wrong with: cargo run --release -p xtask -- fuzz [--seconds N]
             [--seed START] [--backends] [--passes] [--exports] [--text] [--wire] [--sources]; all of them when none is named";

fn main() -> ExitCode {
    let verb = std::env::args().nth(1);
    let result = match verb.as_deref() {
        Some("bless") => bless(),
        Some("bench") => bench::bench().and_then(|()| bench_driver::bench()).map_err(|e| e.to_string()),
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

/// Writes what is generated: `docs/ops.md`, and `docs/errors.md` by the test that provokes every error.
fn bless() -> Result<(), String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let path = root.join("docs/ops.md");
    std::fs::write(&path, vyre_ir::docs::ops_markdown()).map_err(|e| format!("{}: {e}", path.display()))?;
    let mut test = Command::new(std::env::var_os("CARGO").unwrap_or("cargo".into()));
    test.args(["test", "--quiet", "--package", "vyre-cli", "--test", "errors"]).env("VYRE_BLESS", "1");
    match test.current_dir(root).status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("the errors could not be provoked: {status}")),
        Err(e) => Err(format!("cargo did not start: {e}")),
    }
}
