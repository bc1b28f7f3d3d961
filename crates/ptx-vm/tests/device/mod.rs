//! A device for tests: buffers in order of a kernel's parameters, and what they hold after a launch.

#![allow(dead_code)] // every test file uses its own part

pub mod table;

use std::path::PathBuf;
use std::process::Command;
use vyre_ptx_vm::{Fault, Launch, Memory, Module, Options, Report, parse, run};

/// What a kernel is given.
#[derive(Clone, Debug)]
pub enum Given {
    Buffer(Vec<u8>),
    /// Memory that was never written.
    Unwritten(usize),
    U32(u32),
}

/// How it is launched.
#[derive(Clone, Debug)]
pub struct Shape {
    pub grid: u32,
    pub block: u32,
    pub cooperative: bool,
    pub dynamic_shared: u32,
}

pub fn shape(grid: u32, block: u32) -> Shape {
    Shape { grid, block, cooperative: false, dynamic_shared: 0 }
}

/// Buffers after a launch of a module's only kernel.
pub fn launch(
    text: &str,
    shape: &Shape,
    given: &[Given],
    options: &Options<'_>,
) -> Result<(Vec<Vec<u8>>, Report), Fault> {
    let module = parse(text).unwrap_or_else(|e| panic!("{e}"));
    launch_module(&module, shape, given, options)
}

pub fn launch_module(
    module: &Module,
    shape: &Shape,
    given: &[Given],
    options: &Options<'_>,
) -> Result<(Vec<Vec<u8>>, Report), Fault> {
    let entry = &module.entries[0];
    let mut memory = Memory::default();
    let (mut params, mut buffers) = (vec![0; entry.param_bytes], Vec::new());
    for (given, param) in given.iter().zip(&entry.params) {
        let place = &mut params[param.offset..param.offset + param.bytes];
        match given {
            Given::Buffer(bytes) => {
                let address = memory.allocate(bytes.len() as u64);
                memory.write(address, bytes).expect("an allocation");
                place.copy_from_slice(&address.to_le_bytes());
                buffers.push((address, bytes.len()));
            }
            Given::Unwritten(bytes) => {
                let address = memory.allocate(*bytes as u64);
                place.copy_from_slice(&address.to_le_bytes());
                buffers.push((address, *bytes));
            }
            Given::U32(value) => place.copy_from_slice(&value.to_le_bytes()),
        }
    }
    assert_eq!(given.len(), entry.params.len(), "as many values as parameters");
    let launch = Launch {
        grid: [shape.grid, 1, 1],
        block: [shape.block, 1, 1],
        dynamic_shared: shape.dynamic_shared,
        params: &params,
        cooperative: shape.cooperative,
    };
    let report = run(entry, &mut memory, &launch, options)?;
    let read = |(address, bytes): (u64, usize)| {
        let mut out = vec![0; bytes];
        memory.read(address, &mut out).expect("an allocation");
        out
    };
    Ok((buffers.into_iter().map(read).collect(), report))
}

pub fn words(values: &[u32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

pub fn as_words(bytes: &[u8]) -> Vec<u32> {
    bytes.chunks_exact(4).map(|word| u32::from_le_bytes(word.try_into().expect("four bytes"))).collect()
}

/// Options of a seed, with everything looked for and an end to waiting.
pub fn seeded(seed: u64) -> Options<'static> {
    Options { seed, step_limit: 3_000_000, ..Options::default() }
}

/// NVIDIA's assembler, if it is at hand.
///
/// # Panics
/// Where it is not, and the variable `VYRE_CI` is set.
pub fn ptxas() -> Option<PathBuf> {
    let named = std::env::var_os("VYRE_PTXAS").map(PathBuf::from);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = named.or_else(|| {
        std::env::split_paths(&path).map(|folder| folder.join("ptxas")).find(|file| file.exists())
    });
    if found.is_none() {
        assert!(std::env::var_os("VYRE_CI").is_none(), "CI needs ptxas");
        eprintln!("skipped: no ptxas");
    }
    found
}

/// What the assembler says against a module; `None` if it takes it.
pub fn refused(ptxas: &PathBuf, text: &str, name: &str) -> Option<String> {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let file = folder.join(format!("{name}-{}.ptx", std::process::id()));
    std::fs::write(&file, text).expect("a writable folder");
    let target =
        text.split(".target ").nth(1).and_then(|rest| rest.split_whitespace().next()).unwrap_or("sm_70");
    let out = Command::new(ptxas)
        .arg(format!("-arch={target}"))
        .arg(&file)
        .args(["-o", "/dev/null"])
        .output()
        .expect("ptxas runs");
    std::fs::remove_file(&file).expect("a file of this test");
    (!out.status.success()).then(|| String::from_utf8_lossy(&out.stderr).into_owned())
}
