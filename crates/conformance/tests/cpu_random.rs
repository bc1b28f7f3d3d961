//! Random programs give the same bytes on the backend `cpu` as on the oracle: as they are, and optimized for it.
//!
//! A failure names the seed and shows the program that was compiled.

use vyre_conformance::random::{self, Options};
use vyre_driver::{AlignedBytes, BackendError, Cancel, Executable, Launch, LaunchMemory};
use vyre_ir::{Memory, Program, Scalar};
use vyre_reference::Bytes;

/// More than any generated program takes.
const STEPS: u64 = 20_000_000;

/// The contents of all bound buffers after a run of the oracle.
fn expected(seed: u64, p: &Program) -> Vec<Vec<u8>> {
    let mut contents = random::inputs(seed, p);
    let mut buffers: Vec<Bytes<'_>> = p
        .buffers
        .values()
        .zip(&mut contents)
        .map(|(decl, bytes)| match decl.memory {
            Memory::Workgroup | Memory::Private => Bytes::Unbound,
            _ if decl.access.writes() => Bytes::Write(bytes),
            _ => Bytes::Read(bytes),
        })
        .collect();
    let options = vyre_reference::Options { step_limit: STEPS, ..Default::default() };
    vyre_reference::run(p, random::grid(seed), &mut buffers, &options)
        .unwrap_or_else(|e| panic!("seed {seed} does not run: {e}\n{p}"));
    contents
}

/// The contents of all bound buffers after a run of compiled code.
fn found(seed: u64, p: &Program) -> Result<Vec<Vec<u8>>, BackendError> {
    let kernel = vyre_cpu::compile(p)?;
    let inputs = random::inputs(seed, p);
    let mut contents: Vec<AlignedBytes> =
        inputs.iter().map(|bytes| AlignedBytes::copy_of(bytes, "a test")).collect::<Result<_, _>>()?;
    let memory = p
        .buffers
        .values()
        .zip(&mut contents)
        .map(|(decl, bytes)| match decl.memory {
            Memory::Workgroup | Memory::Private => LaunchMemory::Unbound,
            _ if decl.access.writes() => LaunchMemory::Write(bytes),
            _ => LaunchMemory::Read(bytes),
        })
        .collect();
    let cancel = &Cancel::default();
    let workgroups = random::grid(seed);
    kernel.launch(&mut Launch { workgroups, memory, cancel, only_workgroups: None })?;
    Ok(contents.iter().map(|bytes| bytes.to_vec()).collect())
}

/// Compares one program; gives whether the backend took it.
fn check(seed: u64, options: &Options) -> bool {
    let p = random::program(seed, options);
    let expected = expected(seed, &p);
    let optimized = vyre_opt::optimize(&p, &vyre_cpu::target());
    for (what, p) in [("as it is", &p), ("optimized", &optimized)] {
        let found = match found(seed, p) {
            Ok(found) => found,
            // A subgroup operation in control flow that may diverge.
            Err(BackendError::Unsupported { what, .. }) if what.code == "D401" => return false,
            Err(error) => panic!("seed {seed}, {what}: {error}\n{p}"),
        };
        for (decl, (expected, found)) in p.buffers.values().zip(expected.iter().zip(&found)) {
            if let Some(at) = (0..expected.len()).find(|&i| expected[i] != found[i]) {
                panic!("seed {seed}, {what}: `{}` differs from byte {at} on\n{p}", decl.name);
            }
        }
    }
    true
}

/// Checks the programs of all seeds; one that is refused is replaced by one without subgroup operations.
fn check_all(seeds: std::ops::Range<u64>, options: &Options) {
    let refused: Vec<u64> = seeds.clone().filter(|&seed| !check(seed, options)).collect();
    assert!(refused.len() * 4 < seeds.count() * 3, "{} programs are refused", refused.len());
    for seed in refused {
        assert!(check(seed, &Options { subgroups: false, ..options.clone() }), "seed {seed} is refused");
    }
}

#[test]
fn programs_of_all_types() {
    check_all(0..1000, &Options { math: false, ..Options::default() });
}

#[test]
fn programs_of_32_bit_types() {
    let scalars = vec![Scalar::I32, Scalar::U32, Scalar::F32];
    check_all(1000..1600, &Options { scalars, statements: 24, math: false, ..Options::default() });
}

#[test]
fn programs_with_mathematical_functions() {
    check_all(1600..2000, &Options { vectors: false, ..Options::default() });
}
