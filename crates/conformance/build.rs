//! Puts the programs of `tests/programs` into the crate, so that whoever has the command has the suite.

use std::fmt::Write;
use std::path::{Path, PathBuf};

fn main() {
    let root = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    let mut text = list("PROGRAMS", &root.join("../../tests/programs"));
    text += &list("INVALID", &root.join("../../tests/programs/invalid"));
    let out = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo sets it"));
    std::fs::write(out.join("programs.rs"), text).expect("cargo's own folder can be written");
}

/// A constant with the name and the text of each program of a folder, by name.
fn list(name: &str, folder: &Path) -> String {
    println!("cargo::rerun-if-changed={}", folder.display());
    let entries = std::fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let mut paths: Vec<_> = entries.filter_map(|e| e.ok().map(|e| e.path())).collect();
    paths.retain(|p| p.extension().is_some_and(|e| e == "wgsl" || e == "vyre"));
    paths.sort();
    let mut text = format!("const {name}: &[(&str, &str)] = &[\n");
    for path in &paths {
        let file = path.file_name().unwrap_or_default().to_string_lossy();
        writeln!(text, "    ({file:?}, include_str!({path:?})),").expect("memory is all it takes");
    }
    text + "];\n"
}
