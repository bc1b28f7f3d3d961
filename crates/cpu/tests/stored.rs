//! Machine code as bytes: code that is read back computes the same, and bytes that are no code are refused.
//!
//! Programs of `tests/programs` make the same way in the conformance suite.

use vyre_cpu::Kernel;
use vyre_driver::{AlignedBytes, Cancel, HostBytes, HostLaunch};
use vyre_ir::Program;

/// Calls everything that code can call: a subgroup operation, zeroing of workgroup memory, arithmetic of f16.
/// `data[i] = 3 * (the sum of data over the subgroup) + 1`, in f16, and plus a workgroup variable that is 0.
const CALLS: &str = "
program calls workgroup(32, 1, 1) {
  buffer data: u32[] storage read_write @group(0) @binding(0)
  buffer cells: u32[1000] workgroup read_write
  %i: u32 = global_id x
  %x: u32 = load data[%i]
  %sum: u32 = subgroup_add %x
  %h: f16 = convert %sum
  %three: f16 = const 3.0
  %one: f16 = const 1.0
  %p: f16 = mul %h, %three
  %q: f16 = add %p, %one
  %r: u32 = convert %q
  %z: u32 = load cells[%i]
  %s: u32 = add %r, %z
  store data[%i], %s
}";

fn program() -> Program {
    vyre_ir::text::parse("calls", CALLS).unwrap_or_else(|errors| panic!("{errors:#?}"))
}

fn stored() -> (Program, Kernel, Vec<u8>) {
    let p = program();
    let kernel = vyre_cpu::compile(&p).unwrap();
    let bytes = kernel.to_bytes().expect("the code can be stored");
    (p, kernel, bytes)
}

fn load(p: &Program, bytes: &[u8]) -> Option<Kernel> {
    // SAFETY: code that this test damages is not run.
    unsafe { Kernel::from_bytes(p, bytes) }.unwrap()
}

fn run(kernel: &Kernel) -> Vec<u32> {
    let mut data = AlignedBytes::zeroed(4 * 32, "a test").unwrap();
    for i in 0..32 {
        data[4 * i..][..4].copy_from_slice(&(i as u32).to_le_bytes());
    }
    let memory = vec![HostBytes::Write(&mut data), HostBytes::Unbound];
    kernel
        .launch(&mut HostLaunch {
            workgroups: [1; 3],
            only: None,
            drain: None,
            memory: memory.into(),
            cancel: &Cancel::default(),
        })
        .unwrap();
    data.chunks_exact(4).map(|x| u32::from_le_bytes(x.try_into().unwrap())).collect()
}

#[test]
fn checked_code_is_not_stored() {
    assert!(vyre_cpu::compile_checked(&program()).unwrap().to_bytes().is_none());
}

#[test]
fn code_that_is_read_back_computes_the_same() {
    let (p, kernel, bytes) = stored();
    // A subgroup has 8 invocations; a f16 holds integers up to 2048.
    let sum = |i: u32| (i / 8 * 8..i / 8 * 8 + 8).sum::<u32>();
    let expect: Vec<u32> = (0..32).map(|i| 3 * sum(i) + 1).collect();
    assert_eq!(run(&kernel), expect);
    let loaded = load(&p, &bytes).expect("it is code of this processor");
    drop(kernel);
    assert_eq!(run(&loaded), expect);
    assert!(loaded.to_bytes() == Some(bytes), "it can be stored again");
}

#[test]
fn the_version_names_the_compiler_the_processor_and_the_sources() {
    let version = vyre_cpu::code_version().unwrap();
    for part in
        [env!("CARGO_PKG_VERSION"), "cranelift 0.", std::env::consts::ARCH, "opt_level", "code gang auto"]
    {
        assert!(version.contains(part), "no `{part}` in {version}");
    }
    assert_eq!(version, vyre_cpu::code_version().unwrap());
}

/// Bytes of version, scratch memory, stack, alignment and number of places.
const HEADER: usize = 32 + 8 + 4 + 4 + 4;

#[test]
fn damaged_bytes_are_refused_or_loaded_but_nothing_breaks() {
    let (p, _, bytes) = stored();
    let places = u32::from_le_bytes(bytes[HEADER - 4..HEADER].try_into().unwrap()) as usize;
    assert!(places >= 2, "the program calls");
    let code = HEADER + 5 * places;
    for end in 0..=code {
        assert!(load(&p, &bytes[..end]).is_none(), "{end} bytes are taken");
    }
    for end in code + 1..bytes.len() {
        // Whether the code is whole is a matter of the checksum around it.
        drop(load(&p, &bytes[..end]));
    }
    for at in 0..code {
        for bit in 0..8 {
            let mut damaged = bytes.clone();
            damaged[at] ^= 1 << bit;
            let loaded = load(&p, &damaged);
            assert!(at >= 32 || loaded.is_none(), "version byte {at}, bit {bit}");
        }
    }
}

#[test]
fn numbers_beyond_their_limits_are_refused() {
    let (p, _, bytes) = stored();
    let with = |at: usize, new: &[u8]| {
        let mut changed = bytes.clone();
        changed[at..at + new.len()].copy_from_slice(new);
        load(&p, &changed).is_some()
    };
    assert!(with(0, &[]));
    assert!(!with(32, &(257u64 << 20).to_le_bytes()), "scratch memory");
    assert!(!with(40, &(65u32 << 20).to_le_bytes()), "stack");
    for align in [0, 3, 1 << 20] {
        assert!(!with(44, &u32::to_le_bytes(align)), "an alignment of {align}");
    }
    assert!(!with(48, &u32::MAX.to_le_bytes()), "places");
    let end = bytes.len() as u32;
    assert!(!with(HEADER, &end.to_le_bytes()), "an address behind the code");
    assert!(!with(HEADER + 4, &[3]), "an unknown function");
}
