//! For the build scripts of crates that decide what code is made: a hash of sources, in the variable `VYRE_SOURCES`.
//!
//! It is part of the key of what is cached on disk, so that code made by another state of the sources is never run.
//! Crates that do not lie beside each other are told apart by their versions alone.

use std::path::{Path, PathBuf};

/// Hashes the files of folders, and the versions of all dependencies where they are known.
pub fn hash(folders: &[&str]) {
    let mut files = Vec::new();
    for folder in folders.iter().copied().chain(["../../Cargo.lock"]) {
        if Path::new(folder).exists() {
            println!("cargo::rerun-if-changed={folder}");
            collect(Path::new(folder), &mut files);
        }
    }
    files.sort();
    // FNV-1a, 64 bits: http://www.isthe.com/chongo/tech/comp/fnv/.
    let mut hash = 0xcbf2_9ce4_8422_2325u64;
    for file in files {
        for byte in std::fs::read(file).unwrap_or_default() {
            hash = (hash ^ byte as u64).wrapping_mul(0x0100_0000_01b3);
        }
    }
    println!("cargo::rustc-env=VYRE_SOURCES={hash:016x}");
}

fn collect(path: &Path, files: &mut Vec<PathBuf>) {
    if !path.is_dir() {
        return files.push(path.into());
    }
    for entry in std::fs::read_dir(path).into_iter().flatten().flatten() {
        collect(&entry.path(), files);
    }
}
