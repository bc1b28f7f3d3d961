//! What kernels look like, in files for readers. With `VYRE_BLESS=1` the files are written anew.

use std::path::Path;
use vyre_ptx::{Arch, Options, emit, target};

/// A kernel's file, its program, the architecture, and whether it says lines.
const KERNELS: [(&str, &str, &str, bool); 7] = [
    ("saxpy", "crates/bench/kernels/saxpy.wgsl", "sm_90", true),
    ("matmul", "crates/bench/kernels/matmul.wgsl", "sm_90", false),
    ("mandelbrot", "crates/bench/kernels/mandelbrot.wgsl", "sm_70", false),
    ("byte_histogram", "examples/byte_histogram.wgsl", "sm_90", false),
    ("subgroup_vote", "tests/programs/subgroup_vote.wgsl", "sm_80", false),
    ("grid_uniform_flag", "tests/programs/grid_uniform_flag.wgsl", "sm_70", false),
    ("switch_selectors", "tests/programs/switch_selectors.wgsl", "sm_90", false),
];

#[test]
fn kernels_look_like_this() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut differ = Vec::new();
    for (name, file, arch, lines) in KERNELS {
        let text = std::fs::read_to_string(root.join("../..").join(file)).unwrap();
        let options = vyre_wgsl::ImportOptions::default();
        let program = vyre_wgsl::import_wgsl(file, &text, &options).unwrap_or_else(|e| panic!("{}", e[0]));
        let program = vyre_opt::optimize(&program, &target());
        let options = Options { lines, ..Options::new(Arch::parse(arch).unwrap()) };
        let got = emit(&program, &options).unwrap_or_else(|e| panic!("{e}")).ptx;
        let golden = root.join(format!("tests/golden/{name}.ptx"));
        if std::env::var_os("VYRE_BLESS").is_some() {
            std::fs::create_dir_all(golden.parent().unwrap()).unwrap();
            std::fs::write(&golden, got).unwrap();
        } else if std::fs::read_to_string(&golden).is_ok_and(|want| want == got) {
        } else {
            differ.push(format!("{name}:\n{got}"));
        }
    }
    assert!(differ.is_empty(), "VYRE_BLESS=1 writes these:\n{}", differ.join("\n"));
}
