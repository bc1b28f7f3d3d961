//! Chores of the repository: `cargo xtask VERB`.

use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let verb = std::env::args().nth(1);
    let result = match verb.as_deref() {
        Some("bless") => bless(),
        _ => Err("usage: cargo xtask bless    write the generated documentation anew".into()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}

/// Writes what is generated: `docs/ops.md`.
fn bless() -> Result<(), String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let path = root.join("docs/ops.md");
    std::fs::write(&path, vyre_ir::docs::ops_markdown()).map_err(|e| format!("{}: {e}", path.display()))
}
