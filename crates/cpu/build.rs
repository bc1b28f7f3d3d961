//! Puts a hash of the sources of the crates that make code into `VYRE_SOURCES`, so that what is cached on disk is never
//! that of another state of the sources. Crates that lie elsewhere are told apart by their versions.

use std::path::{Path, PathBuf};

const FOLDERS: [&str; 1] = ["src"];

fn main() {
    let mut files = Vec::new();
    for folder in FOLDERS {
        println!("cargo::rerun-if-changed={folder}");
        collect(Path::new(folder), &mut files);
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

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, files);
        } else {
            files.push(path);
        }
    }
}
