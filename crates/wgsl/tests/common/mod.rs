//! Runs WGSL on the reference interpreter.

use std::collections::HashMap;
use vyre_ir::{Program, verify};
use vyre_reference::{Bytes, Options, run};
use vyre_wgsl::{ImportOptions, import_wgsl};

/// The program, verified.
#[allow(dead_code)] // not every test file imports WGSL
pub fn import(source: &str, options: &ImportOptions) -> Program {
    let show = |errors: Vec<vyre_ir::Diagnostic>| {
        errors.iter().map(|e| e.to_string()).collect::<Vec<_>>().join("\n")
    };
    let program =
        import_wgsl("test.wgsl", source, options).unwrap_or_else(|e| panic!("{}\n{source}", show(e)));
    verify::verify(&program).unwrap_or_else(|e| panic!("{}\n{source}\n{program}", show(e)));
    program
}

/// Runs one workgroup on buffers of u32 words and gives those that may be written.
#[allow(dead_code)] // not every test file runs words
pub fn words(program: &Program, input: &[(&str, Vec<u32>)]) -> HashMap<String, Vec<u32>> {
    let mut memory: Vec<Vec<u8>> = program
        .buffers
        .values()
        .map(|b| match input.iter().find(|(name, _)| *name == b.name) {
            Some((_, words)) => words.iter().flat_map(|w| w.to_le_bytes()).collect(),
            None => vec![0; b.static_bytes().unwrap_or(0) as usize],
        })
        .collect();
    let mut bound: Vec<Bytes<'_>> = memory
        .iter_mut()
        .zip(program.buffers.values())
        .map(|(bytes, b)| match (b.memory.is_bound(), b.access.writes()) {
            (false, _) => Bytes::Unbound,
            (true, false) => Bytes::Read(bytes),
            (true, true) => Bytes::Write(bytes),
        })
        .collect();
    let options = Options { step_limit: 100_000_000, ..Options::default() };
    run(program, [1, 1, 1], &mut bound, &options).unwrap_or_else(|e| panic!("{e}\n{program}"));
    let words = |bytes: &Vec<u8>| {
        bytes.chunks(4).map(|c| c.iter().rev().fold(0, |w, &b| w << 8 | b as u32)).collect()
    };
    program
        .buffers
        .values()
        .zip(&memory)
        .filter(|(b, _)| b.memory.is_bound() && b.access.writes())
        .map(|(b, bytes)| (b.name.clone(), words(bytes)))
        .collect()
}

/// Numbers from a fixed seed (SplitMix64).
pub struct Random(pub u64);

impl Random {
    /// A number below `n`.
    #[allow(dead_code)]
    pub fn below(&mut self, n: u32) -> u32 {
        self.0 = self.0.wrapping_add(0x9e3779b97f4a7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58476d1ce4e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d049bb133111eb);
        ((z ^ (z >> 31)) % n as u64) as u32
    }
}
