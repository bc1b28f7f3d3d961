//! Programs in text form before and after a pass.

#![allow(dead_code)] // each test file needs a part of this

use vyre_ir::Program;
use vyre_ir::text::parse;
use vyre_ir::verify::verify;
use vyre_opt::{Options, Schedule, Target, pipeline, run};

/// A program with the buffers `r` (read), `w` (read and write), `t` (workgroup) and `q` (private).
pub fn program(body: &str) -> Program {
    let text = format!(
        "program test workgroup(4, 1, 1) {{
           buffer r: u32[] storage read @group(0) @binding(0)
           buffer w: u32[] storage read_write @group(0) @binding(1)
           buffer t: u32[64] workgroup read_write
           buffer q: u32[64] private read_write
           {body}
         }}"
    );
    let p = parse("test", &text).unwrap_or_else(|errors| panic!("{}\n{text}", errors[0]));
    verify(&p).unwrap_or_else(|errors| panic!("{}\n{p}", errors[0]));
    p
}

/// The program after passes, each once.
pub fn after(p: &Program, passes: &[&str], target: &Target) -> Program {
    let passes: Vec<_> =
        passes.iter().map(|name| pipeline::pass(name).expect("a pass of the list")).collect();
    run(p, target, Options { schedule: Schedule::Only(&passes), ..Options::default() })
}

/// Expects a pass, and removing what is dead then, to give a program.
#[track_caller]
pub fn check(target: &Target, pass: &str, before: &Program, expected: &Program) {
    let (found, expected) = (after(before, &[pass, "dce"], target).to_string(), expected.to_string());
    assert!(found == expected, "--- before\n{before}\n--- after {pass}\n{found}\n--- expected\n{expected}");
}
